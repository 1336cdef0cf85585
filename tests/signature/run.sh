#!/usr/bin/env bash
# What a program computes, as one line for each of a few short runs: the digest of all that its last checkpoint holds, but
# for the seconds it took. A commit that only moves or renames code keeps these lines. They depend on the processor and
# the compiler (which kernels, which contractions), so two builds are compared on one machine, and no line is kept in a file.
# usage: tests/signature/run.sh [AGON [OTHER]]   (programs; default build/agon; exit 1 if OTHER says something else)
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD agon=$(realpath "${1:-build/agon}") other=${2:+$(realpath "$2")}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMPI_MCA_mpi_yield_when_idle=1
python=python3
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import h5py' 2> /dev/null; then python=$candidate; break; fi
done
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
small="actors.slots=32 actors.lanes=8 actors.lane_episodes=4 league.min_games=10 league.memory=200 league.frame_scale=1
  league.main_snapshot_min=8k league.main_snapshot_max=12k league.exploiter_snapshot_max=12k league.league_snapshot_max=12k"
# A name, ranks, and what is trained: each line has something of its own (a memory, an algorithm, a pace, learner ranks).
runs() {
  cat << LIST
board 1 connect_four frames=60k pace=lockstep net.hidden=[32]
board_pipelined 2 tic_tac_toe frames=60k pace=pipelined net.hidden=[32]
units_gru 2 skirmish frames=40k pace=lockstep net.hidden=[32] net.memory=gru placement=split
units_lstm 3 skirmish frames=40k pace=pipelined net.hidden=[32] net.memory=lstm learner.ranks=2
hidden_mmd 1 kuhn_poker frames=40k pace=lockstep net.hidden=[16] learner.algorithm=mmd learner.average=0.99
hidden_impala 1 leduc_poker frames=40k pace=lockstep net.hidden=[16] learner.algorithm=impala net.normalise_returns=true
at_once_psro 2 goofspiel frames=40k pace=lockstep net.hidden=[16] league.preset=psro
matrix_alpharank 1 matrix_game frames=20k pace=lockstep net.hidden=[8] league.preset=alpharank
LIST
}
signature() { # PROGRAM FOLDER
  local name ranks what
  mkdir "$2"
  runs | while read -r name ranks what; do
    # shellcheck disable=SC2086
    if ! mpirun --oversubscribe --bind-to none -n "$ranks" "$1" train $what $small seed=7 --run-dir "$2/$name" --quiet \
      > "$2/log" 2>&1 < /dev/null; then
      cat "$2/log" >&2
      exit 1
    fi
    "$python" tests/signature/digest.py "$name" "$2/$name"
  done
}
signature "$agon" "$work/this" | tee "$work/this.txt"
if [ -n "$other" ]; then
  signature "$other" "$work/other" > "$work/other.txt"
  diff "$work/other.txt" "$work/this.txt" && echo "both programs compute the same"
fi
