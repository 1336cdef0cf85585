#!/usr/bin/env bash
# Every configuration in deploy/runs starts as it is typed, but for its length, and learns: the first optimiser steps are made,
# their gradients are finite, and the run ends whole.
. "$(dirname "$0")/common.sh"
short="frames=12k league.end_games=0 metrics.evaluation_episodes=2"
for file in "$root"/deploy/runs/*.yaml; do
  name=$(basename "$file" .yaml)
  expect 0 "ended: the frames are done" "$AGON" train "$file" $short --run-dir "$name"
  $python - "$name" << 'P'
import json, math, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/metrics.jsonl")]
norms = [line["main_0/gradient_norm"] for line in lines if "main_0/gradient_norm" in line]
assert norms and math.isfinite(norms[-1]) and norms[-1] > 0, f"{sys.argv[1]}: nothing was learned: gradients {norms}"
P
  rm -r "$name"
done
