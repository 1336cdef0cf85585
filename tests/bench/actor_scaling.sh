#!/usr/bin/env bash
# actor_scaling.sh [ROUNDS]: the actor role on one rank and on two, in turns; medians, and how near two come to twice one.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for _ in $(seq "${1:-7}"); do
  for ranks in 1 2; do
    mpirun --oversubscribe --bind-to none -n $ranks build/agon bench act --repeats 3 --json |
      python3 -c 'import json,sys; print(json.load(sys.stdin)["results"][0]["median"])' >> "$work/$ranks"
  done
done
python3 - "$work" <<'P'
import statistics, sys
one, two = (statistics.median(map(float, open(f"{sys.argv[1]}/{n}"))) for n in (1, 2))
print(f"1 rank {one:.0f}, 2 ranks {two:.0f} decisions/s: {two / 2 / one:.1%} of twice one")
P
