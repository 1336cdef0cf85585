#!/usr/bin/env python3
"""Steps a second of the grid worlds beside the packages whose rules they follow, on one core of this machine, in turns.

    python3 tests/bench/grids.py build/agon [--rounds 3] [--seconds 2]

wants `pip install lbforaging==2.0.0 rware==2.0.0` (both MIT), `open_spiel` (Apache-2.0) and overcooked_ai's sources (MIT,
github.com/HumanCompatibleAI/overcooked_ai) to be imported from. A step is one of all agents, with everybody's observation; agon
makes masks and the global state as well, and plays 1,024 episodes by turns, the packages one. Both act at random. Rows whose
package is not there are left out."""
import argparse
import importlib.util
import json
import random
import subprocess
import time
import warnings

warnings.filterwarnings("ignore")
ROWS = [
    ("Foraging-8x8-2p-2f-coop-v3", "foraging", ["env.coop=true"], "lbforaging", {}),
    # more food than is registered
    ("Foraging-15x15-4p-4f-v3", "foraging", ["env.size=15", "env.players=4", "env.food=5"], "lbforaging", {"max_num_food": 5}),
    ("rware-tiny-4ag-v2", "warehouse", ["env.agents=4"], "rware", {}),
    ("rware-small-4ag-v2", "warehouse", ["env.agents=4", "env.size=small"], "rware", {}),
    ("cramped_room", "kitchen", ["env.layout=cramped_room"], "overcooked_ai_py", {}),
    ("counter_circuit_o_1order", "kitchen", ["env.layout=counter_circuit"], "overcooked_ai_py", {}),
    ("markov_soccer", "soccer", [], "pyspiel", {}),
]


def kitchen(name, seconds):
    from overcooked_ai_py.mdp.overcooked_mdp import Action, OvercookedGridworld

    mdp = OvercookedGridworld.from_layout_name(name, old_dynamics=True)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        state = mdp.get_standard_start_state()
        for _ in range(400):
            state, _ = mdp.get_state_transition(state, random.choices(Action.ALL_ACTIONS, k=2))
            mdp.lossless_state_encoding(state)
        steps += 400
    return steps / (time.perf_counter() - start)


def soccer(name, seconds):
    import pyspiel

    game = pyspiel.load_game(name)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                state.apply_action(random.choice([action for action, _ in state.chance_outcomes()]))
                continue
            state.apply_actions([random.choice(state.legal_actions(player)) for player in (0, 1)])
            steps += 1
            for player in (0, 1):
                state.observation_tensor(player)
    return steps / (time.perf_counter() - start)


def theirs(name, package, changes, seconds):
    if package == "overcooked_ai_py":
        return kitchen(name, seconds)
    if package == "pyspiel":
        return soccer(name, seconds)
    import gymnasium

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
        if arguments.only not in name or not importlib.util.find_spec(package):
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
