#!/usr/bin/env bash
# Makes the run folders that are kept here, with an older program: make.sh PROGRAM FOLDER
# Each is as a job leaves it that dies after its newest checkpoint: later generations and players are removed, and so is
# what no command reads. Games, nets and lanes are as small as they can be: the folders are kept with the source.
set -eu
program=$(realpath "$1")
mkdir -p "$2"
cd "$2"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
make() { # GAME KEY=VALUE...
  local game=$1 file; shift
  "$program" train "$game" --run-dir "$game" --quiet pace=lockstep actors.lanes=2 actors.slots=4 checkpoint.keep=1000 "$@"
  for file in "$game"/checkpoints/*.h5; do
    [ "$(basename "$file")" = 000001.h5 ] || rm "$file"
  done
  "$program" league show "$game" > shown.txt
  for file in "$game"/players/*.h5; do
    file=$(basename "$file" .h5)
    grep -q "^${file%-*} .*${file##*-}" shown.txt || rm "$game/players/$file.h5"
  done
  rm -r shown.txt "$game/tb" "$game/lock" "$game/log.txt" "$game/metrics.prom" "$game/status.json"
}
make tic_tac_toe frames=6k checkpoint.ticks=30 net.hidden=[6] league.league_exploiters=0 \
  league.main_snapshot_min=1e7 league.main_snapshot_max=1e7
make skirmish frames=12k checkpoint.ticks=4 net.hidden=[3] env.units=8 league.preset=fictitious \
  league.main_snapshot_min=6e7 league.main_snapshot_max=6e7
make kuhn_poker frames=8k checkpoint.ticks=40 net.hidden=[6] net.memory=gru net.memory_size=3 \
  league.preset=fictitious league.main_snapshot_min=3e7 league.main_snapshot_max=3e7
make matrix_game frames=8k checkpoint.ticks=20 net.hidden=[6] league.preset=fictitious \
  league.main_snapshot_min=3e7 league.main_snapshot_max=3e7 env.preset=prisoners_dilemma env.rounds=30
