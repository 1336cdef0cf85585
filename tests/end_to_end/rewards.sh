#!/usr/bin/env bash
# rewards.*: on three ranks and in both paces that repeat, rows of agents, of teams and kept episodes, runs that are killed with -9
# and gone on with end with the bytes of those that were not. What cannot be is refused in a sentence.
. "$(dirname "$0")/common.sh"
small="frames=24k net.hidden=[8] actors.slots=16 actors.lanes=4 actors.unroll=10 learner.ranks=2 checkpoint.ticks=4
  metrics.evaluation_episodes=0 league.frame_scale=1 league.main_snapshot_min=8k league.main_snapshot_max=8k"
try() { # NAME PACE GAME KEYS...
  local name=$1-$2 pace=$2 game=$3; shift 3
  mpi 3 "$AGON" train "$game" $small pace="$pace" "$@" --run-dir "whole-$name" --quiet || fail "$name does not train ($pace)"
  kill_in_the_middle "broken-$name" "$game" $small pace="$pace" "$@"
  mpi 3 "$AGON" train "$game" $small pace="$pace" "$@" --run-dir "broken-$name" --resume must --quiet || fail "$name does not go on ($pace)"
  same "whole-$name" "broken-$name" players/main_0/policy || fail "$name, killed and gone on with, differs ($pace)"
}
grid="env.size=4 env.limit=13"
try agents pipelined goal_cells $grid rewards.difference=without rewards.shaping=0.5 rewards.team=0.25
try teams lockstep goal_cells $grid rewards.difference=idle rewards.shaping=1 learner.algorithm=ppo ppo.rows=team
try kept pipelined goal_cells $grid rewards.difference=without rewards.shaping=1 learner.algorithm=iql replay.size=64 replay.batch=8 \
  replay.warmup=8 replay.ratio=2
try minding pipelined simple_tag league.preset=self-play league.end_games=0 rewards.social=inequity rewards.inequity_alpha=2
# what was learned from is not what is told: the same games (nearly nothing is learned), told alike
for keys in "" "rewards.difference=without rewards.shaping=1 rewards.team=0.5"; do
  rm -rf told; "$AGON" train goal_cells env.size=4 env.agents=2 env.limit=13 learner.rate=1e-30 learner.rate_end=1e-30 frames=2k actors.slots=64 actors.unroll=16 metrics.evaluation_episodes=0 $keys --run-dir told --quiet
  $python - >> told.txt << 'P'
import json
last = [json.loads(line) for line in open("told/metrics.jsonl")][-1]
print({key: last[key] for key in sorted(last) if "return" in key and "eval" not in key and "deviation" not in key and "value" not in key})
P
done
grep -qE "mean_return': [0-9.]*[1-9]" told.txt || { cat told.txt; fail "nobody is paid in that tick"; }
[ "$(sort -u told.txt | wc -l)" = 1 ] || { cat told.txt; fail "returns are told of what was learned from"; }
# a resume may change weights, but not whether the potential is recorded
expect 2 "with potentials \(rewards.shaping\)" "$AGON" train --resume whole-agents-pipelined learner.ranks=0 rewards.shaping=0 frames=30k
expect 2 "rewards.shaping needs a potential, and two_step declares none" "$AGON" train two_step rewards.shaping=1
expect 2 "foraging has no .remove." "$AGON" train foraging rewards.difference=without
expect 2 "two_step names none" "$AGON" train two_step rewards.difference=idle
expect 2 "cannot be copied|goes with|no .remove." "$AGON" train "$PLUGINS/libplugin_pile.so" rewards.difference=without
expect 0 "all or nothing" "$AGON" help rewards.difference
echo "ok"
