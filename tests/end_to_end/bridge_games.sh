#!/usr/bin/env bash
# Chess (long games, thousands of actions) and backgammon (chance that the host draws) of OpenSpiel on three ranks in lockstep: killed
# with -9 in the middle of games and gone on with, they come to the bytes of a run without a stop. Needs a Python that has pyspiel:
# AGON_TEST_PYTHON, or the one in PATH.
. "$(dirname "$0")/common.sh"
unset VIRTUAL_ENV
export AGON_PYTHON=${AGON_TEST_PYTHON:-python3}
"$AGON_PYTHON" -c "import pyspiel" 2> /dev/null || { echo "skipped: $AGON_PYTHON has no pyspiel (open_spiel); AGON_TEST_PYTHON names one that has"; exit 77; }
# train_twice NAME GAME...: without a stop, and killed in the middle
train_twice() {
  local name=$1 lockstep; shift
  lockstep="$* $small pace=lockstep checkpoint.ticks=4 frames=${FRAMES:-4k}"
  mpi 3 "$AGON" train $lockstep --run-dir $name --quiet
  kill_in_the_middle $name-killed $lockstep
  local at=$(ls $name-killed/checkpoints | tail -1)
  mpi 3 "$AGON" train $lockstep --run-dir $name-killed --resume must --quiet
  ! grep -q abandon $name-killed/log.txt || fail "$name: unfinished games were abandoned"
  same $name $name-killed
  echo "$name: killed after checkpoint ${at%.h5}, gone on with to the same bytes"
}
small="net.hidden=[32] actors.slots=16 actors.lanes=4 actors.unroll=8 league.main_snapshot_max=1k league.main_snapshot_min=1k league.end_games=0"
train_twice chess openspiel:chess
train_twice backgammon openspiel:backgammon

# --- the same library without Python in the loop, where it can be built against ---
library=$("$AGON_PYTHON" -c "import os, pyspiel; print(os.path.dirname(pyspiel.__file__))")
settings=$(ls -d /usr/bin/python3-config 2> /dev/null || true)
if [ -e "$library/open_spiel/spiel.h" ] && [ -n "$settings" ]; then
  ${CXX:-c++} -std=c++17 -O1 -Wall -Wextra -Werror -shared -fPIC "$root/deploy/openspiel/openspiel.cc" -o openspiel.so -I "$root/include" -isystem "$library" \
    -isystem "$library/open_spiel/abseil-cpp" -isystem "$library/open_spiel/json/include" "$library/pyspiel.so" "-Wl,-rpath,$library" \
    -Wl,--no-as-needed $($settings --ldflags --embed)
  for game in tic_tac_toe kuhn_poker oshi_zumo pig mnk "goofspiel(num_cards=4)"; do
    expect 0 "all passed" "$AGON" env check ./openspiel.so "env.game=$game" --episodes 2
  done
  expect 2 "Unknown game 'nogame'" "$AGON" env info ./openspiel.so env.game=nogame
  expect 2 "is a mean field game" "$AGON" env info ./openspiel.so env.game=mfg_crowd_modelling
  train_twice backgammon-c ./openspiel.so env.game=backgammon
fi
