#!/usr/bin/env python3
"""Another library's learner on a game of agon: sb3-contrib's MaskablePPO, against a built-in or an exported opponent.

    pip install build/wheel/agon-*.whl sb3-contrib
    python3 deploy/python/examples/maskable_ppo.py tic_tac_toe --opponent random --steps 60000
    python3 deploy/python/examples/maskable_ppo.py connect_four --opponent runs/connect_four:main_0 --save learned.zip

It says what the learner scores against random moves (and the opponent, where that is another) before and after: wins and half the
draws of games in which it has every seat equally often. Without sb3-contrib it ends with exit code 77."""

import argparse
import sys

import numpy as np

import agon


def score(model, name, games, rest, seed):
    """Plays `games` games side by side with the most probable action, its seat by turns; `rest(vec)` makes who acts for all others."""
    vec, rng = agon.make_vec(name, games, seed=seed, again=False), np.random.default_rng(seed)
    others, seat, going = rest(vec), np.arange(games) % vec.num_agents, np.ones(games, bool)
    points = np.zeros(games)
    while going.any():
        actions = others(rng).reshape(games, -1).copy()
        mine = np.flatnonzero(vec.acts & (vec.agents == seat))
        if len(mine):
            chosen = model.predict(vec.observations[mine], action_masks=vec.masks[mine].astype(bool), deterministic=True)[0]
            actions[mine] = np.asarray(chosen).reshape(len(mine), -1)
        vec.step(actions)
        over = np.flatnonzero(vec.terminated | vec.truncated)
        points[over] = vec.outcomes[over, np.array(vec.team_of)[seat[over]]]
        going[over] = False
    return points.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", nargs="?", default="tic_tac_toe", help="one in which agents take turns")
    parser.add_argument("--opponent", default="random", help="random, scripted, a file of agon export, or RUN:PLAYER")
    parser.add_argument("--steps", type=int, default=60000, help="decisions of the learner (default 60000)")
    parser.add_argument("--envs", type=int, default=8, help="games at once (default 8)")
    parser.add_argument("--games", type=int, default=1000, help="that a score is of (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="where the learner goes, a .zip of Stable-Baselines3")
    parser.add_argument("--at-least", type=float, default=0, help="exit code 1 below this score against random moves")
    given = parser.parse_args()
    try:
        from sb3_contrib import MaskablePPO
        from stable_baselines3.common.env_util import make_vec_env
    except ImportError as why:
        print(f"skipped: {why} (pip install sb3-contrib)")
        return 77
    if not agon.make_vec(given.game, 1).turns: sys.exit(f"{given.game}: agents act at once; what is scored here are games by turns")
    opponent = given.opponent if given.opponent in ("random", "scripted") else agon.load(given.opponent)
    env = make_vec_env(lambda: agon.gymnasium.make(given.game, opponent=opponent, agent=None), n_envs=given.envs, seed=given.seed)
    model = MaskablePPO("MlpPolicy", env, seed=given.seed, n_steps=256, batch_size=256, ent_coef=.01, gamma=1, device="cpu")

    def player(vec):
        """An exported one; if it has a memory, one for each agent of each game."""
        state, slots = opponent.state(vec.n * vec.num_agents), np.arange(vec.n) * vec.num_agents
        return lambda rng: opponent.act(vec.observations, vec.masks, agents=vec.agents, state=state, slots=slots + vec.agents,
                                        greedy=False, seed=int(rng.integers(2**63)))

    rests = {"random": lambda vec: vec.sample}
    if opponent == "scripted": rests["scripted"] = lambda vec: lambda rng: vec.scripted()
    elif opponent != "random": rests[opponent.player] = player
    for when, steps in (("before", 0), (f"after {given.steps} decisions", given.steps)):
        if steps: model.learn(steps)
        scores = {name: score(model, given.game, given.games, rest, 12345) for name, rest in rests.items()}
        print(f"{when}: " + ", ".join(f"{value:.3f} against {name}" for name, value in scores.items()), flush=True)
    if given.save: model.save(given.save)
    return 1 if scores["random"] < given.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
