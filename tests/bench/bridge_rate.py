#!/usr/bin/env python3
"""Steps a second of an environment through agon (agon bench env: random legal actions, observations, masks) beside the same loop in
Python, one after the other, so that both have the same machine. Run by the Python that has the library.

    python3 tests/bench/bridge_rate.py build/agon gymnasium:CartPole-v1 [--games 64] [--seconds 2] [--rounds 5]"""

import argparse
import json
import random
import statistics
import subprocess
import time

import numpy as np


def gymnasium_loop(name, games, seconds):
    import gymnasium
    envs = [gymnasium.make(name, disable_env_checker=True) for _ in range(games)]
    space = envs[0].observation_space
    rows = np.zeros((games, *space.shape), space.dtype)
    for i, env in enumerate(envs): rows[i], _ = env.reset(seed=i)
    discrete = hasattr(envs[0].action_space, "n")
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for i, env in enumerate(envs):
            action = random.randrange(int(env.action_space.n)) if discrete else env.action_space.sample()
            rows[i], _, terminated, truncated, _ = env.step(action)
            if terminated or truncated: rows[i], _ = env.reset(seed=random.getrandbits(31))
        count += games
    return count / seconds


def openspiel_loop(name, games, seconds):
    import pyspiel
    game = pyspiel.load_game(name)
    kind = game.get_type()
    look = "observation_tensor" if kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION else "information_state_tensor"
    states = [game.new_initial_state() for _ in range(games)]
    rows = np.zeros((games, game.observation_tensor_size() if look[0] == "o" else game.information_state_tensor_size()), np.float32)
    masks = np.zeros((games, game.num_distinct_actions()), np.uint8)
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for i in range(games):
            state = states[i]
            while state.is_chance_node() or state.is_terminal():
                if state.is_terminal():
                    state.returns()
                    state = states[i] = game.new_initial_state()
                    continue
                outcomes = state.chance_outcomes()
                state.apply_action(random.choices([o for o, _ in outcomes], [p for _, p in outcomes])[0])
            player = state.current_player()
            legal = state.legal_actions()
            rows[i] = getattr(state, look)(player)
            masks[i] = 0
            masks[i][legal] = 1
            state.apply_action(random.choice(legal))
        count += games
    return count / seconds


def pettingzoo_loop(name, games, seconds):
    import importlib
    module = importlib.import_module(name)
    envs = [module.parallel_env() for _ in range(games)]
    for i, env in enumerate(envs): env.reset(seed=i)
    rows = {agent: np.zeros((games, *envs[0].observation_space(agent).shape), np.float32) for agent in envs[0].possible_agents}
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for i, env in enumerate(envs):
            seen, *_ = env.step({agent: random.randrange(int(env.action_space(agent).n)) for agent in env.agents})
            for agent, row in seen.items(): rows[agent][i] = row
            if not env.agents: env.reset(seed=random.getrandbits(31))
        count += games
    return count / seconds


def ours(agon, name, seconds, keys):
    """The median of three: in the first the environments are made."""
    done = subprocess.run([agon, "bench", "env", f"game={name}", "--repeats", "3", "--seconds", str(seconds), "--json", *keys], capture_output=True, text=True, check=True)
    return next(row["median"] for row in json.loads(done.stdout)["results"] if row["bench"] == "env")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("agon")
    parser.add_argument("env")
    parser.add_argument("keys", nargs="*")
    parser.add_argument("--games", type=int, default=1024, help="agon bench env has as many")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    library, _, name = given.env.partition(":")
    loop = {"gymnasium": gymnasium_loop, "openspiel": openspiel_loop, "pettingzoo": pettingzoo_loop}[library]
    pairs = [(ours(given.agon, given.env, given.seconds, given.keys), loop(name, given.games, given.seconds)) for _ in range(given.rounds)]
    agon, python = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    print(f"{given.env}: agon {agon:.0f} steps/s, Python {python:.0f}, {statistics.median(a / b for a, b in pairs):.2f} of it "
          f"({min(a / b for a, b in pairs):.2f} to {max(a / b for a, b in pairs):.2f} in {given.rounds} rounds)")
