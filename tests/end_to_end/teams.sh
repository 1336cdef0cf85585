#!/usr/bin/env bash
# Agents of a team that share what learns: what they can do together, on several ranks, stopped and gone on with.
. "$(dirname "$0")/common.sh"
export AGON_PLUGINS=$PLUGINS/libplugin_apart.so
train() { # RANKS FOLDER KEY=VALUE...
  local n=$1 run=$2; shift 2
  mpi "$n" "$AGON" train "$PLUGINS/libplugin_apart.so" --run-dir "$run" --quiet pace=lockstep actors.slots=16 actors.lanes=8 \
    actors.unroll=16 'net.hidden=[16]' learner.rate=3e-3 learner.rate_end=3e-3 frames=60k "$@" || fail "$run"
}
# mean return of a run's main (2 at best, 1 by chance), and that it is between two numbers
returns() { # FOLDER LOW HIGH
  "$AGON" eval "$1" --players main_0 --games 400 --json > eval.json || fail "eval of $1"
  $python - "$@" << 'P'
import json, sys
run, low, high = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
mean = json.load(open("eval.json"))["players"][0]["mean_return"]
assert low <= mean <= high, f"{run}: mean return {mean}, expected {low} to {high}"
P
}
# who see the same do the same, and half of the pay is what chance gives; told apart, they get all
train 1 same
returns same 0 1.15
train 1 agent net.agent_id=agent
returns agent 1.9 2
train 2 kind net.agent_id=kind net.memory=gru net.memory_size=8 net.normalise_observations=true
returns kind 1.9 2
# or with weights of their own
train 1 kinds net.sharing=kind
returns kinds 1.9 2
train 2 places net.sharing=none net.memory=gru net.memory_size=8 net.normalise_observations=true net.normalise_returns=true
returns places 1.9 2
$python - "$(ls kinds/checkpoints/*.h5 | tail -1)" << 'P'
import sys, h5py
file = h5py.File(sys.argv[1])
names = [name.decode().rstrip("\0") for name in file["layers/name"][:]]
half = len(names) // 2
assert names[half:] == ["1/" + name for name in names[:half]], names
offset, shape, policy = file["layers/offset"][:], file["layers/shape"][:], file["players/main_0/policy"][:]
weights = [policy[int(offset[i]):int(offset[i]) + int(shape[i][0] * max(1, shape[i][1]))] for i in (0, half)]
assert (weights[0] != weights[1]).any() and all((w != 0).any() for w in weights)
P
# who sees nothing is told what it did last: all of 9 instead of the 4.5 of chance, from its own rows, a team's, and kept ones
export AGON_PLUGINS=$PLUGINS/libplugin_change.so
for how in ppo.rows=agent ppo.rows=team learner.algorithm=vdn "net.memory=lstm net.memory_size=8"; do
  # shellcheck disable=SC2086
  mpi 2 "$AGON" train "$PLUGINS/libplugin_change.so" --run-dir "change ${how%% *}" --quiet pace=lockstep actors.slots=16 \
    actors.lanes=8 actors.unroll=7 'net.hidden=[16]' learner.rate=3e-3 learner.rate_end=3e-3 frames=40k net.last_action=true $how \
    || fail "$how"
  returns "change ${how%% *}" 8.5 9
done
mpi 1 "$AGON" train "$PLUGINS/libplugin_change.so" --run-dir untold --quiet actors.slots=16 actors.lanes=8 'net.hidden=[16]' \
  learner.rate=3e-3 learner.rate_end=3e-3 frames=40k
returns untold 0 6
# a query, too: behind each line the best is what was not done last
"$AGON" query "change ppo.rows=agent" --json > said.json << 'LINES' || fail "query"
0
1
0 0
0 1
1 0 0 1
LINES
$python - << 'P'
import json
best = [json.loads(line)["agents"][0]["best"] for line in open("said.json")]
assert best == ["1", "0", "1", "0", "0"], best
P
mpi 1 "$AGON" train --resume "change ppo.rows=agent" net.last_action=false frames=50k --quiet 2> refused \
  && fail "last actions came and went"
grep -q net.last_action refused || fail "$(cat refused)"
export AGON_PLUGINS=$PLUGINS/libplugin_apart.so
# a speaker and a listener, who see and do different things (600 k frames: -14.9; by chance -37)
mpi 2 "$AGON" train simple_speaker_listener --run-dir speaker --quiet pace=lockstep actors.slots=16 actors.lanes=8 actors.unroll=25 \
  'net.hidden=[64]' net.sharing=kind net.normalise_observations=true net.normalise_returns=true learner.rate=2e-3 \
  learner.rate_end=5e-4 learner.gamma=0.95 frames=500k || fail "simple_speaker_listener"
returns speaker -22 -8
# from a checkpoint half way it comes to the same
last() { ls "$1"/checkpoints/*.h5 | tail -1; }
train 1 again net.agent_id=agent checkpoint.ticks=20 checkpoint.keep=1000
cp "$(last again)" whole.h5
ls again/checkpoints/*.h5 | tail -n +3 | xargs rm
train 1 again net.agent_id=agent --resume must
$python - whole.h5 "$(last again)" << 'P'
import sys, h5py
whole, again = (h5py.File(path)["players/main_0/policy"][:].tobytes() for path in sys.argv[1:])
assert whole == again, "a run that was gone on with went another way"
P
