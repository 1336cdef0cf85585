#!/usr/bin/env python3
"""Steps a second of the grid worlds beside the packages whose rules they follow, on one core of this machine, in turns.

    python3 tests/bench/grids.py build/agon [--rounds 3] [--seconds 2]

wants `pip install lbforaging==2.0.0 rware==2.0.0` (both MIT). A step is one of all agents, with everybody's observation;
agon makes masks and the global state as well, and plays 1,024 episodes by turns, the packages one. Both act at random."""
import argparse
import json
import subprocess
import time
import warnings

import gymnasium

warnings.filterwarnings("ignore")
ROWS = [
    ("Foraging-8x8-2p-2f-coop-v3", "foraging", ["env.coop=true"], "lbforaging", {}),
    # more food than is registered
    ("Foraging-15x15-4p-4f-v3", "foraging", ["env.size=15", "env.players=4", "env.food=5"], "lbforaging", {"max_num_food": 5}),
    ("rware-tiny-4ag-v2", "warehouse", ["env.agents=4"], "rware", {}),
    ("rware-small-4ag-v2", "warehouse", ["env.agents=4", "env.size=small"], "rware", {}),
]


def theirs(name, package, changes, seconds):
    __import__(package)
    env = gymnasium.make(name, disable_env_checker=True, **changes).unwrapped
    env.reset(seed=1)
    actions = [env.action_space.sample() for _ in range(1000)]
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for action in actions[:100]:
            done = env.step(action)[2]
            steps += 1
            if done:
                env.reset()
    return steps / (time.perf_counter() - start)


def ours(agon, game, options, seconds):
    line = [agon, "bench", "env", f"game={game}", *options, "--json", "--repeats", "1", "--seconds", str(seconds)]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def rate_of(result):
    rows = result if isinstance(result, list) else result.get("results", result.get("rows"))
    return rows[0]["median"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agon")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    arguments = parser.parse_args()
    for name, game, options, package, changes in ROWS:
        if arguments.only not in name:
            continue
        a, b = [], []
        for _ in range(arguments.rounds):
            a.append(rate_of(ours(arguments.agon, game, options, arguments.seconds)))
            b.append(theirs(name, package, changes, arguments.seconds))
        a.sort(), b.sort()
        mid = arguments.rounds // 2
        what = " ".join([name, *(f"{k}={v}" for k, v in changes.items())])
        print(f"| {what} | {a[mid]:,.0f} ({a[0]:,.0f} - {a[-1]:,.0f}) | {b[mid]:,.0f} ({b[0]:,.0f} - {b[-1]:,.0f}) | {a[mid] / b[mid]:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
