#!/usr/bin/env python3
"""Steps a second of the particle environments beside PettingZoo's MPE, on one core of this machine, in turns.

    python3 tests/bench/particles.py build/agon [--rounds 3] [--seconds 2]

wants `pip install mpe2==1.1.1` (MIT). A step is one of all agents, with everybody's observation and the global state; agon makes masks
as well, and plays 1,024 episodes by turns, the package one. Both act at random. A table row each: median, least and most."""
import argparse
import importlib
import json
import os
import subprocess
import time

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
GAMES = {"simple_spread": 3, "simple_tag": 3, "simple_adversary": 3, "simple_speaker_listener": 4, "simple_reference": 3}


def theirs(game, seconds):
    env = importlib.import_module(f"mpe2.{game}_v{GAMES[game]}").parallel_env()
    env.reset(seed=1)
    actions = [{agent: env.action_space(agent).sample() for agent in env.possible_agents} for _ in range(1000)]
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        env.step(actions[steps % 1000])
        env.state()
        steps += 1
        if not env.agents:
            env.reset()
    return steps / (time.perf_counter() - start)


def ours(agon, game, seconds):
    line = [agon, "bench", "env", f"game={game}", "--json", "--repeats", "1", "--seconds", str(seconds)]
    found = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return found["results"][0]["median"]


def text(rates):
    rates.sort()
    return f"{rates[len(rates) // 2]:,.0f} ({rates[0]:,.0f} - {rates[-1]:,.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agon")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    arguments = parser.parse_args()
    for game in GAMES:
        a, b = [], []
        for _ in range(arguments.rounds):
            a.append(ours(arguments.agon, game, arguments.seconds))
            b.append(theirs(game, arguments.seconds))
        what = f"| {game} | {text(a)} | {text(b)} |"
        print(f"{what} {a[len(a) // 2] / b[len(b) // 2]:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
