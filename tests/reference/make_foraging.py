#!/usr/bin/env python3
"""Makes foraging_numbers.h: episodes of lb-foraging (MIT) from given starts with given actions, and what it says of them.
Run by hand when the rules change: pip install lbforaging==2.0.0 numpy; python3 make_foraging.py > foraging_numbers.h

Numbers are small and whole: each is written as one letter, a = 0, b = 1, ..., ` = -1. The original goes through those who
load in the order of a Python set of objects, which differs from run to run; here it is that of their numbers."""
import random

import numpy as np
from lbforaging.foraging import environment
from lbforaging.foraging.environment import Action, ForagingEnv


class ByNumber:
    """A set of players whose pop() takes the lowest number."""

    number = {}

    def __init__(self, players=()):
        self.players = list(players)

    def add(self, player):
        self.players.append(player)

    def pop(self):
        first = min(self.players, key=lambda p: ByNumber.number[id(p)])
        self.players.remove(first)
        return first

    def __bool__(self):
        return bool(self.players)

    def __contains__(self, player):
        return any(p is player for p in self.players)

    def __sub__(self, other):
        return ByNumber(p for p in self.players if p not in other)


environment.set = ByNumber
# Its grid observation names a shape of its own that today's gymnasium refuses.
Box = environment.gym.spaces.Box
environment.gym.spaces.Box = lambda low, high, shape, dtype: Box(low=low, high=high, dtype=dtype)


def letters(values):
    for v in values:
        assert v == int(v) and -1 <= v <= 25, v
    return "".join(chr(97 + int(v)) for v in values)


def choose(env, rng, eager):
    """Random, also impossible, actions; but whoever can load mostly does."""
    actions = []
    for player in env.players:
        if Action.LOAD in env._valid_actions[player] and rng.random() < eager:
            actions.append(5)
        else:
            actions.append(rng.randrange(6))
    return actions


def crowd(env, rng):
    """Lays food side by side, as the original never does itself, so that players stand beside several pieces."""
    taken = [p.position for p in env.players]
    cells = [(r, c) for r in range(1, env.rows - 1) for c in range(1, env.cols - 1) if (r, c) not in taken]
    env.field[:] = 0
    for r, c in rng.sample(cells, min(env.max_num_food, len(cells))):
        env.field[r, c] = rng.randint(1, 3)
    env._food_spawned = env.field.sum()
    env._gen_valid_moves()
    return env._make_gym_obs()


def play(options, eager, seed, count, crowded=False):
    size, players, food = options["size"], options["players"], options["food"]
    max_level = options.get("max_player_level", 2)
    env = ForagingEnv(
        players=players,
        min_player_level=1,
        max_player_level=max_level,
        min_food_level=1,
        max_food_level=options.get("max_food_level") or None,
        field_size=(size, size),
        max_num_food=food,
        sight=options.get("sight") or size,
        max_episode_steps=50,
        force_coop=options.get("coop", False),
        normalize_reward=options.get("normalised", True),
        grid_observation=options.get("observation") == "grid",
        penalty=options.get("penalty", 0.0),
    )
    ByNumber.number = {id(p): i for i, p in enumerate(env.players)}
    rng = random.Random(seed)
    for episode in range(count):
        observed, _ = env.reset(seed=seed + episode)
        if crowded:
            observed = crowd(env, rng)
        start = [v for p in env.players for v in (*p.position, p.level)]
        foods = [(r, c, env.field[r, c]) for r in range(size) for c in range(size) if env.field[r, c]]
        acted, seen, stood, paid = [], [letters(np.concatenate([o.reshape(-1) for o in observed]))], [], []
        done = False
        while not done:
            actions = choose(env, rng, eager)
            observed, rewards, done, _, _ = env.step(actions)
            acted += actions
            seen.append(letters(np.concatenate([o.reshape(-1) for o in observed])))
            stood += [v for p in env.players for v in p.position]
            paid += list(rewards)
        pairs = [f"{k}={str(v).lower()}" for k, v in options.items()]
        yield {
            "options": ", ".join(f'"{p}"' for p in pairs),
            "option_count": len(pairs),
            "eaten": str(bool(env.field.sum() == 0)).lower(),
            "players": letters(start),
            "food": letters([v for f in foods for v in f]),
            "actions": letters(acted),
            "stood": letters(stood),
            "seen": seen,
            "paid": paid,
        }


CASES = [
    ({"size": 8, "players": 2, "food": 2, "coop": True}, 0.9, 1, 3),
    ({"size": 5, "players": 2, "food": 1, "coop": True}, 0.95, 11, 4),
    ({"size": 5, "players": 4, "food": 3, "max_player_level": 3}, 0.8, 21, 4),
    ({"size": 6, "players": 5, "food": 4, "penalty": 0.1}, 0.7, 31, 3),
    ({"size": 8, "players": 3, "food": 4, "sight": 2}, 0.8, 41, 3),
    ({"size": 7, "players": 8, "food": 4, "sight": 1, "normalised": False}, 0.6, 51, 2),
    ({"size": 15, "players": 4, "food": 5}, 0.8, 61, 1),
    ({"size": 6, "players": 3, "food": 2, "sight": 2, "observation": "grid"}, 0.8, 71, 2),
    ({"size": 5, "players": 2, "food": 2, "observation": "grid", "max_food_level": 1}, 0.8, 81, 1),
    ({"size": 6, "players": 5, "food": 9, "max_player_level": 3}, 0.6, 91, 3, True),
]

print("/* Made by make_foraging.py with lb-foraging 2.0.0; letters are numbers from ` = -1 on. */")
print("typedef struct ForagingEpisode {")
print("  const char *option[6];\n  size_t options;\n  bool eaten;\n  const char *players, *food, *actions, *stood;")
print("  const char *const *seen; /* before the first action and after each */\n  const double *paid;\n} ForagingEpisode;")
episodes = [e for case in CASES for e in play(*case)]
for i, e in enumerate(episodes):
    print(f"static const char *const foraging_seen_{i}[] = {{")
    print("\n".join(f'    "{s}",' for s in e["seen"]) + "};")
    print(f"static const double foraging_paid_{i}[] = {{" + ", ".join(f"{float(p):.17g}" if p else "0" for p in e["paid"]).replace(", ", ",") + "};")
print("static const ForagingEpisode foraging_episode[] = {")
for i, e in enumerate(episodes):
    print(f'    {{{{{e["options"]}}}, {e["option_count"]}, {e["eaten"]}, "{e["players"]}", "{e["food"]}",')
    print(f'     "{e["actions"]}",\n     "{e["stood"]}",\n     foraging_seen_{i}, foraging_paid_{i}}},')
print("};")
