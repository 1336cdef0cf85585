#!/usr/bin/env bash
# Chess (long games, thousands of actions) and backgammon (chance that the host draws) of OpenSpiel on three ranks in lockstep: killed
# with -9 in the middle of games and gone on with, they come to the bytes of a run without a stop. Needs a Python that has pyspiel:
# AGON_TEST_PYTHON, or the one in PATH.
. "$(dirname "$0")/common.sh"
unset VIRTUAL_ENV
export AGON_PYTHON=${AGON_TEST_PYTHON:-python3}
"$AGON_PYTHON" -c "import pyspiel" 2> /dev/null || { echo "skipped: $AGON_PYTHON has no pyspiel (open_spiel); AGON_TEST_PYTHON names one that has"; exit 77; }
small="net.hidden=[32] actors.slots=16 actors.lanes=4 actors.unroll=8 league.main_snapshot_max=1k league.main_snapshot_min=1k league.end_games=0"
for game in chess backgammon; do
  lockstep="openspiel:$game $small pace=lockstep checkpoint.ticks=4 frames=${FRAMES:-4k}"
  mpi 3 "$AGON" train $lockstep --run-dir $game --quiet
  kill_in_the_middle $game-killed $lockstep
  at=$(ls $game-killed/checkpoints | tail -1)
  mpi 3 "$AGON" train $lockstep --run-dir $game-killed --resume must --quiet
  ! grep -q abandon $game-killed/log.txt || fail "$game: unfinished games were abandoned"
  same $game $game-killed
  echo "$game: killed after checkpoint ${at%.h5}, gone on with to the same bytes"
done
