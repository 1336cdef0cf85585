#!/usr/bin/env bash
# league_value.sh [DIR [SEEDS [RANKS [JOBS]]]]: what a league is worth. Trains self-play, fictitious play, PFSP with self-play and the
# full league with the same frames and seeds on three games, plays their final mains and their pasts against each other, and
# prints the table (league_value.py). JOBS trainings of RANKS ranks run side by side. About half an hour on 2 cores; what is
# there already is not done again.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${1:-league_value} seeds=${2:-5} ranks=${3:-1} jobs=${4:-2}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
agon=$root/build/agon
mkdir -p "$dir"
declare -A game=([connect_four]=connect_four [biased_rps]=biased_rps [skirmish]=skirmish)
declare -A frames=([connect_four]=4M [biased_rps]=1M [skirmish]=2M)
declare -A every=([connect_four]=400k [biased_rps]=20k [skirmish]=200k)
declare -A rule=(
  [self-play]="league.preset=self-play"
  [fictitious]="league.preset=fictitious league.self_share=0"
  [pfsp]="league.preset=alphastar-paper league.main_exploiters=0 league.league_exploiters=0 league.self_share=0.5 league.verify_share=0"
  [league]="league.preset=alphastar-paper league.mains=1 league.main_exploiters=1 league.league_exploiters=1 league.share_main=2")
train() { # GAME RULE SEED: into a folder that has its name when the run is done
  local run=$dir/$1-$2-$3
  [ -d "$run/checkpoints" ] && return
  rm -rf "$run.part"
  # shellcheck disable=SC2086
  mpirun --oversubscribe --bind-to none -n "$ranks" "$agon" train "$root/deploy/runs/${game[$1]}.yaml" ${rule[$2]} seed="$3" \
    frames="${frames[$1]}" league.main_snapshot_min="${every[$1]}" league.main_snapshot_max="${every[$1]}" \
    league.exploiter_snapshot_max="${every[$1]}" league.league_snapshot_max="${every[$1]}" league.frame_scale=1 \
    league.min_games=200 league.memory=1000 --run-dir "$run.part" --quiet
  mv "$run.part" "$run"
}
for g in connect_four biased_rps skirmish; do
  for r in self-play fictitious pfsp league; do
    for s in $(seq "$seeds"); do
      while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
      train "$g" "$r" "$s" &
    done
  done
done
while [ -n "$(jobs -p)" ]; do wait -n; done
echo "trained" >&2
python=python3
if ! python3 -c 'import numpy' 2> /dev/null; then python=/usr/bin/python3; fi # where the packages of install.sh are
"$python" "$root/tests/bench/league_value.py" "$agon" "$dir" "$seeds" "$ranks"
