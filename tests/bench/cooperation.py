#!/usr/bin/env python3
"""What configurations of one team reach: trains each with several seeds and prints a row of the table in deploy/runs/README.md.

    python3 tests/bench/cooperation.py build/agon deploy/runs/foraging_ppo.yaml ... [--seeds 1,2,3,4,5] [--ranks 1] [--games 1000]
                                       [--folder DIR] [key=value ...]

Per row: the team's return of an episode, as the run tells it, of the final greedy policy and of the one that samples (agon eval, as many
episodes as --games): mean over seeds with its 95 % interval (Student's t), median and worst seed; beside them, once, the players that
need no training. Runs that are there already are gone on with, or, where they are finished, only judged: so a table can be made again.
Frames are fixed, so the load of the machine changes no number; processor seconds are of all ranks."""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess

T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train(arguments, file, seed, folder):
    line = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(arguments.ranks)] if arguments.ranks > 1 else []
    before = children_seconds()
    words = [arguments.agon, "train", file, f"seed={seed}", *arguments.more, "--run-dir", folder, "--resume", "auto", "--quiet"]
    subprocess.run([*line, *words], check=True)
    return children_seconds() - before


def judge(arguments, folder):
    line = [arguments.agon, "eval", folder, "--games", str(arguments.games), "--json"]
    found = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return found["return_is"], {p["player"]: p["return"] for p in found["players"]}


def over_seeds(values):
    """mean +- half of its interval; median; worst (least), as a table's cells."""
    mean = statistics.mean(values)
    n = len(values)
    half = T95.get(n - 1, 1.96) * statistics.stdev(values) / math.sqrt(n) if n > 1 else math.nan
    return f"{mean:.4g} +- {half:.2g} | {statistics.median(values):.4g} | {min(values):.4g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agon")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--folder", default="runs/cooperation")
    arguments, more = parser.parse_known_args()
    words = arguments.files + more
    arguments.more = [word for word in words if "=" in word]
    arguments.files = [word for word in words if word.endswith(".yaml")]
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    print("| configuration | seeds | processor time each | policy | mean over seeds | median | worst | without training |")
    print("|---|---|---|---|---|---|---|---|")
    for file in arguments.files:
        name = os.path.basename(file)[: -len(".yaml")]
        seconds, greedy, sampling, others, told = [], [], [], {}, ""
        for seed in seeds:
            folder = os.path.join(arguments.folder, f"{name}-{seed}")
            os.makedirs(arguments.folder, exist_ok=True)
            seconds.append(train(arguments, file, seed, folder))
            told, found = judge(arguments, folder)
            greedy.append(found.pop("main_0, greedy"))
            sampling.append(found.pop("main_0, sampling"))
            others = found
        beside = ", ".join(f"{who} {value:.4g}" for who, value in others.items())
        cells = f"| `{name}.yaml` ({told}) | {len(seeds)} | {statistics.median(seconds):.0f} s"
        print(f"{cells} | greedy | {over_seeds(greedy)} | {beside} |")
        print(f"| | | | sampling | {over_seeds(sampling)} | |", flush=True)


if __name__ == "__main__":
    main()
