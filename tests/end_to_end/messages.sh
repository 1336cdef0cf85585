#!/usr/bin/env bash
# Agents that tell one another something: what they can do by it, with each kind of messages; asked and played against outside of
# training; on two learner ranks as on one; and who refuses.
. "$(dirname "$0")/common.sh"
export AGON_PLUGINS=$PLUGINS/libplugin_tell.so
keys="pace=lockstep actors.slots=16 actors.lanes=8 actors.unroll=8 net.hidden=[16] net.messages.width=4 learner.rate=5e-3
  learner.rate_end=2e-3 frames=60k metrics.evaluation_episodes=0"
kept="replay.size=128 replay.batch=16 replay.warmup=16 replay.ratio=2"
train() { # RANKS FOLDER KEY=VALUE...
  local n=$1 run=$2; shift 2
  mpi "$n" "$AGON" train "$PLUGINS/libplugin_tell.so" --run-dir "$run" --quiet $keys "$@" || fail "$run"
}
# mean return of a run's main (8 at best, 4 by chance), greedy, and that it is between two numbers
returns() { # FOLDER LOW HIGH FLAG...
  "$AGON" eval "$1" --players main_0 --games 400 --json "${@:4}" > eval.json || fail "eval of $1"
  $python - "$@" << 'P'
import json, sys
run, low, high = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
mean = json.load(open("eval.json"))["players"][0]["mean_return"]
assert low <= mean <= high, f"{run}: mean return {mean}, expected {low} to {high}"
P
}
# messages that the team heard in a step, at the end of a run
heard() { # FOLDER LOW HIGH
  $python - "$@" << 'P'
import json, sys
run, low, high = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
heard = [record["main_0/messages"] for record in map(json.loads, open(run + "/metrics.jsonl")) if "main_0/messages" in record]
assert heard and low <= heard[-1] <= high, f"{run}: {heard[-1:]} messages, expected {low} to {high}"
P
}
train 1 silent ppo.rows=team
returns silent 3 5
train 1 mean ppo.rows=team net.messages.kind=mean
returns mean 7.8 8
heard mean 4 4 # of three, then of two: half of 6 and half of 2
# and is lost without being told
returns mean 2 5 --silent
expect 2 "no player here tells another anything" "$AGON" eval silent --silent
# who hears the nearest two of two hears all: the same run, to the last bit
train 1 all ppo.rows=team net.messages.kind=nearest net.messages.nearest=2
$python - mean all << 'P'
import glob, sys, h5py
mean, all_ = (h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1])["players/main_0/policy"][:].tobytes() for run in sys.argv[1:])
assert mean == all_, "the nearest two of two are not all"
P
train 2 nearest learner.algorithm=mappo net.messages.kind=nearest net.messages.nearest=1 net.memory=gru net.memory_size=8
returns nearest 7.8 8
heard nearest 2.5 2.5
train 2 attention ppo.rows=team net.messages.kind=attention net.messages.top=1 net.messages.rounds=2
returns attention 7.8 8
heard attention 5 5
# who must have chosen to speak has not done so as an episode begins
train 1 gated learner.algorithm=mappo net.messages.kind=gated
returns gated 7.2 7.8
train 1 values learner.algorithm=vdn net.messages.kind=mean $kept vdn.epsilon_frames=20k
returns values 7.5 8
# where each message costs more than it brings, nobody speaks
train 1 dear learner.algorithm=mappo net.messages.kind=gated net.messages.cost=1
returns dear 3 5
heard dear 0 0.5
# asked about a position all of the team are heard: what the first one sees, the others do
for run in mean attention nearest; do
  printf '\n0 0 0\n0 0 0 1 1 1\n1 0 1 1 1 1 0 0 0\n' | "$AGON" query "$run" --json > said.json || fail "query"
  $python - "$run" << 'P'
import json, sys
for line in open("said.json"):
    best = [agent["best"] for agent in json.loads(line)["agents"]]
    assert len(best) == 3 and best[1] == best[2], (sys.argv[1], best)
P
done
# who learns alone cannot be told anything
expect 2 "net.messages.kind mean .*learn from whole teams" "$AGON" train "$PLUGINS/libplugin_tell.so" net.messages.kind=mean
expect 2 "net.sharing none .*do not" "$AGON" train "$PLUGINS/libplugin_tell.so" ppo.rows=team net.messages.kind=mean net.sharing=none
expect 2 "net.messages.kind nearest needs to know where agents are" "$AGON" train goofspiel ppo.rows=team net.messages.kind=nearest
expect 2 "net.messages.kind is mean in mean" "$AGON" train --resume mean frames=90k net.messages.kind=none
echo "ok"
