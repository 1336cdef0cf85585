#!/usr/bin/env bash
# Each algorithm that there is, on three ranks and in both paces that repeat: killed with -9 and gone on with, it ends with the
# bytes of the run that was not. Nets have memories; two ranks learn; those who value choices keep episodes.
. "$(dirname "$0")/common.sh"
game=simple_spread main=main_0
small="frames=24k net.hidden=[8] net.memory=gru net.memory_size=8 actors.slots=16 actors.lanes=4 actors.unroll=10 learner.ranks=2
  checkpoint.ticks=4 metrics.evaluation_episodes=0 league.frame_scale=1 league.main_snapshot_min=8k league.main_snapshot_max=8k"
algorithms=$(COLUMNS=1000 "$AGON" help learner.algorithm | sed -n 's/^  value  *one of //p' | tr -d ,)
[ "$(echo "$algorithms" | wc -w)" -ge 11 ] || fail "no list of algorithms: '$algorithms'"
try() { # NAME KEYS...
  local name=$1 pace; shift
  for pace in lockstep pipelined; do
    mpi 3 "$AGON" train $game $small pace=$pace "$@" --run-dir "whole-$name" --quiet || fail "$name does not train ($pace)"
    kill_in_the_middle "broken-$name" $game $small pace=$pace "$@"
    mpi 3 "$AGON" train $game $small pace=$pace "$@" --run-dir "broken-$name" --resume must --quiet || fail "$name does not go on ($pace)"
    same "whole-$name" "broken-$name" players/$main/policy || fail "$name, killed and gone on with, differs ($pace)"
    rm -r "whole-$name" "broken-$name"
  done
}
for algorithm in $algorithms; do
  case $algorithm in
    lola) continue ;; # below: it is for games of two
    iql | vdn | *qmix | qplex | maddpg | matd3) keys="replay.size=64 replay.batch=8 replay.warmup=8 replay.ratio=2" ;;
    *) keys= ;;
  esac
  try "$algorithm" learner.algorithm="$algorithm" $keys
done
try ippo learner.algorithm=ppo ppo.rows=team
# who is told what was done last: also where a critic values, and where pieces of episodes are kept, drawn by their errors and led
# up to by the end of the piece before
try mappo-last learner.algorithm=mappo net.last_action=true
try qmix-last learner.algorithm=qmix replay.size=64 replay.batch=8 replay.warmup=8 replay.ratio=2 replay.priority=0.7 replay.importance=0.6 \
  replay.longest=20 replay.burn_in=5 net.last_action=true
# who tell one another something
try mappo-talk learner.algorithm=mappo net.messages.kind=attention net.messages.rounds=2
try ippo-talk learner.algorithm=ppo ppo.rows=team net.messages.kind=gated net.messages.cost=0.01
try qmix-talk learner.algorithm=qmix replay.size=64 replay.batch=8 replay.warmup=8 replay.ratio=2 net.messages.kind=nearest \
  net.messages.nearest=1
# actions that are numbers, and critics of all agents together
try maddpg-box learner.algorithm=maddpg env.actions=box maddpg.critic_shared=true maddpg.critic_input=state+team replay.size=64 \
  replay.batch=8 replay.warmup=8 replay.ratio=2
try matd3-box learner.algorithm=matd3 env.actions=box net.memory=none net.sharing=none replay.size=64 replay.batch=8 replay.warmup=8 \
  replay.ratio=2 replay.priority=0.7
# who goes by how the other player learns: some of the games are with its frozen past, which does not; and who meets itself
game=coin_game main=side0_main_0
try lola learner.algorithm=lola env.rounds=25 league.sides=separate league.preset=self-play league.main_rule=openai_five
main=main_0
try lola-self learner.algorithm=lola env.rounds=25 league.preset=self-play net.memory=none
echo "ok"
