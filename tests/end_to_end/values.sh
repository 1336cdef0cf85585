#!/usr/bin/env bash
# Values of choices from kept experience: what a sum of them and what a mixture can say, by whole jobs; the same on several
# learner ranks; what explores and what does not; stopped and gone on with.
. "$(dirname "$0")/common.sh"
game="$root/deploy/runs/two_step_qmix.yaml"
short="frames=15k checkpoint.keep=1000"
# what the greedy policy of a run's main earns: always the same, as nothing is random
earns() { # FOLDER RETURN
  "$AGON" eval "$1" --players main_0 --greedy --games 50 --json > eval.json || fail "eval of $1"
  $python - "$@" << 'P'
import json, sys
mean = json.load(open("eval.json"))["players"][0]["mean_return"]
assert mean == float(sys.argv[2]), f"{sys.argv[1]}: earns {mean}, expected {sys.argv[2]}"
P
}
expect 0 "saved" "$AGON" train "$game" $short --run-dir qmix
earns qmix 8
expect 0 "saved" "$AGON" train "$game" $short learner.algorithm=vdn vdn.team_reward=mean vdn.epsilon_end=1 --run-dir vdn
earns vdn 7
expect 0 "saved" "$AGON" train "$game" $short learner.algorithm=iql iql.epsilon_end=1 --run-dir iql
earns iql 7
mpi 3 "$AGON" train "$game" $short learner.algorithm=qplex qplex.team_reward=mean qplex.epsilon_end=1 learner.ranks=2 pace=lockstep \
  net.memory=gru net.memory_size=16 replay.ratio=4 --run-dir qplex --quiet || fail "on three ranks"
earns qplex 8
# half of two choices in two steps are the best by chance: uniform play earns what random does, the greedy main 8
$python - << 'P'
import json
lines = [json.loads(line) for line in open("qmix/metrics.jsonl")]
trained = [line["main_0/mean_return"] for line in lines if "main_0/mean_return" in line]
assert trained and 4 < trained[-1] < 5.6, trained
assert any(line.get("main_0/replay_items", 0) > 0 for line in lines), "nothing is kept"
P
expect 2 "learner.algorithm: qmix is for choices among actions" "$AGON" train simple_spread env.actions=box learner.algorithm=qmix
expect 0 "epsilon_frames" "$AGON" help qmix
expect 0 "used in learner/algos/q.c;" "$AGON" help qmix
