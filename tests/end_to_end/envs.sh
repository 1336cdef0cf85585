#!/usr/bin/env bash
# Environments of every make: flat, on the heap with save and load, on the heap without, made flat by their history, and
# compiled against the first header. Checked, trained, killed, resumed - the same bytes as of a run that was not killed
# wherever games can be written down -, walked where they are trees, and heard when they fail.
. "$(dirname "$0")/common.sh"
flat=${PLUGINS:?}/libplugin_coin.so heap=$PLUGINS/libplugin_pile.so unsaved=$PLUGINS/libplugin_pile_unsaved.so
history=$PLUGINS/libplugin_market.so first=$PLUGINS/libplugin_first.so
small="net.hidden=[8] actors.slots=16 actors.lanes=4 actors.lane_episodes=4 actors.unroll=4 pace=lockstep league.frame_scale=1"
tiny="actors.slots=4 actors.lanes=2 actors.lane_episodes=4 actors.unroll=3 net.hidden=[4] pace=lockstep league.frame_scale=1"
expect 0 "all passed" "$AGON" env check "$heap"
expect 0 "all passed" "$AGON" env check "$unsaved"
expect 0 "all passed" "$AGON" env check "$history" --episodes 20
expect 0 "all passed" "$AGON" env check "$history" sellers=2 prices=3 drift=none
expect 0 "all passed" "$AGON" env check "$first"
expect 7 "breaks its contract at step .*: (copies differ in status|step, on legal actions, reports failure: the market was closed)" \
  "$AGON" env check "$history" sellers=4 prices=9 broken=true
expect 0 "created, saved and loaded by the env" "$AGON" env info "$heap"
expect 0 "created by the env, not saved" "$AGON" env info "$unsaved"
expect 0 "padded to 3 elements, 6 choices in 2 heads" "$AGON" env info "$first"
expect 0 "actions       discrete: 4000" "$AGON" env info "$history"
# killed and resumed: the same bytes
resumes() { # NAME PLUGIN ARGUMENTS
  local name=$1 plugin=$2; shift 2
  mpi 2 "$AGON" train "$plugin" --run-dir "whole-$name" --quiet "$@"
  kill_ranks=2 kill_in_the_middle "broken-$name" "$plugin" "$@"
  mpi 2 "$AGON" train "$plugin" --run-dir "broken-$name" --resume must --quiet "$@"
  same "whole-$name" "broken-$name" || fail "a killed and resumed run differs ($name)"
}
# shellcheck disable=SC2086
{
  resumes flat "$flat" $small frames=60k checkpoint.ticks=40
  resumes heap "$heap" $small frames=40k checkpoint.ticks=40
  resumes first "$first" $small frames=60k checkpoint.ticks=40
  resumes history "$history" $tiny frames=30k checkpoint.ticks=3
}
# on the heap and not saved: said at the start, counted at the resume; the run goes on with other games
# shellcheck disable=SC2086
{
  mpi 2 "$AGON" train "$unsaved" --run-dir lost $small frames=10k checkpoint.ticks=10 > lost.txt
  grep -q "games of pile are not saved: a resume abandons and counts those under way" lost.txt || { cat lost.txt; fail "not said at the start"; }
  kill_ranks=2 kill_in_the_middle broken-lost "$unsaved" $small frames=40k checkpoint.ticks=40
  mpi 2 "$AGON" train "$unsaved" --run-dir broken-lost --resume must $small frames=40k checkpoint.ticks=40 > resumed.txt
  grep -qE "abandoned [1-9][0-9]* unfinished games? of the job before, which pile does not save" resumed.txt || { cat resumed.txt; fail "not counted"; }
  if mpi 2 "$AGON" train "$heap" --run-dir kept $small frames=10k | grep -qE "abandon"; then fail "what is saved is not abandoned"; fi
  # in pace free, too, stopped runs go on: with their own games, or counted
  for plugin in "$heap" "$unsaved"; do
    rm -rf free
    mpi 2 "$AGON" train "$plugin" --run-dir free $small pace=free frames=6k --quiet
    mpi 2 "$AGON" train "$plugin" --run-dir free --resume must $small pace=free frames=12k > free.txt
    if [ "$plugin" = "$heap" ]; then lost=0; else lost=1; fi
    [ "$(grep -cE "abandoned [0-9]+ unfinished" free.txt)" = "$lost" ] || { cat free.txt; fail "abandoned games in pace free ($plugin)"; }
  done
}
# what an env says of its failure reaches the user, with where it was
# shellcheck disable=SC2086
expect 7 "env market failed in step, slot [0-9]+, episode [0-9]+, step 1: the market was closed for no reason" \
  "$AGON" train "$history" env.sellers=4 env.prices=9 env.broken=true --run-dir failing $small frames=10k --quiet
# walks of a foreign env: two rounds of three prices each, both at once and hidden from one another
expect 0 "^121 histories without chance" "$AGON" env tree "$history" sellers=2 prices=3 rounds=2 drift=none
expect 0 "value by seat \+?-?0.000000 \+?-?0.000000" "$AGON" exploit --env "$history" sellers=2 prices=3 rounds=2 drift=none
mpi 2 "$AGON" train "$history" env.sellers=2 env.prices=3 env.rounds=2 env.drift=none --run-dir tree net.hidden=[16] frames=60k actors.slots=32 --quiet
export AGON_PLUGINS=$history
"$AGON" exploit tree --player main_0 --json > tree.json
$python - <<'P'
import json
found = json.load(open("tree.json"))
conv = found["nash_conv"] if "nash_conv" in found else found["players"][0]["nash_conv"]
assert 0 <= conv < 2.5, found
P
expect 0 "main_0" "$AGON" eval whole-history --players main_0,random --games 20
echo "0 1" | "$AGON" query --env "$history" sellers=2 prices=3 rounds=2 drift=none --player random > asked.txt
grep -q "^agent 1, value" asked.txt || { cat asked.txt; fail "a position of a foreign env"; }
expect 0 "^20 games played now" env AGON_PLUGINS="$heap" "$AGON" eval whole-heap --players main_0,random --games 20
expect 2 "agon/history.h makes such an env flat" env AGON_PLUGINS="$heap" "$AGON" query whole-heap "0"
echo passed
