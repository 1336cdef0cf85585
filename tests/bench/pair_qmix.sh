#!/usr/bin/env bash
# pair_qmix.sh [ROUNDS] [PYTHON]: optimiser steps of QMIX a second, of agon and of PyTorch in turns, on one core, with the
# shapes of deploy/runs/simple_spread_qmix.yaml, without and with a GRU; medians of the rounds, and of their ratios. PYTHON must
# have torch.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} python=${2:-/usr/bin/python3} agon=${AGON:-build/agon}
keys="game=simple_spread net.hidden=[128,128] net.activation=relu learner.algorithm=qmix learner.gamma=0.9 learner.rate=0.002
  learner.clip_norm=10 qmix.team_reward=mean qmix.tau=0.02 qmix.lambda=0.8 qmix.hyper_hidden=32 actors.slots=32 actors.unroll=25
  actors.lanes=2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Runs a command of one thread and prints its rate by the processor time that it got, so that others on the machine do not
# count: what follows the word "steps/s" or, of agon, frames learned from (a batch is 32 episodes x 25 steps x 3 agents), with the
# share of the machine's bound.
rate() {
  python3 - "$@" << 'P'
import json, re, resource, subprocess, sys, time
start = time.monotonic()
said = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True).stdout
used = resource.getrusage(resource.RUSAGE_CHILDREN)
got = (used.ru_utime + used.ru_stime) / (time.monotonic() - start)
if said.lstrip().startswith("{"):
    found = json.loads(said)["results"][0]
    print("%.1f %.1f" % (found["median"] / 2400 / got, 100 * found["ratio"]))
else:
    print("%.1f" % (float(re.search(r"([0-9.]+) steps/s", said).group(1)) / got))
P
}
torch() { rate taskset -c "$core" "$python" tests/bench/torch_qmix.py --seconds 8 "$@"; }
# shellcheck disable=SC2086
agon() { rate taskset -c "$core" "$agon" bench learn $keys "$@" --json --repeats 5; }
core=${CORE:-0}
for _ in $(seq "$rounds"); do
  for kind in "2 x 128" "2 x 128, GRU 64"; do
    [ "$kind" = "2 x 128" ] && own="" other="" || own="net.memory=gru net.memory_size=64" other=--memory
    # shellcheck disable=SC2086
    echo "$(agon $own) $(torch $other)" >> "$work/$kind"
  done
done
grep -m1 'model name' /proc/cpuinfo
for file in "$work"/*; do
  python3 - "$file" << 'P'
import os, statistics, sys
rows = [[float(word) for word in line.split()] for line in open(sys.argv[1])]
agon, share, torch = zip(*rows)
ratio = [a / t for a, t in zip(agon, torch)]
print("%-16s agon %.1f steps/s (%.1f-%.1f), %.1f %% of the FMA peak; PyTorch %.1f (%.1f-%.1f); ratio %.2f (%.2f-%.2f)" % (
    os.path.basename(sys.argv[1]), statistics.median(agon), min(agon), max(agon), statistics.median(share),
    statistics.median(torch), min(torch), max(torch), statistics.median(ratio), min(ratio), max(ratio)))
P
done
