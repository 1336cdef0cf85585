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
assert {line["main_0/epsilon"] for line in lines if "main_0/epsilon" in line} == {1}, "it does not explore as told"
P
# people see how much is tried by epsilon; what such an algorithm does not have is not drawn as 0
"$AGON" report qmix > /dev/null
expect 0 "^main_0 epsilon +1 " "$AGON" watch qmix --times 1
grep -qE "^main_0 (entropy|KL)" out.txt && fail "watch shows the entropy of who has no policy"
$python - << 'P'
import re
titles = re.findall(r"<figcaption>(.*?)</figcaption>", re.search(r"<section id=learning>.*?</section>", open("qmix/report.html").read(), re.S).group(0))
assert "epsilon: share of choices at random" in titles and "value loss" in titles, titles
assert not [t for t in titles if "entropy" in t or "policy loss" in t or t.startswith("KL ")], titles
P
# two teams against each other: one mixer values both sides' states, each through columns of its own. Either side beats random
# play and holds its own against the rule-based player, who beats random play always; what a side is worth goes up and down
mpi 1 "$AGON" train skirmish env.units=2 env.width=7 env.height=5 env.limit=30 learner.algorithm=qmix qmix.team_reward=mean \
  qmix.epsilon_frames=100k qmix.tau=0.02 qmix.lambda=0.6 'net.hidden=[64]' net.activation=relu learner.gamma=0.95 \
  learner.rate=0.001 learner.rate_end=0.0003 learner.clip_norm=10 actors.slots=32 actors.lanes=8 actors.unroll=15 replay.ratio=4 \
  frames=250k pace=lockstep --run-dir sides --quiet || fail "two teams"
"$AGON" eval sides --players main_0,random,scripted --games 200 --greedy --json > eval.json || fail "eval of two teams"
$python - << 'P'
import json
for pair in json.load(open("eval.json"))["pairs"]:
    if pair["a"] != "main_0": continue
    for number, seat in enumerate(pair["seats"]):
        least = .85 if pair["b"] == "random" else .2
        assert seat["score"] >= least, (pair["b"], number, seat["score"])
P
expect 2 "learner.algorithm: qmix is for choices among actions" "$AGON" train simple_spread env.actions=box learner.algorithm=qmix
expect 0 "epsilon_frames" "$AGON" help qmix
expect 0 "used in learner/algos/q.c;" "$AGON" help qmix
# drawn by errors it comes to the same return, and says how far it goes
expect 0 "saved" "$AGON" train "$game" $short replay.priority=0.6 --run-dir preferred
earns preferred 8
$python - << 'P'
import json
lines = [json.loads(line) for line in open("preferred/metrics.jsonl")]
spread, beta = ([line[key] for line in lines if key in line] for key in ("main_0/priority_spread", "main_0/importance"))
assert spread and min(spread) >= 1, spread
assert beta and all(.4 <= value <= 1 for value in beta), beta
P
expect 2 "replay.priority" "$AGON" train "$game" replay.priority=1.5
# what leads memories up does nothing where no layer has one, even if what was done last is kept; and that is said. What only
# weighs in with priorities is said to be without effect where there are none. With a memory it does something
piece="simple_spread frames=6k learner.algorithm=iql net.hidden=[8] net.memory_size=8 net.last_action=true actors.slots=16 actors.lanes=4
  actors.unroll=5 replay.size=64 replay.warmup=8 replay.batch=8 replay.longest=10 pace=lockstep metrics.evaluation_episodes=0"
for memory in none gru; do
  "$AGON" train $piece net.memory=$memory --run-dir $memory-0 > banner.txt
  grep -q "without effect" banner.txt && fail "what has its default is said to be without effect: $(cat banner.txt)"
  "$AGON" train $piece net.memory=$memory replay.burn_in=5 replay.importance=0.7 --run-dir $memory-5 > banner.txt
  grep -q "replay.importance 0.7 is without effect: .*(replay.priority 0)" banner.txt || fail "$(cat banner.txt)"
  # players' files have their hashes in their names
  [ "$(ls $memory-0/players)" = "$(ls $memory-5/players)" ] && got=same || got=different
  case $memory-$got in
    none-same) grep -q "replay.burn_in 5 is without effect: .*(net.memory none)" banner.txt || fail "$(cat banner.txt)" ;;
    gru-different) grep -q "burn_in" banner.txt && fail "$(cat banner.txt)" ;;
    *) fail "net.memory=$memory: burning in makes it $got" ;;
  esac
done
# from a checkpoint half way it comes to the same, to the last bit of mixers and targets
last() { ls "$1"/checkpoints/*.h5 | tail -1; }
again="frames=12k actors.slots=16 actors.unroll=8 checkpoint.ticks=10 pace=lockstep checkpoint.keep=1000 learner.algorithm=wqmix wqmix.team_reward=mean"
mpi 2 "$AGON" train "$game" $again 'wqmix.free_hidden=[32]' wqmix.target_every=7 --run-dir again --quiet || fail "again"
cp "$(last again)" whole.h5
ls again/checkpoints/*.h5 | tail -n +3 | xargs rm
mpi 2 "$AGON" train "$game" $again 'wqmix.free_hidden=[32]' wqmix.target_every=7 --run-dir again --resume must --quiet || fail "resumed"
$python - whole.h5 "$(last again)" << 'P'
import sys, h5py
whole, again = (h5py.File(path)["players/main_0"] for path in sys.argv[1:])
names = [name for name in whole if isinstance(whole[name], h5py.Dataset)]
assert {"policy", "target", "star", "star_m", "star_mixer", "mixer", "mixer_v", "mixer_target"} <= set(names), names
for name in names:
    assert whole[name][()].tobytes() == again[name][()].tobytes(), f"{name}: a run that was gone on with went another way"
P
