#!/usr/bin/env python3
"""Who earned it: how many frames goal_cells takes to be solved, by what agents learn from. Prints the rows in deploy/runs/README.md.

    python3 tests/bench/credit.py build/agon [METHOD ...] [--seeds 1,2,3,4,5] [--games 1000] [--folder DIR] [key=value ...]

Per method: share of episodes solved by the final policy, greedy and sampling (agon eval; mean over seeds with its 95 % interval, and by
seed); frames until 90 % of the episodes that end in a second of training (50 of them, at least) are solved, by seed. Runs that are
there already are gone on with, or only judged. Seeds go one after another."""
import argparse
import json
import math
import os
import statistics
import subprocess

T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
HERE = os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "runs")
# name: configuration, and what differs
METHODS = {
    "ippo": ("goal_cells_difference.yaml", ["rewards.difference=none", "rewards.team=0"]),
    "ippo-without": ("goal_cells_difference.yaml", []),
    "ippo-without-alone": ("goal_cells_difference.yaml", ["rewards.team=0"]),
    "ippo-idle": ("goal_cells_difference.yaml", ["rewards.difference=idle", "rewards.team=0"]),
    "ippo-potential": ("goal_cells_shaping.yaml", []),
    "ippo-both": ("goal_cells_shaping.yaml", ["rewards.difference=without", "rewards.team=0"]),
    "iql": ("goal_cells_iql.yaml", ["rewards.shaping=0"]),
    "iql-without": ("goal_cells_iql.yaml", ["rewards.shaping=0", "rewards.difference=without"]),
    "iql-potential": ("goal_cells_iql.yaml", []),
}
PAID = 10  # a solved episode


def train(arguments, method, seed, folder):
    file, keys = METHODS[method]
    words = [arguments.agon, "train", os.path.join(HERE, file), f"seed={seed}", "metrics.seconds=1", *keys, *arguments.more]
    subprocess.run([*words, "--run-dir", folder, "--resume", "auto", "--quiet"], check=True)


def frames_to(folder, share):
    for line in open(os.path.join(folder, "metrics.jsonl")):
        now = json.loads(line)
        if now.get("main_0/return_episodes", 0) >= 50 and now["main_0/mean_return"] >= share * PAID:
            return now["main_0/frames"]
    return math.inf


def solved(arguments, folder):
    line = [arguments.agon, "eval", folder, "--games", str(arguments.games), "--json"]
    found = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    by = {player["player"]: player["return"] / PAID for player in found["players"]}
    return by["main_0, greedy"], by["main_0, sampling"]


def over_seeds(values):
    n = len(values)
    half = T95.get(n - 1, 1.96) * statistics.stdev(values) / math.sqrt(n) if n > 1 else math.nan
    return f"{statistics.mean(values):.3f} +- {half:.3f} ({', '.join(f'{value:.2f}' for value in values)})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agon")
    parser.add_argument("methods", nargs="*")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--folder", default="runs/credit")
    arguments = parser.parse_intermixed_args()
    arguments.more = [word for word in arguments.methods if "=" in word]
    methods = [word for word in arguments.methods if "=" not in word] or list(METHODS)
    os.makedirs(arguments.folder, exist_ok=True)
    print("| method | solved, sampling: mean (by seed) | solved, greedy | frames to 90 % in training, by seed |")
    print("|---|---|---|---|")
    for method in methods:
        greedy, sampling, frames = [], [], []
        for seed in arguments.seeds.split(","):
            folder = os.path.join(arguments.folder, f"{method}-{seed}")
            train(arguments, method, seed, folder)
            own, drawn = solved(arguments, folder)
            greedy.append(own)
            sampling.append(drawn)
            frames.append(frames_to(folder, 0.9))
        told = ", ".join("-" if math.isinf(f) else f"{f / 1000:.0f} k" for f in frames)
        print(f"| {method} | {over_seeds(sampling)} | {over_seeds(greedy)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
