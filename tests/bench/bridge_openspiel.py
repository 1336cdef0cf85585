#!/usr/bin/env python3
"""How many of OpenSpiel's games that load by default pass `agon env check`, and whether the NashConv of uniform play is pyspiel's.

    python3 tests/bench/bridge_openspiel.py build/agon [--games NAME,...] [--episodes N] [--seconds S] [--from N] [--count N]
    python3 tests/bench/bridge_openspiel.py build/agon --nashconv

Run by the Python that has open_spiel. Prints a line for each game, and the count of each result. --nashconv prints both numbers with
all their digits, and fails where they are more than 1e-9 apart."""

import argparse
import collections
import json
import subprocess
import sys
import time

import pyspiel


def default_games():
    return sorted(kind.short_name for kind in pyspiel.registered_games() if kind.default_loadable and not kind.short_name.startswith("python_"))


def run(agon, *words, seconds):
    start = time.time()
    try: done = subprocess.run([agon, *words], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired: return None, f"not done in {seconds} s", time.time() - start
    text = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, text[-1] if text else "", time.time() - start


def check(agon, games, episodes, seconds):
    counts = collections.Counter()
    for game in games:
        code, text, took = run(agon, "env", "check", f"openspiel:{game}", "--episodes", str(episodes), seconds=seconds)
        word = "passes" if code == 0 else "unfinished" if code is None else "fails"
        counts[word] += 1
        print(f"{word:10} {game:32} {took:6.1f} s  {'' if code == 0 else text[:240]}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()), "of", len(games))


def nashconv(agon, seconds):
    """0 if agon's exact walk of uniform play finds what pyspiel's does."""
    from open_spiel.python import policy
    from open_spiel.python.algorithms import exploitability
    apart = 0
    for name, kwargs in (("kuhn_poker", {}), ("leduc_poker", {}), ("liars_dice", {}), ("goofspiel", {"num_cards": 4})):
        game = pyspiel.load_game(name, kwargs)
        played = pyspiel.convert_to_turn_based(game) if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS else game
        theirs = float(exploitability.nash_conv(played, policy.UniformRandomPolicy(played)))
        title = name + (f"({','.join(f'{key}={value}' for key, value in kwargs.items())})" if kwargs else "")
        done = subprocess.run([agon, "exploit", "--env", f"openspiel:{title}", "--json"], capture_output=True, text=True, timeout=seconds)
        if done.returncode: raise SystemExit(f"{title}: {done.stderr.strip()}")
        ours = json.loads(done.stdout)["nash_conv"]
        print(f"{title:24} pyspiel {theirs!r:20} agon {ours!r:20} apart {abs(theirs - ours):.1e}", flush=True)
        apart = max(apart, abs(theirs - ours))
    return 0 if apart <= 1e-9 else f"{apart:g} apart"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("agon")
    parser.add_argument("--games")
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--nashconv", action="store_true")
    given = parser.parse_args()
    if given.nashconv: sys.exit(nashconv(given.agon, 600))
    games = given.games.split(",") if given.games else default_games()
    check(given.agon, games[given.first:given.first + given.count], given.episodes, given.seconds)
