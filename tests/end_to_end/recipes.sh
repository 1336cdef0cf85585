#!/usr/bin/env bash
# Every configuration in deploy/runs starts as it is typed, but for its length, and learns: the first optimiser steps are made,
# their gradients are finite, and the run ends whole. Where episodes are kept, all that were played are there, or as many as fit.
. "$(dirname "$0")/common.sh"
short="frames=12k league.end_games=0 metrics.evaluation_episodes=2"
for file in "$root"/deploy/runs/*.yaml; do
  name=$(basename "$file" .yaml)
  expect 0 "ended: the frames are done" "$AGON" train "$file" $short --run-dir "$name"
  $python - "$name" << 'P'
import json, math, re, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/metrics.jsonl")]
mains = {key for line in lines for key in line if key.endswith("main_0/gradient_norm")}  # one, or of each side
norms = [line[key] for line in lines for key in mains if key in line]
assert mains and all(math.isfinite(norm) and norm > 0 for norm in norms[-len(mains):]), \
    f"{sys.argv[1]}: nothing was learned: gradients {norms}"
items = [line["main_0/replay_items"] for line in lines if "main_0/replay_items" in line]
if items:
    size = int(re.search(r"^replay:\n(?:  .*\n)*?  size: (\d+)", open(f"{sys.argv[1]}/config.yaml").read(), re.M).group(1))
    played = json.load(open(f"{sys.argv[1]}/status.json"))["episodes"]
    assert len(mains) == 1 and items[-1] >= min(size, played) > 0, \
        f"{sys.argv[1]}: {items[-1]} episodes are kept, of {played} that were played and {size} that fit"
P
  rm -r "$name"
done
