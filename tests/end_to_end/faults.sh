#!/usr/bin/env bash
# Games that break their promises, and files that do: caught where it is, named, and nothing of it saved.
. "$(dirname "$0")/common.sh"
faulty=${PLUGINS:?}/libplugin_faulty.so
tiny="net.hidden=[8] net.normalise_observations=true frames=20k actors.slots=64 actors.lanes=8 --quiet"
expect 0 "all passed" "$AGON" env check "$faulty"
# what a game hands out: whose it is, in which game, at which step
faulty() {
  local fault=$1 code=$2 says=$3; shift 3
  expect "$code" "$says" "$AGON" train "$faulty" env.fault="$fault" $tiny --run-dir "$fault" "$@"
  if [ -n "$(ls "$fault/checkpoints" 2> /dev/null)" ]; then fail "$fault: a checkpoint was written"; fi
}
at="slot [0-9]+, episode [0-9]+, step [0-9]+"
faulty nan_seen 7 "env faulty: an observation is not finite: element 1 of agent [01] is -?nan in $at"
faulty nan_reward 7 "env faulty: $at: the reward of agent 1 is no number"
faulty nan_at_reset 7 "env faulty: slot [0-9]+, episode [0-9]+, step 0: the reward of agent 1 is no number"
faulty large_reward 7 "env faulty: $at: the reward of agent 1 is 1e\+30, more than a thousand times .*reward_low -4, reward_high 4"
faulty outcome 7 "env faulty: $at: outcomes 7, -6 ... of the teams: each must lie in 0 .. 1"
faulty metric 7 "env faulty: $at: one of its metrics is not finite"
# observations whose squares are no floats: the job ends, or the normaliser is kept from them and the run goes on
faulty large_seen 1 "player [0-9]+: its observations are too large to be normalised, after [0-9]+ updates \(seed 1\)"
"$AGON" train "$faulty" env.fault=large_seen $tiny learner.on_nan=skip --run-dir skipped 2> skipped.txt
grep -q "warning: main_0: steps of tick [0-9]* were passed over, .*main_0/skipped in the metrics counts them" skipped.txt || { cat skipped.txt; fail "nobody is told"; }
grep -q '"main_0/skipped"' skipped/metrics.jsonl || fail "metrics do not count what was passed over"
expect 0 "is whole" "$AGON" checkpoint verify skipped
# a game that dies says where, on whichever rank, before MPI says that it has died; and it does so again
dies() {
  local fault=$1 code=$2 says=$3; shift 3
  rm -rf "$fault"
  expect "$code" "agon: rank [0-9] has died of $says, in step of env faulty, $at, tick [0-9]+, seed 1" \
    "$@" "$AGON" train "$faulty" env.fault="$fault" $tiny pace=lockstep --run-dir "$fault"
  grep -E "^agon: it happens again by: agon train .*libplugin_faulty.so --run-dir $fault --resume; before its first checkpoint: agon train $fault/config.yaml" out.txt ||
    { cat out.txt; fail "$fault: how to see it again is not said"; }
  grep -oE "slot [0-9]+, episode [0-9]+, step [0-9]+, tick" out.txt > first.txt
  rm -rf again
  timeout 60 "$AGON" train "$fault/config.yaml" --run-dir again --quiet > out.txt 2>&1 && fail "$fault: it does not happen again"
  grep -oE "slot [0-9]+, episode [0-9]+, step [0-9]+, tick" out.txt > second.txt
  [ -s first.txt ] && cmp -s first.txt second.txt || { cat first.txt second.txt; fail "$fault: it happens elsewhere"; }
}
dies crash 139 "SIGSEGV, a bad address" env
dies abort 134 "SIGABRT, an abort" env
dies crash 139 "SIGSEGV, a bad address" mpirun --oversubscribe --bind-to none -n 2
grep -q "seed 1; again by: agon train .*libplugin_faulty.so --run-dir outcome --resume" <("$AGON" train "$faulty" env.fault=outcome $tiny --run-dir outcome --resume 2>&1) ||
  fail "what an env breaks is not told with seed and command"
# a pipe as the newest generation is passed over, and hangs nobody
last=$(ls skipped/checkpoints | tail -1)
mkfifo skipped/checkpoints/000900.h5
expect 0 "trying the generation before it" "$AGON" train "$faulty" --run-dir skipped --resume frames=60k --quiet
AGON_PLUGINS=$faulty expect 0 "main_0" "$AGON" league show skipped
rm skipped/checkpoints/000900.h5
[ "$(ls skipped/checkpoints | tail -1)" != "$last" ] || fail "it did not go on"
# a job that holds the run and says nothing is not "running, 1793 s to go"
cat > hold.py << 'P'
import fcntl, os, subprocess, sys, time
agon, run, age = sys.argv[1], sys.argv[2], float(sys.argv[3])
lock = open(run + "/lock", "r+")
fcntl.lockf(lock, fcntl.LOCK_EX)
os.utime(run + "/status.json", (time.time() - age,) * 2)
for command in (["status", run], ["status", run, "--json"], ["watch", run, "--times", "1"]):
    print(subprocess.run([agon] + command, capture_output=True, text=True).stdout)
P
sed -i 's/"frames_target": [0-9]*/"frames_target": 9000000/' skipped/status.json
$python hold.py "$AGON" skipped 75 > silent.txt
[ "$(grep -cE "running, but no sign of life for (7[5-9]|8[0-9]) s" silent.txt)" = 2 ] || { cat silent.txt; fail "a silent job looks alive"; }
grep -qE '"silent_seconds": [78][0-9]' silent.txt || fail "status --json does not say for how long"
if grep -q "to go" silent.txt; then cat silent.txt; fail "a silent job is said to go on"; fi
$python hold.py "$AGON" skipped 5 > alive.txt
if grep -q "no sign of life" alive.txt; then cat alive.txt; fail "a job that is alive looks silent"; fi
[ "$(grep -c "to go" alive.txt)" = 2 ] || { cat alive.txt; fail "how long it takes is not said"; }
echo passed
