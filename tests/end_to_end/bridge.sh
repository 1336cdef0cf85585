#!/usr/bin/env bash
# Environments of Python: checked, trained, killed and gone on with byte for byte, wrong in every way; then those of the
# libraries, where a Python with them is at hand (AGON_TEST_PYTHON) or can be made.
. "$(dirname "$0")/common.sh"
export AGON_PYTHON=$python PYTHONPATH=$root/tests/plugin/python
unset VIRTUAL_ENV
"$python" -c "import numpy" || fail "the tests need numpy, as h5py does"
lamps=python:lamps:Lamps
export AGON
cat > check <<S
#!/bin/sh
exec "$AGON" env check "\$@" --episodes 8
S
chmod +x check

# soon COMMAND...: within two minutes it succeeds
soon() {
  for i in $(seq 1200); do "$@" > /dev/null 2>&1 && return; sleep 0.1; done
  fail "not in two minutes: $*"
}

# --- an environment of one's own ---
expect 0 "all passed" ./check $lamps
expect 0 "all passed" ./check $lamps kwargs=actions=heads,steps=5
expect 0 "all passed" ./check $lamps kwargs='{"actions": "box", "wrong": "cut"}'
expect 0 "observation  *11 x 1 x 1 f32" "$AGON" env info $lamps
expect 0 "all passed" ./check $lamps kwargs=wrong=global # it draws from the one generator of the process
expect 0 "all passed" ./check $lamps kwargs=wrong=bounds bounds=free
expect 0 "at most 7 steps" "$AGON" env info $lamps steps=7
expect 0 "all passed" ./check $lamps steps=7

expect 0 "all passed" ./check python:guards:Walls
expect 0 "all passed" ./check python:guards:Walls env.teams=name steps=4
expect 0 "all passed" ./check python:guards:Nim
expect 0 "3 in one team: guard_0, guard_1, scout_0" "$AGON" env info python:guards:Walls
expect 0 "kind  *scout, 1 agents" "$AGON" env info python:guards:Walls
expect 0 "3 in 2 teams" "$AGON" env info python:guards:Walls teams=name
expect 0 "3 in 3 teams" "$AGON" env info python:guards:Walls kwargs=rivals=true # their rewards cancel
expect 0 "3 in 3 teams" "$AGON" env info python:guards:Nim

# --- what may be wrong, and one sentence of what to do ---
expect 2 "RuntimeError: the lamps cannot be made" "$AGON" env info $lamps kwargs=wrong=made
expect 2 "has no 'Lanterns'" "$AGON" env info python:lamps:Lanterns
expect 2 "names no factory: python:MODULE:FACTORY" "$AGON" env info python:lamps
expect 2 "finds no module 'lanterns', in this folder or in PYTHONPATH" "$AGON" env info python:lanterns:Lanterns
expect 2 "of which environment\?" "$AGON" env info gymnasium:
expect 2 "cannot start /no/python: No such file.*AGON_PYTHON=" env AGON_PYTHON=/no/python "$AGON" env info $lamps
expect 2 "'twelve' is not NAME=VALUE" "$AGON" env info $lamps kwargs=twelve
expect 2 "actions of space Text .*can be played" "$AGON" env info $lamps kwargs=actions=text
expect 2 "an action space without bounds" "$AGON" env info $lamps kwargs=actions=free
expect 2 "played twice, differ after .*env.exact=false trains it" "$AGON" env info $lamps kwargs=wrong=ghost
expect 2 "name of more than 63 characters.*env.kwargs" "$AGON" env info gymnasium:$(printf 'x%.0s' $(seq 70))
expect 7 "element \[1\] of an observation is 1.5, its space says .*env.bounds=free" ./check $lamps kwargs=wrong=bounds,at=30,steps=40
expect 2 "scout_0 has no action_mask" "$AGON" env info python:guards:Walls kwargs=hide=mask
expect 2 "every agent once, teams parted by '/'; the agents are guard_0" "$AGON" env info python:guards:Walls teams=guard_0/guard_1
"$python" "$root/tests/end_to_end/bridge_spaces.py" "$root/deploy/python/bridge" "$root/tests/plugin/python" || fail "what is wrong is not said"
expect 2 "lamp [1-5] cannot be named .*gives no action_mask, so that all actions count as legal" "$AGON" env info $lamps kwargs=wrong=unmasked
expect 2 "action_mask appears after the first move" "$AGON" env info $lamps kwargs=wrong=late
expect 2 "true ended by itself, exit code 0, before it had made the environment; AGON_PYTHON" env AGON_PYTHON=/bin/true "$AGON" env info $lamps
printf '#!/bin/sh\nexec %s -S "$@"\n' "$python" > bare && chmod +x bare # without anything that was installed
expect 2 "has no package 'numpy'" env AGON_PYTHON=./bare "$AGON" env info $lamps
# on many ranks it is said once, and none waits for another
expect 2 "has no package 'numpy'" env AGON_PYTHON=./bare mpirun --oversubscribe --bind-to none -n 3 "$AGON" train $lamps --run-dir none
[ "$(grep -c "has no package 'numpy'" out.txt)" = 1 ] || fail "one error is said more than once"
if ! "$python" -c "import gymnasium" 2> /dev/null; then
  expect 2 "has no package 'gymnasium': .*pip install gymnasium, or name the Python that has it" "$AGON" env info gymnasium:CartPole-v1
fi
small="net.hidden=[16] actors.slots=16 actors.lanes=4 actors.unroll=8 metrics.evaluation_episodes=4 league.main_snapshot_max=2k league.main_snapshot_min=2k"
# whatever rank it happens on, the job ends, with the traceback, the seed and the line of play once
expect 7 "rank [0-9] ends the job: env $lamps failed in step, slot [0-9]+, episode [0-9]+, step 29: RuntimeError: the lamps went out \(lamps.py:[0-9]+; seed [0-9]+; the traceback is above\)" \
  mpirun --oversubscribe --bind-to none -n 3 "$AGON" train $lamps env.kwargs=wrong=raise,at=30,steps=40 $small frames=100k --run-dir raise --quiet
grep -q "line of play: [0-4 ]*$" out.txt || fail "no line of play"
[ "$(grep -c '^Traceback' out.txt)" -le 3 ] || fail "more tracebacks than ranks"
# heir: it leaves a child behind that holds all that it had open
for how in heir:"exit code 9" signal:"signal 9 .Killed."; do
  expect 7 "step 29: the Python process .*${how#*:}, at seed [0-9]+, move 30" mpirun --oversubscribe --bind-to none -n 2 "$AGON" train $lamps env.kwargs=wrong=${how%%:*},at=30,steps=40 $small frames=100k \
    --run-dir "${how%%:*}" --quiet
done
# what critics see is asked for by who cannot be told that there is nothing: zeros are not learned from
expect 7 "guards:Walls failed in what is seen: RuntimeError: the map is lost .guards.py:" "$AGON" train python:guards:Walls env.kwargs=hide=state \
  learner.algorithm=mappo $small frames=1k --run-dir state --quiet
# what it prints is no answer, and no output
"$AGON" env info $lamps kwargs=wrong=print,at=3 > printed.txt 2> rubbish.txt
grep -q "rubbish" rubbish.txt || fail "what an environment prints is lost"
! grep -q "rubbish" printed.txt || fail "what an environment prints stands between what agon prints"

# --- one that does not answer ---
expect 7 "failed in step, slot 0, episode 0, step 29: the environment has not answered for [0-9]+ s \(env.patience\), at seed [0-9]+, move 30" \
  mpirun --oversubscribe --bind-to none -n 2 "$AGON" train $lamps env.kwargs=wrong=hang,at=30,steps=40 env.patience=3 $small frames=100k --run-dir hang --quiet
grep -q 'lamps.py", line [0-9]* in step' out.txt || fail "it is not said where it hangs"
# it is asked to stop, which it cannot: a tenth of its patience is waited, at least two seconds, also in the first tick
setsid mpirun --oversubscribe --bind-to none -n 2 "$AGON" train $lamps env.kwargs=wrong=hang,at=30,steps=40 env.patience=30 $small actors.unroll=40 \
  frames=100k --run-dir stop --quiet > stop.txt 2>&1 &
job=$! got=0
soon "$AGON" stop stop
wait $job || got=$?
[ "$got" = 7 ] || { cat stop.txt; fail "exit code $got of a job that hangs and is asked to stop"; }
grep -q "a stop was asked for, and the environment has not answered" stop.txt || { cat stop.txt; fail "it does not say that it hangs"; }
# and one that answers saves and ends: the signal goes to all processes of a rank
setsid mpirun --oversubscribe --bind-to none -n 2 "$AGON" train $lamps $small frames=100M --run-dir peace --quiet > stop.txt 2>&1 &
job=$!
soon test -e peace/status.json
kill -USR1 $job
wait $job || { cat stop.txt; fail "SIGUSR1 does not end a job in peace"; }

# --- training, and a resume that is byte for byte a run without a stop ---
lockstep="$lamps $small pace=lockstep checkpoint.ticks=4 frames=8k"
mpi 3 "$AGON" train $lockstep --run-dir whole --quiet
kill_in_the_middle killed $lockstep
mpi 3 "$AGON" train $lockstep --run-dir killed --resume must --quiet
same whole killed
# by name: nothing of a stored run runs a module that nobody has named
expect 2 "names python:lamps:Lamps, whose code would run.*AGON_PLUGINS=python:lamps:Lamps" "$AGON" eval whole --games 4
expect 0 "main_0" env AGON_PLUGINS=./other.so:python:lamps:Lamps "$AGON" eval whole --games 4
expect 0 "main_0" "$AGON" league show whole
# how it is run is no part of what is played
mpi 2 "$AGON" train $lamps --run-dir whole --resume must env.patience=20 env.bounds=free frames=9k --quiet
mpi 2 "$AGON" train $lamps env.kwargs=wrong=ghost env.exact=false $small frames=2k --run-dir ghost --quiet
mpi 2 "$AGON" train python:guards:Walls $small frames=2k --run-dir walls --quiet
mpi 2 "$AGON" train python:guards:Nim $small frames=2k --run-dir nim --quiet
AGON_PLUGINS=$lamps mpi 2 "$AGON" train ghost frames=5k > ghost.txt
grep -q "abandon" ghost.txt || fail "a resume without the unfinished episodes does not say so"

# --- the libraries themselves, with the Python of AGON_TEST_PYTHON, or one that is made here where there is a way to their packages ---
export AGON_PYTHON=${AGON_TEST_PYTHON:-}
if [ -z "$AGON_PYTHON" ]; then
  packages="gymnasium pettingzoo mpe2 open_spiel"
  if python3 -m venv venv > /dev/null 2>&1 && timeout 100 venv/bin/pip install --quiet --no-input --retries 0 $packages > pip.txt 2>&1; then
    AGON_PYTHON=$PWD/venv/bin/python
  else
    echo "skipped: no Python with $packages: name one, AGON_TEST_PYTHON=/path/to/python"
    exit 0
  fi
fi
for env in gymnasium:CartPole-v1 gymnasium:FrozenLake-v1 openspiel:kuhn_poker openspiel:goofspiel pettingzoo:mpe2.simple_tag_v3 pettingzoo:classic.rps_v2; do
  expect 0 "all passed" "$AGON" env check $env --episodes 2
done
expect 0 "all passed" "$AGON" env check openspiel:backgammon chance=drawn --episodes 1
expect 2 "Did you mean" "$AGON" env info gymnasium:CartPol-v1
expect 2 "no game 'leduc_pokre', did you mean 'leduc_poker'\?" "$AGON" env info openspiel:leduc_pokre
expect 2 "is a mean field game" "$AGON" env info openspiel:mfg_crowd_modelling
"$AGON" exploit --env openspiel:kuhn_poker --json > kuhn.json
$python -c "import json; assert abs(json.load(open('kuhn.json'))['nash_conv'] - 11 / 12) < 1e-8" || fail "the NashConv of uniform play in Kuhn poker is 11/12"
mpi 2 "$AGON" train openspiel:kuhn_poker $small frames=4k --run-dir kuhn --quiet
expect 0 "main_0" "$AGON" eval kuhn --players main_0,random --games 20
