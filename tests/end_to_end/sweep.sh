#!/usr/bin/env bash
# Many runs: killed with -9 in the middle and gone on with, stopped, added to, halved, as a job array; what fails, and bad input.
. "$(dirname "$0")/common.sh"
sweep() { "$AGON" sweep "$@"; }
cp "$root/deploy/runs/rps.yaml" base.yaml
cat > grid.yaml <<'Y'
sweep: {base: base.yaml, seeds: 1-2, jobs: 2, folder: grid}
set: {frames: 30k, checkpoint.ticks: 4, pace: lockstep}
grid:
  learner.rate: [0.001, 0.003]
score: {against: random, games: 40}
Y
# state FOLDER: every planned run is there once and done
state() { $python - "$@" <<'P'
import json, os, sys
folder, points, seeds, dropped = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
s = json.load(open(folder + "/sweep.json"))
names = [r["run"] for r in s["runs"]]
assert sorted(names) == sorted(os.listdir(folder + "/runs")) == sorted(set(names)), names
assert len(names) == points * seeds and s["open"] == s["failed"] == 0 and s["dropped"] == dropped, s
assert len(s["configurations"]) == points
for c in s["configurations"]:
    scores = [r["score"] for r in s["runs"] if r["configuration"] == c["configuration"] and r["rungs"] == c["rungs"]]
    assert len(scores) == c["seeds"] == seeds and abs(sum(scores) / seeds - c["mean"]) < 1e-12, c
for r in s["runs"]:
    assert "was killed" not in open(folder + "/logs/" + r["run"] + ".txt").read()
    state = json.load(open(folder + "/runs/" + r["run"] + "/status.json"))
    assert state["state"] in ("finished", "stopped"), state["state"]
means = [c["mean"] for c in s["configurations"] if not c["dropped"]]
assert means == sorted(means, reverse=True), means
P
}
# --- without a break, to compare with
sweep grid.yaml --folder whole > whole.txt || { cat whole.txt; fail "a sweep"; }
state whole 2 2 0
grep -q "4 runs: 4 done, 0 dropped, 0 failed, 0 open" whole.txt || fail "no count"
# --- killed -9 with all that it has started, while runs are in the middle; then only the sweep itself, its runs go on
for how in all alone; do
  rm -rf grid
  setsid "$AGON" sweep grid.yaml --quiet > kill.txt 2>&1 & job=$!
  for i in $(seq 3000); do ls grid/runs/*/checkpoints/*.h5 > /dev/null 2>&1 && break; sleep 0.02; done
  kill -9 "$job"
  if [ $how = all ]; then
    for dir in grid/runs/*; do
      for proc in /proc/[0-9]*; do
        if tr '\0' '\n' < "$proc/cmdline" 2> /dev/null | grep -qx "$dir" && [ "$(readlink "$proc/cwd")" = "$work" ]; then
          kill -9 "${proc#/proc/}" 2> /dev/null || true
        fi
      done
    done
  fi
  wait "$job" 2> /dev/null || true
  grep -q '"done": 4' grid/sweep.json && fail "it was over before it was killed"
  expect 0 "4 runs: 4 done, 0 dropped, 0 failed, 0 open" "$AGON" sweep grid.yaml
  state grid 2 2 0
  for run in $(ls whole/runs); do same "whole/runs/$run" "grid/runs/$run"; done
  [ "$(cd whole/results; grep -h '"score"' *)" = "$(cd grid/results; grep -h '"score"' *)" ] || fail "other scores, $how"
done
# --- again: nothing is run twice; --status looks only
touch before; sleep 0.1
expect 0 "4 are decided already" "$AGON" sweep grid.yaml
expect 0 "4 done" "$AGON" sweep grid.yaml --status
[ -z "$(find grid/runs grid/results -newer before -type f)" ] || fail "something was run again"
sweep grid.yaml --json | $python -c 'import json,sys; assert json.load(sys.stdin)["done"] == 4'
# --- two in one folder: the second says so and touches nothing; looking is allowed, and writes nothing either
$python - <<'P' &
import fcntl, time, os
f = open("grid/lock", "r+"); fcntl.lockf(f, fcntl.LOCK_EX); open("locked", "w").close()
for i in range(6000):
    if os.path.exists("unlock"): break
    time.sleep(.02)
P
holder=$!
for i in $(seq 3000); do [ -e locked ] && break; sleep 0.02; done
expect 3 "another process works on the sweep in grid: wait for it" "$AGON" sweep grid.yaml
rm grid/sweep.json
expect 0 "4 done" "$AGON" sweep grid.yaml --status
"$AGON" sweep grid.yaml --status --json | $python -c 'import json,sys; assert json.load(sys.stdin)["done"] == 4'
[ ! -e grid/sweep.json ] || fail "two write one file"
touch unlock; wait $holder
expect 0 "4 done" "$AGON" sweep grid.yaml --status
[ -e grid/sweep.json ] || fail "nobody else writes it"
# --- started by a program that ignores the ends of its children, which is inherited
expect 0 "2 done" $python -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])' \
  "$AGON" sweep grid.yaml --folder deaf sweep.ranks=2 sweep.jobs=1 sweep.seeds=1
# --- a full disk: an error, and with room again the same command goes on
if unshare -m true 2> /dev/null; then
  mkdir disk
  export AGON
  unshare -m bash -c 'mount -t tmpfs -o size=300k tmpfs disk
    "$AGON" sweep grid.yaml --folder disk/grid > full.txt 2>&1; code=$?
    mount -o remount,size=64m disk
    "$AGON" sweep grid.yaml --folder disk/grid > freed.txt 2>&1 || { cat freed.txt; exit 1; }
    cp -r disk/grid freed; echo $code > full.code' || fail "it does not go on once there is room"
  [ "$(cat full.code)" = 5 ] || [ "$(cat full.code)" = 3 ] || { cat full.txt; fail "a full disk: exit code $(cat full.code)"; }
  grep -q "No space left" full.txt || { cat full.txt; fail "it does not say that the disk is full"; }
  state freed 2 2 0
  for run in $(ls whole/runs); do same "whole/runs/$run" "freed/runs/$run"; done
fi
# --- asked to stop: what runs saves, exit code 0, and the rest is open
rm -rf grid
"$AGON" sweep grid.yaml > stop.txt 2>&1 & job=$!
for i in $(seq 3000); do ls grid/runs/*/status.json > /dev/null 2>&1 && break; sleep 0.02; done
kill -USR1 "$job"
wait "$job" || { cat stop.txt; fail "stopped: exit code $?"; }
grep -q "0 failed" stop.txt || { cat stop.txt; fail "a stop is no failure"; }
expect 0 "4 done" "$AGON" sweep grid.yaml
for run in $(ls whole/runs); do same "whole/runs/$run" "grid/runs/$run"; done
# --- seeds and values are added: what was there keeps its name; another base or setting is refused
sed -e 's/seeds: 1-2/seeds: 1-3/' -e 's/0.001, /0.01, 0.001, /' grid.yaml > more.yaml
touch before; sleep 0.1
expect 0 "9 runs: 9 done" "$AGON" sweep more.yaml
state grid 3 3 0
[ -z "$(find grid/runs/c01-s1 grid/runs/c02-s2 -newer before -type f)" ] || fail "added to, and run again"
grep -q "learner.rate=0.01\"" grid/results/c03-s1.json || fail "a new value takes a new number"
expect 3 "has a seed which this one lacks, 3" "$AGON" sweep grid.yaml
expect 3 "has a configuration which this one lacks" "$AGON" sweep more.yaml frames=20k
sed 's/rate: 0.003/rate: 0.004/' "$root/deploy/runs/rps.yaml" > base.yaml
expect 3 "began with other contents of base.yaml" "$AGON" sweep more.yaml
cp "$root/deploy/runs/rps.yaml" base.yaml
# --- a run that fails is named, the others go on, exit code 3; the same command tries it again
cat > broken.yaml <<'Y'
sweep: {base: base.yaml, folder: broken, jobs: 2}
set: {frames: 20k}
grid: {learner.rate: [0.001, 0.003]}
score: {games: 20}
Y
mkdir -p broken/runs; touch broken/runs/c02-s1
expect 3 "1 of 2 runs failed" "$AGON" sweep broken.yaml
grep -q "^failed: c02-s1 (learner.rate=0.003): exit code" out.txt || { cat out.txt; fail "it is not named"; }
grep -q "1 done, 0 dropped, 1 failed" out.txt || fail "the other one goes on"
rm broken/runs/c02-s1
expect 0 "2 runs: 2 done, 0 dropped, 0 failed" "$AGON" sweep broken.yaml
sed 's/score: .*/score: {against: "nobody:main_0", games: 20}/; s/folder: broken/folder: unscored/' broken.yaml > unscored.yaml
expect 3 "2 of 2 runs failed" "$AGON" sweep unscored.yaml
# what hangs is killed after its limit, with all ranks
expect 3 "c01-s1.*killed after sweep.limit, 1.5 s" "$AGON" sweep broken.yaml frames=100G sweep.limit=1.5 sweep.ranks=2 sweep.tries=1 --folder late
# --- successive halving: 4, 2, 1 configurations; who goes on does so without a trace of the stops
cat > halving.yaml <<'Y'
sweep: {base: base.yaml, seeds: [1], jobs: 2, samples: 4, folder: halving}
set: {frames: 40k, pace: lockstep}
random:
  learner.rate: {log: [0.0005, 0.01]}
  ppo.epochs: {int: [1, 3]}
halving: {first: 10k, factor: 2}
score: {games: 40}
Y
expect 0 "4 runs: 1 done, 3 dropped" "$AGON" sweep halving.yaml
state halving 4 1 3
$python - <<'P'
import json
s = json.load(open("halving/sweep.json"))
assert s["rungs"] == 3 and sorted(c["rungs"] for c in s["configurations"]) == [1, 1, 2, 3]
frames = {c["configuration"]: [r["frames"] for r in s["runs"] if r["configuration"] == c["configuration"]][0] for c in s["configurations"]}
for c in s["configurations"]:
    assert {1: 10e3, 2: 20e3, 3: 40e3}[c["rungs"]] <= frames[c["configuration"]] < 60e3, frames
rungs = {r["run"]: json.load(open("halving/results/%s.json" % r["run"]))["rungs"] for r in s["runs"]}
first = sorted(rungs.values(), key=lambda r: -r[0]["score"])
assert min(r[0]["score"] for r in rungs.values() if len(r) > 1) >= max(r[0]["score"] for r in rungs.values() if len(r) == 1)
best = [r for r in s["runs"] if r["state"] == "done"][0]
open("best", "w").write(best["run"] + " " + " ".join("%s=%s" % i for i in [c for c in s["configurations"] if c["rungs"] == 3][0]["settings"].items()) + "\n")
P
read -r name settings < best
# shellcheck disable=SC2086
"$AGON" train base.yaml $settings frames=40k pace=lockstep seed=1 --run-dir unhalved --quiet
same unhalved "halving/runs/$name"
# one that has saved its rung's end, but was killed before it could say so, is not trained beyond it
dropped=$($python -c 'import json; print([r["run"] for r in json.load(open("halving/sweep.json"))["runs"] if r["rungs"] == 1][0])')
cp -r "halving/runs/$dropped" saved
rm "halving/results/$dropped.json"
sed -i 's/"state": "stopped"/"state": "running"/; s/"frames": [0-9]*/"frames": 5/' "halving/runs/$dropped/status.json"
expect 0 "4 runs: 1 done, 3 dropped" "$AGON" sweep halving.yaml
same saved "halving/runs/$dropped"
# nor is one that is begun twice, as when a killed sweep's process had not taken its lock yet
expect 0 "frames, and job_frames=10000: nothing was changed" "$AGON" train "halving/runs/$dropped" job_frames=10k
expect 0 "nothing was changed" "$AGON" train base.yaml --run-dir "halving/runs/$dropped" --resume auto job_frames=10k pace=lockstep --quiet
same saved "halving/runs/$dropped"
expect 3 "halves otherwise" "$AGON" sweep halving.yaml halving.factor=4
# --- as a Slurm array: the script parses, submits one array for each rung and the table, and its tasks do the work
expect 0 "array.sh: 4 runs, 3 rungs" "$AGON" sweep halving.yaml --folder "an array" --slurm array.sh
bash -n array.sh
if command -v shellcheck > /dev/null; then shellcheck -S warning array.sh; fi
mkdir -p bin
cat > bin/sbatch <<'S'
#!/usr/bin/env bash
# in place of Slurm's: runs each task at once
echo "$*" >> "$SUBMITTED"
array=0-0
for word in "$@"; do
  case $word in --array=*) array=${word#--array=} ;; --export=*) export "${word##*,}" ;; esac
done
array=${array%%%*}
[ "$AGON_SWEEP_RUNG" = table ] && { bash "${@: -1}"; exit; }
for task in $(seq "${array%-*}" "${array#*-}"); do
  SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task bash "${@: -1}" >> "$SUBMITTED.out" 2>&1 || echo "task $task: $?" >> "$SUBMITTED.out"
done
echo 7
S
chmod +x bin/sbatch
SUBMITTED=$work/submitted PATH=$work/bin:$PATH bash array.sh --time=01:00:00 > array.txt || { cat array.txt submitted.out; fail "the array"; }
grep -q "4 runs: 1 done, 3 dropped, 0 failed, 0 open" array.txt || { cat array.txt submitted submitted.out; fail "the array's table"; }
state "an array" 4 1 3
[ "$(grep -c -- '--array=0-3%2' submitted)" = 3 ] || fail "three rungs of four tasks, two at once"
[ "$(grep -c -- '--dependency=afterany:7' submitted)" = 3 ] || fail "one after another"
same "an array/runs/$name" "halving/runs/$name"
expect 2 "there is no task 4: the sweep has 4 runs" "$AGON" sweep halving.yaml --folder "an array" --task 4
rm "an array"/results/c01-s1.json
expect 3 "rung 1 cannot begin" "$AGON" sweep halving.yaml --folder "an array" --task 0 --rung 1
# --- several ranks; one team; NashConv, where less is better; Elo
expect 0 "2 done" "$AGON" sweep broken.yaml --folder ranks sweep.ranks=2 sweep.jobs=1 score.by=nashconv
grep -q "NashConv of main_0 (less is better)" out.txt || fail "by NashConv"
$python -c 'import json; m=[c["mean"] for c in json.load(open("ranks/sweep.json"))["configurations"]]; assert m == sorted(m) and m[0] > 0, m'
grep -q '"actors": 1' ranks/runs/c01-s1/status.json
grep -q "2 ranks" ranks/runs/c01-s1/log.txt || fail "not on two ranks"
expect 0 "2 done" "$AGON" sweep broken.yaml score.by=elo
cat > team.yaml <<'Y'
sweep: {base: two_step, folder: team}
set: {frames: 20k}
score: {games: 40}
Y
expect 0 "return of main_0, 40 episodes" "$AGON" sweep team.yaml
# --- a name that is no UTF-8 goes into the JSON, too
cp base.yaml $'b\xe9.yaml'
printf 'sweep: {folder: latin}\nset: {frames: 10k}\nscore: {games: 20}\n' > latin.yaml
expect 0 "1 done" "$AGON" sweep latin.yaml sweep.base=$'b\xe9.yaml'
$python -c 'import json; assert json.load(open("latin/sweep.json"))["base"] == "b?.yaml"'
# --- bad input: one clear error each, with its place, before anything runs
bad() { local pattern=$1; printf '%s\n' "${@:2}" > bad.yaml; expect 2 "$pattern" "$AGON" sweep bad.yaml; [ ! -e sweeps/bad ] || fail "a folder of nothing"; }
good='sweep: {base: base.yaml}'
bad "bad.yaml:1:.*unknown key.*sweep.seed" 'sweep: {base: base.yaml, seed: 3}'
bad "bad.yaml:2:.*'frames' is no section of a sweep" "$good" 'frames: 3'
bad "bad.yaml:2:.*learner.rate: the list is empty" "$good" 'grid: {learner.rate: []}'
bad "bad.yaml:2:.*a list of values is needed" "$good" 'grid: {learner.rate: 3}'
bad "bad.yaml:2:.*'0.1' is listed twice" "$good" 'grid: {learner.rate: [0.1, 0.1]}'
bad "bad.yaml:2:.*grid is empty" "$good" 'grid:'
bad "learner.rte=1: .*did you mean 'learner.rate'" "$good" 'grid: {learner.rte: [1]}'
bad "configuration learner.rate=x" "$good" 'grid: {learner.rate: [0.1, x]}'
bad "bad.yaml:2:.*how is it drawn" "$good" 'random: {learner.rate: {gauss: [1, 2]}}'
bad "how many configurations are to be drawn" "$good" 'random: {learner.rate: {log: [1e-4, 1e-2]}}'
bad "logarithmic scale, it must be above 0" 'sweep: {base: base.yaml, samples: 2}' 'random: {learner.rate: {log: [0, 1]}}'
bad "two numbers are needed" 'sweep: {base: base.yaml, samples: 2}' 'random: {learner.rate: {log: [1, 0.5]}}'
bad "whole numbers are drawn" 'sweep: {base: base.yaml, samples: 2}' 'random: {ppo.epochs: {int: [1.5, 4]}}'
bad "sweep.samples, but nothing is drawn" 'sweep: {base: base.yaml, samples: 2}'
bad "learner.rate is in two sections" "$good" 'set: {learner.rate: 1}' 'grid: {learner.rate: [1, 2]}'
bad "seed is not set here: sweep.seeds" "$good" 'set: {seed: 3}'
bad "sweep.base is needed" 'sweep: {seeds: 3}'
bad "sweep.seeds: 'one' is no list" 'sweep: {base: base.yaml, seeds: one}'
bad "the range 5-2 is empty" 'sweep: {base: base.yaml, seeds: 5-2}'
bad "2 is there twice" 'sweep: {base: base.yaml, seeds: [1-3, 2]}'
bad "halving.first=20000000 leaves nothing to halve" "$good" 'halving: {first: 20M}'
bad "one team plays" 'sweep: {base: two_step}' 'score: {by: match}'
bad "nosuch" 'sweep: {base: nosuch}'
expect 2 "cannot read the sweep's file" "$AGON" sweep none.yaml
expect 2 "which sweep" "$AGON" sweep
expect 2 "started without mpirun" mpirun --oversubscribe --bind-to none -n 1 "$AGON" sweep grid.yaml
expect 3 "holds no sweep yet" "$AGON" sweep grid.yaml --folder none --status
expect 0 "halving.factor" "$AGON" sweep --keys
for f in "$root"/deploy/sweeps/*.yaml; do expect 0 "runs, . rung" "$AGON" sweep "$f" --folder shipped-"$(basename "$f" .yaml)" --slurm shipped.sh; done
echo passed
