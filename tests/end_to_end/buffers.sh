#!/usr/bin/env bash
# Environments that read and write buffers, by agon/buffers.h: flat, and on the heap, made flat by their history. Both are one game
# to the digit, keep their contract, and go on after a kill as if nothing had been; what is not decided by seed and actions is found.
. "$(dirname "$0")/common.sh"
for form in hunt hunt_heap; do
  game=${PLUGINS:?}/libplugin_$form.so
  expect 0 "all passed" "$AGON" env check "$game"
  expect 0 "all passed" "$AGON" env check "$game" size=8 agents=3
  expect 0 "all passed" "$AGON" env check "$game" agents=4 teams=each
  expect 7 "breaks its contract at step .*: (copies|two copies|an episode|rewards)" "$AGON" env check "$game" hidden=true
  expect 2 "env hunt: teams=each needs two agents" "$AGON" env check "$game" teams=each
  expect 0 "^random  .*" "$AGON" eval --env "$game" agents=3 --players random --games 200
  mv out.txt "$form.txt"
  "$AGON" play "$game" --seat none --player random --seed 1 < /dev/null > play.txt
  grep -q "of the grid from the first hunter" play.txt || { cat play.txt; fail "no picture of $form"; }
done
expect 0 "copied by memcpy" "$AGON" env info "$PLUGINS/libplugin_hunt.so"
grep -q " caught " hunt.txt || { cat hunt.txt; fail "nothing of what is measured"; }
cmp hunt.txt hunt_heap.txt || fail "the two forms are not one game"
set -- "$PLUGINS/libplugin_hunt_heap.so" env.agents=2 env.teams=each net.hidden=[8] actors.slots=16 actors.lanes=4 actors.lane_episodes=4 \
  actors.unroll=4 pace=lockstep league.frame_scale=1 frames=20k checkpoint.ticks=20
mpi 2 "$AGON" train "$@" --run-dir whole --quiet
kill_ranks=2 kill_in_the_middle broken "$@"
mpi 2 "$AGON" train "$@" --run-dir broken --resume must --quiet
same whole broken || fail "a killed and resumed run differs"
