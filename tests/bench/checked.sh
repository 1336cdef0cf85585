#!/usr/bin/env bash
# What invariants cost: the same lockstep run (same bytes) by a plain and by a checked build, in pairs; processor seconds.
# usage: tests/bench/checked.sh [PLAIN [CHECKED]]   (programs; default build/agon, build-checked/agon)
set -euo pipefail
cd "$(dirname "$0")/../.."
plain=${1:-build/agon} checked=${2:-build-checked/agon}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
spent() {
  local TIMEFORMAT=%U
  { time "$1" train connect_four frames=150k pace=lockstep --run-dir "$work/$2" --quiet > /dev/null; } 2>&1
}
for pair in 1 2 3; do echo "$(spent "$plain" p$pair) $(spent "$checked" c$pair)"; done | python3 -c '
import statistics, sys
pairs = [tuple(map(float, line.split())) for line in sys.stdin]
for plain, checked in pairs: print(f"plain {plain:.2f} s, checked {checked:.2f} s, {100 * (checked / plain - 1):+.1f} %")
print("median %+.1f %%" % statistics.median(100 * (c / p - 1) for p, c in pairs))'
