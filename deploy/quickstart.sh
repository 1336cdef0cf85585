#!/usr/bin/env bash
# The newcomer's one command: installs what is missing, builds, trains a small Connect Four league under mpirun, and shows
# what it learned. Under six minutes on two cores, of which half a minute is training.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
deploy/install.sh
echo "building ..."
cmake -S . -B build -G Ninja -DAGON_TESTS=OFF > /dev/null
cmake --build build --target agon -- --quiet
run=runs/quickstart-$(date +%Y%m%d-%H%M%S)
mpirun --oversubscribe --bind-to none -n 2 build/agon train deploy/runs/connect_four.yaml --run-dir "$run" max_seconds=110
echo
echo "== the league =="
build/agon league show "$run" | sed -n '1,/^score/p' | head -40
echo
echo "== what it learned: Elo with 95 % intervals, random at 0 =="
build/agon rate "$run" | sed -n '2,14p'
echo
echo "== and 100 games against random moves, seats swapped =="
build/agon eval "$run" --players main_0,random --games 100 --greedy
echo
echo "Look further:  build/agon report $run;  build/agon play $run;  build/agon help"
