#!/usr/bin/env bash
# Kill -9 and resume: the same bytes on the same number of ranks, the same league on another; graceful stops save.
. "$(dirname "$0")/common.sh"
for pace in lockstep pipelined; do
  long="frames=200k pace=$pace checkpoint.ticks=15"
  mpi 3 "$AGON" train "$smoke" --run-dir whole-$pace --quiet $long
  mpi 3 "$AGON" train "$smoke" --run-dir again-$pace --quiet $long
  same whole-$pace again-$pace || fail "two runs with one seed differ ($pace)"
  kill_in_the_middle broken-$pace "$smoke" $long
  expect 3 "already holds a run. Go on with it: --resume auto" "$AGON" train "$smoke" --run-dir broken-$pace
  expect 3 "already holds a run" "$AGON" train "$smoke" --run-dir broken-$pace --resume never
  mpi 3 "$AGON" train "$smoke" --run-dir broken-$pace --resume auto --quiet $long
  same whole-$pace broken-$pace || fail "a killed and resumed run differs ($pace)"
done
# jobs that are stopped are no events in the league: the same bytes as of one that was not
for pace in lockstep pipelined; do
  for job in 1 2 3 4; do
    limit=0.1; [ $job -lt 4 ] || limit=0
    mpi 3 "$AGON" train "$smoke" --run-dir pieces-$pace --resume auto --quiet frames=200k pace=$pace checkpoint.ticks=15 max_seconds=$limit
  done
  same whole-$pace pieces-$pace || fail "a run of four jobs differs from a run of one ($pace)"
done
# a finished run says so, and nothing of it changes; more frames, and it goes on: "end" is a snapshot like any other
for ranks in 1 3; do
  find whole-lockstep -type f -exec stat -c '%n %y %i' {} + -exec sha256sum {} + | sort > files.before
  mpi $ranks "$AGON" train "$smoke" --run-dir whole-lockstep --resume auto frames=200k pace=free > finished.txt || fail "resuming a finished run"
  grep -q "^whole-lockstep is finished: its 200000 frames are done" finished.txt || { cat finished.txt; fail "a finished run does not say so"; }
  find whole-lockstep -type f -exec stat -c '%n %y %i' {} + -exec sha256sum {} + | sort > files.after
  cmp files.before files.after || fail "resuming a finished run changed it"
done
cp -r whole-lockstep further
mpi 3 "$AGON" train "$smoke" --run-dir further --resume auto frames=230k > further.txt || fail "a finished run with more frames"
grep -q "ended: the frames are done; 23" further.txt || { cat further.txt; fail "a finished run with more frames does not go on"; }
"$AGON" league show whole-lockstep --json > before.json
"$AGON" league show further --json > after.json
$python - <<'P'
import json
old, new = ({p["name"]: p for p in json.load(open(f))["players"]} for f in ("before.json", "after.json"))
for players in old, new: # the main as it was at the end is among the frozen ones, once
    assert sum(p["frozen"] and p["frames"] == players["main_0"]["frames"] and p["name"].startswith("main_0") for p in players.values()) == 1
assert all(new[name] == p for name, p in old.items() if p["frozen"])
P
kill_in_the_middle other "$smoke" frames=200k checkpoint.ticks=15
"$AGON" league show other --json > before.json
mpi 5 "$AGON" train "$smoke" --run-dir other --resume must --quiet frames=200k
"$AGON" league show other --json > after.json
"$AGON" checkpoint verify other > /dev/null
$python - <<'P'
import json
a, b = json.load(open("before.json")), json.load(open("after.json"))
old, new = ({p["name"]: p for p in x["players"]} for x in (a, b))
assert len(new) >= len(old) and b["frames"] >= 200000 > a["frames"] and b["tick"] > a["tick"]
for name, p in old.items():
    if p["frozen"]: assert new[name] == p, name
    else: assert new[name]["frames"] >= p["frames"]
games = lambda x: {(r["home"], r["away"]): r["raw"]["games"] for r in x["payoff"]}
before, after = games(a), games(b)
assert all(after[k] >= v for k, v in before.items())
assert all(p["parent"] in new for p in new.values() if p["parent"])
P
# from a file of another folder: its frozen players come along; the numbers go on
mpi 2 "$AGON" train "$smoke" --run-dir moved --resume "$(ls other/checkpoints/*.h5 | head -1)" frames=210k --quiet || fail "resume from a file"
"$AGON" checkpoint verify moved > /dev/null || fail "players did not come along"
# graceful ends: time limit, stop file, SIGUSR1 - each saves, exits 0, and can be gone on with
mpi 2 "$AGON" train "$smoke" --run-dir timed frames=100M --max-time 1 > timed.txt
grep -q "ended: the time is up" timed.txt || fail "--max-time"
mpi 2 "$AGON" train "$smoke" --run-dir timed --resume auto frames=100M --max-time 1 > timed2.txt
grep -q "ended: the time is up" timed2.txt || fail "--max-time after a resume"
mpi 2 "$AGON" train "$smoke" --run-dir stopped frames=100M > stopped.txt &
job=$!
for i in $(seq 200); do [ -e stopped/status.json ] && break; sleep 0.05; done
expect 3 "another job is running in this folder" "$AGON" train "$smoke" --run-dir stopped
expect 0 "stopped: running" "$AGON" status stopped
"$AGON" stop stopped
wait $job || fail "the stop file's exit code"
grep -q "ended: a stop file was found" stopped.txt || fail "stop file"
expect 0 "stopped: stopped" "$AGON" status stopped
mpi 2 "$AGON" train "$smoke" --run-dir signalled frames=100M > signalled.txt &
job=$!
for i in $(seq 200); do [ -e signalled/status.json ] && break; sleep 0.05; done
pkill -USR1 -f "^mpirun .*--run-dir signalled" || fail "no mpirun to signal" # by its own name: other tests run beside this one
wait $job || fail "SIGUSR1's exit code"
grep -q "ended: SIGUSR1" signalled.txt || { cat signalled.txt; fail "SIGUSR1"; }
# a damaged newest checkpoint: the one before it is used; stderr, log and status say so, and the damaged file is kept
cp -r whole-lockstep damaged
newest=$(ls damaged/checkpoints/*.h5 | tail -1)
printf 'x' | dd of="$newest" bs=1 seek=5000 conv=notrunc status=none
expect 4 "$newest" "$AGON" checkpoint verify "$newest"
expect 0 "^agon: warning: $newest: its bytes do not match its seal" "$AGON" league show damaged
number=$(basename "$newest" .h5)
mpi 2 "$AGON" train "$smoke" --run-dir damaged --resume auto pace=lockstep frames=220k --quiet 2> warned.txt || fail "resume from the older generation"
for where in warned.txt damaged/log.txt damaged/status.json; do
  grep -q "$newest is damaged, and is kept as $newest.damaged" $where || { cat $where; fail "$where does not warn"; }
done
expect 0 "^warning: $newest is damaged" "$AGON" status damaged
[ -e "$newest.damaged" ] && [ ! -e "$newest" ] && [ "$(ls damaged/checkpoints/*.h5 | wc -l)" = 3 ] && [ "$(basename "$(ls damaged/checkpoints/*.h5 | tail -1)" .h5)" -gt "$number" ] || { ls damaged/checkpoints; fail "generations after a damaged one"; }
"$AGON" checkpoint verify damaged > /dev/null || fail "a whole checkpoint after a damaged one"
h5dump -H damaged/checkpoints/*.h5 > /dev/null 2>&1 || ! command -v h5dump > /dev/null || fail "h5dump cannot read a checkpoint"
echo passed
