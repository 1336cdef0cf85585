#!/usr/bin/env python3
"""How fast the Python package steps games with actions that numpy samples, on one core, and where the time goes:
wheel.py [GAME] [--games N] [--calls N]

Every call is timed by the wall clock, and the median call is told: on a busy machine few calls are interrupted, and those take the mean
with them, which is told beside it. The package must be importable (deploy/python/README.md). A step is one decision of one game (of games
whose agents act at once: of all of them)."""
import argparse
import time

import numpy as np

import agon

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("game", nargs="?", default="connect_four")
parser.add_argument("--games", type=int, default=1024)
parser.add_argument("--calls", type=int, default=4000)
given = parser.parse_args()
vec, rng = agon.make_vec(given.game, given.games, seed=1), np.random.default_rng(1)
for _ in range(100): vec.step(vec.sample(rng))


def seconds(function):
    """(median, mean) of a call."""
    times = np.empty(given.calls)
    for i in range(given.calls):
        begin = time.perf_counter()
        function()
        times[i] = time.perf_counter() - begin
    return float(np.median(times)), float(times.mean())


masks = vec.masks
draws = rng.random(masks.shape, np.float32)
products = draws * masks + masks
whole = seconds(lambda: vec.step(vec.sample(rng)))
parts = {"step and sample": whole, "sample": seconds(lambda: vec.sample(rng)),
         "  of it: random numbers": seconds(lambda: rng.random(masks.shape, np.float32)),
         "  of it: times the mask": seconds(lambda: draws * masks + masks), "  of it: largest": seconds(lambda: products.argmax(-1))}
print(f"{vec.title}, {given.games} games, {masks.shape[-1]} choices, numpy {np.__version__}")
for name, (median, mean) in parts.items(): print(f"{name:26} {median * 1e6:8.1f} us  (mean {mean * 1e6:.1f})")
print(f"{given.games / whole[0] / 1e6:.2f} M steps/s (by the mean {given.games / whole[1] / 1e6:.2f}); step alone "
      f"{given.games / max(whole[0] - parts['sample'][0], 1e-9) / 1e6:.1f} M")
