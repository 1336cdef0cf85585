#!/usr/bin/env bash
# Mean fields and commanders: leagues and teams by several algorithms train with them, are stopped, go on to the same bytes, and are
# judged and looked at.
. "$(dirname "$0")/common.sh"
run() { # NAME RANKS KEY=VALUE...: trained whole, and again from its first checkpoint
  local name=$1 n=$2; shift 2
  mpi "$n" "$AGON" train skirmish frames=20k seed=3 pace=lockstep 'net.hidden=[16]' actors.slots=16 actors.lanes=4 actors.unroll=8 \
    checkpoint.keep=1000 metrics.evaluation_episodes=0 --quiet --run-dir "$name" "$@" || fail "$name"
  cp -r "$name" "$name.again"
  ls "$name.again"/checkpoints/*.h5 | tail -n +2 | xargs rm
  mpi "$n" "$AGON" train --resume "$name.again" --quiet || fail "$name: resume"
  same "$name" "$name.again" players/main_0/policy
}
run league 2 env.units=3 env.mean_action=2 checkpoint.ticks=10 league.end_games=2
run commander 2 env.units=3 env.commander=4 env.orders=3 net.sharing=kind net.memory=gru net.memory_size=8 checkpoint.ticks=10 league.end_games=2
run team 2 env.units=3 env.enemy=scripted env.commander=2 env.mean_action=1 learner.algorithm=mappo net.sharing=kind checkpoint.ticks=10
run values 1 env.units=3 env.enemy=scripted env.mean_action=1 learner.algorithm=qmix replay.warmup=8 checkpoint.ticks=40
# more agents, the same network: what is seen of others' actions does not grow
"$AGON" eval league --players main_0,random --games 20 > eval.txt || fail "eval"
"$AGON" report commander > /dev/null || fail "report"
grep -q "orders:" commander/report.html || fail "the report's episode does not show orders"
"$AGON" play team --seat none --seed 1 < /dev/null > play.txt || fail "play"
grep -q "orders: [0-2]" play.txt || { cat play.txt; fail "play does not show orders"; }
expect 2 "differs|may not change|other options" "$AGON" train --resume league env.mean_action=1 frames=50k
expect 2 "env.commander: agents of tic_tac_toe see planes of 3 x 3" "$AGON" train tic_tac_toe env.commander=3 --run-dir bad
expect 0 "env.mean_action +0 +any game:" "$AGON" env info skirmish
echo "wrap: all passed"
