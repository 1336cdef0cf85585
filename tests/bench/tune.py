#!/usr/bin/env python3
"""What population-based training finds: trains a configuration with a section `tune` as it is, with its numbers as they are drawn (nobody
is copied), and with fixed learning rates for all players, with several seeds, and prints what the mains score against random
play at the end, the mean over all mains and the best, and what the tuned rates have become.

    python3 tests/bench/tune.py build/agon deploy/runs/tic_tac_toe_tune.yaml [--rates 1e-4,1e-3,1e-2] [--seeds 1,2,3,4,5] [--games 200]
                                [--folder DIR] [key=value ...]"""
import argparse
import json
import os
import statistics
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("agon")
parser.add_argument("file")
parser.add_argument("--rates", default="1e-4,1e-3,1e-2")
parser.add_argument("--seeds", default="1,2,3,4,5")
parser.add_argument("--games", type=int, default=200)
parser.add_argument("--folder", default="runs/tune")
arguments, more = parser.parse_known_args()
os.makedirs(arguments.folder, exist_ok=True)
arms = {"tuned": [], "as drawn": ["tune.exploit_below=0"]}
for rate in arguments.rates.split(","):
    arms[f"rate {rate}"] = ["tune.rate.low=0", "tune.rate.high=0", f"learner.rate={rate}", f"learner.rate_end={rate}"]


def last(rows, end):
    """The last value of each key that ends so."""
    found = {}
    for row in rows:
        found.update({key: value for key, value in row.items() if key.endswith(end)})
    return [found[key] for key in sorted(found)]


print(f"{'':12s} {'mean over mains, by seed':32s} {'best main, by seed':32s} copies")
for name, keys in arms.items():
    best, means, copies, rates = [], [], [], []
    for seed in arguments.seeds.split(","):
        folder = f"{arguments.folder}/{name.replace(' ', '-')}-{seed}"
        subprocess.run([arguments.agon, "train", arguments.file, f"seed={seed}", "league.end_games=0", *keys,
                        *more, "--run-dir", folder, "--resume", "auto", "--quiet"], check=True)
        rows = [json.loads(line) for line in open(f"{folder}/metrics.jsonl")]
        mains = sorted(p["name"] for p in json.load(open(f"{folder}/status.json"))["players"] if not p["frozen"])
        shown = json.loads(subprocess.run([arguments.agon, "eval", folder, "--players", ",".join(mains + ["random"]), "--games",
                                           str(arguments.games), "--json"], check=True, capture_output=True, text=True).stdout)
        scores = [pair["score"] for pair in shown["pairs"] if pair["b"] == "random"]
        assert len(scores) == len(mains)
        best.append(max(scores))
        means.append(statistics.mean(scores))
        copies += last(rows, "league/copies") or [0]
        rates.append(sorted(last(rows, "/tuned/rate")))
    print(f"{name:12s} {' '.join(f'{score:.3f}' for score in means):32s} {' '.join(f'{score:.3f}' for score in best):32s} "
          f"{' '.join(f'{count:.0f}' for count in copies)}", flush=True)
    if name == "tuned":
        print("  rates at the end: " + "; ".join(" ".join(f"{rate:.1e}" for rate in row) for row in rates), flush=True)
