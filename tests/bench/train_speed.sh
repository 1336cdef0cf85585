#!/usr/bin/env bash
# train_speed.sh [frames]: training speed on Connect Four with 2x256 tanh units, PPO with 4 epochs and 4 minibatches, both sides
# learning (self-play), 2 ranks; and its share of the FLOP bound: cores * FMA peak of this run / FLOPs of a learned frame
# (acting once; 4 epochs of forward, weight and input gradients, no input gradient for the first layer).
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/tests/bench_peak | tee "$work/peak"
for placement in "" "placement=shared learner.ranks=1"; do
  rm -rf "$work/run"
  mpirun --oversubscribe --bind-to none -n 2 build/agon train connect_four frames="${1:-600k}" 'net.hidden=[256, 256]' league.preset=self-play \
    actors.slots=256 actors.lanes=16 actors.eval_share=0 ppo.epochs=4 ppo.minibatches=4 $placement --run-dir "$work/run" > "$work/log"
  grep -E "ended|actor|learner" "$work/log" | grep frames/s
  python3 - "$work" <<'P'
import re, sys
peak = float(open(sys.argv[1] + "/peak").readline().split()[1]) * 1e9
log = open(sys.argv[1] + "/log").read()
value, unit = re.search(r"\(([0-9.]+) ?([kM]?) frames/s learned", log).groups()
rate = float(value) * {"": 1, "k": 1e3, "M": 1e6}[unit]
layers = [84 * 256, 256 * 256, 256 * 8]
forward = 2 * sum(layers)
flops = forward + 4 * (3 * forward - 2 * layers[0])
print(f"{rate:.0f} frames/s; {flops / 1e6:.2f} MFLOP a frame; bound on 2 cores {2 * peak / flops:.0f} frames/s; share {rate * flops / (2 * peak):.1%}")
P
done
