#!/usr/bin/env python3
"""What a curriculum saves: trains a configuration with and without its section `curriculum`, with several seeds, and prints the frames
after which the task itself is solved in training, and how often the final policy solves it.

    python3 tests/bench/curriculum.py build/agon deploy/runs/goal_cells_curriculum.yaml [--metric solved] [--at 0.9] [--seeds 1,2,3,4,5]
                                      [--games 1000] [--folder DIR] [key=value ...]

Solved: the metric is at least --at in three records of metrics in a row (0.2 s each), of which the first comes 50 k frames or more after
the last stage began, so that no episode of an earlier stage is among them."""
import argparse
import json
import os
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("agon")
parser.add_argument("file")
parser.add_argument("--metric", default="solved")
parser.add_argument("--at", type=float, default=0.9)
parser.add_argument("--seeds", default="1,2,3,4,5")
parser.add_argument("--games", type=int, default=1000)
parser.add_argument("--folder", default="runs/curriculum")
arguments, more = parser.parse_known_args()
os.makedirs(arguments.folder, exist_ok=True)
lines = open(arguments.file).read().splitlines(keepends=True)
begin = next(i for i, line in enumerate(lines) if line.startswith("curriculum:"))
end = next((i for i in range(begin + 1, len(lines)) if lines[i].strip() and not lines[i].startswith((" ", "#"))), len(lines))
whole, plain = arguments.file, os.path.join(arguments.folder, "plain.yaml")
open(plain, "w").write("".join(lines[:begin] + lines[end:]))


def solved_after(folder):
    rows = [json.loads(line) for line in open(f"{folder}/metrics.jsonl")]
    stages = max((row.get("curriculum/stage", 0) for row in rows), default=0)
    rows = [row for row in rows if row.get("curriculum/stage", 0) == stages and f"env/{arguments.metric}" in row]
    since = rows[0]["global_step"] + 50_000 if stages else 0
    rows = [row for row in rows if row["global_step"] >= since]
    for first, second, third in zip(rows, rows[1:], rows[2:]):
        if all(row[f"env/{arguments.metric}"] >= arguments.at for row in (first, second, third)):
            return int(first["global_step"])
    return None


for name, file in ("with", whole), ("without", plain):
    frames, final = [], []
    for seed in arguments.seeds.split(","):
        folder = f"{arguments.folder}/{name}-{seed}"
        subprocess.run([arguments.agon, "train", file, f"seed={seed}", "metrics.seconds=0.2", "metrics.evaluation_episodes=0", *more,
                        "--run-dir", folder, "--resume", "auto", "--quiet"], check=True)
        frames.append(solved_after(folder))
        shown = subprocess.run([arguments.agon, "eval", folder, "--games", str(arguments.games), "--json"], check=True,
                               capture_output=True, text=True).stdout
        greedy = next(player for player in json.loads(shown)["players"] if player["player"] == "main_0, greedy")
        final.append(greedy["metrics"][arguments.metric])
    print(f"{name:8s} solved after {frames} frames; final greedy policy {final}", flush=True)
