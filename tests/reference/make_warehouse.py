#!/usr/bin/env python3
"""Makes warehouse_numbers.h: episodes of rware (MIT) from given starts with given actions, and what it says of them. Run by
hand when the rules change: pip install rware==2.0.0 numpy; python3 make_warehouse.py > warehouse_numbers.h

The starts are made crowded and loaded, or hardly a shelf would be delivered. Of equally long chains of robots the original
moves that whose cell comes first in its graph, or first in a hash table of cells where the chain's part of the graph is
small; here it is always the first in the graph. How often that makes a difference is printed at the end, to stderr."""
import random
import sys

import networkx as nx
import numpy as np
from rware import warehouse
from rware.warehouse import Direction, RewardType, Warehouse

differs = [0, 0]
longest = nx.algorithms.dag_longest_path


class Part(nx.DiGraph):
    """A part of a graph; the original copies parts before it asks them."""

    def copy(self, as_view=False):
        return self


class InOrder(nx.DiGraph):
    """A graph whose parts keep its order of nodes."""

    def subgraph(self, nodes):
        part = Part()
        part.add_nodes_from(n for n in self if n in nodes)
        part.add_edges_from((a, b) for a in list(part) for b in self[a])
        part.hashed = nx.DiGraph.subgraph(self, nodes).copy()
        return part


def longest_in_order(part):
    path = longest(part)
    differs[0] += path != longest(part.hashed)
    differs[1] += 1
    return path


class Drawing:
    """The env's random numbers, noting which of the candidates becomes requested."""

    def __init__(self, inner, noted):
        self.inner, self.noted = inner, noted

    def choice(self, a, *rest, **named):
        index = int(self.inner.integers(len(a)))
        self.noted.append(index)
        return a[index]


class Module:
    """networkx as the original sees it."""

    DiGraph = InOrder
    NetworkXNoCycle = nx.NetworkXNoCycle
    weakly_connected_components = staticmethod(nx.weakly_connected_components)

    class algorithms:
        find_cycle = staticmethod(nx.algorithms.find_cycle)
        dag_longest_path = staticmethod(longest_in_order)


warehouse.nx = Module


def letters(values):
    for v in values:
        assert v == int(v) and 0 <= v <= 28, v
    return "".join(chr(97 + int(v)) for v in values)


def scramble(env, rng, loaded):
    """Half of the robots near the goals; many with a load, most of those with a requested one."""
    height, width = env.grid_size
    low = [(x, y) for y in range(height - 4, height) for x in range(width // 2 - 3, width // 2 + 3)]
    rng.shuffle(low)
    for agent in env.agents[: env.n_agents // 2]:
        spot = low.pop()
        if any((a.x, a.y) == spot for a in env.agents):
            continue
        agent.x, agent.y = spot
    env._recalc_grid()
    free = [s for s in env.shelfs if s not in env.request_queue]
    asked = list(env.request_queue)
    for agent in env.agents:
        if rng.random() >= loaded or env.grid[1, agent.y, agent.x]:
            continue
        pool = asked if asked and rng.random() < 0.8 else free
        if not pool:
            continue
        shelf = pool.pop(rng.randrange(len(pool)))
        agent.carrying_shelf = shelf
        shelf.x, shelf.y = agent.x, agent.y
        env._recalc_grid()
    for agent in env.agents:  # nobody's load was taken away to somewhere else
        assert not agent.carrying_shelf or env.grid[1, agent.y, agent.x] == agent.carrying_shelf.id


RING = [(0, 0, Direction.RIGHT), (1, 0, Direction.DOWN), (1, 1, Direction.LEFT), (0, 1, Direction.UP)]


def rings(env, rng):
    """As many robots as there are in fours that drive in circles, their numbers mixed, the rest where it was."""
    height, width = env.grid_size
    corners = [(x, y) for y in range(0, height - 1, 2) for x in range(0, width - 1, 2)]
    rng.shuffle(corners)
    order = list(env.agents)
    rng.shuffle(order)
    while len(order) >= 4:
        corner_x, corner_y = corners.pop()
        for x, y, way in RING:
            agent = order.pop()
            agent.x, agent.y, agent.dir = corner_x + x, corner_y + y, way
    taken = {(a.x, a.y) for a in env.agents if a not in order}
    spots = [(x, y) for y in range(height) for x in range(width) if (x, y) not in taken]
    for agent in order:
        agent.x, agent.y = spots.pop(rng.randrange(len(spots)))
    env._recalc_grid()


def junction(env):
    """Two pairs that meet, of which the second's front robot has the lower number, the first's rear one the lowest."""
    for agent, x, way in zip(env.agents, (3, 6, 4, 7), (Direction.RIGHT, Direction.LEFT, Direction.RIGHT, Direction.LEFT)):
        agent.x, agent.y, agent.dir = x, 0, way
    env._recalc_grid()


def drive(env, rng, step):
    """Forward, and all to the right, in turns: circles go on until somebody is in their way."""
    return [(1 if step % 2 == 0 else 3) if rng.random() < 0.97 else rng.randrange(5) for _ in env.agents]


def choose(env, agent, rng):
    """At random, but half of the time loads go down to a goal, or back up from it."""
    if agent.carrying_shelf and rng.random() < 0.5:
        goal_x, goal_y = env.goals[agent.id % 2]
        side = Direction.LEFT if agent.x > goal_x else Direction.RIGHT
        way = (side if agent.y == goal_y else Direction.DOWN) if agent.carrying_shelf in env.request_queue else Direction.UP
        return 1 if agent.dir == way else rng.choice((2, 3))
    return rng.choices(range(5), [5, 60, 12, 12, 11])[0]


def seen_by(env, agent, view):
    x, y = agent.x, agent.y
    if env.normalised_coordinates:
        assert view[0] == np.float32(x / (env.grid_size[1] - 1)) and view[1] == np.float32(y / (env.grid_size[0] - 1))
    else:
        assert view[0] == x and view[1] == y
    bits = "".join(str(int(v)) for v in view[2:])
    bits += "0" * (-len(bits) % 4)
    return letters([x, y]) + "".join(f"{int(bits[i:i + 4], 2):x}" for i in range(0, len(bits), 4))


SIZES = {"tiny": (1, 3), "small": (2, 3), "medium": (2, 5), "large": (3, 5)}
REWARDS = {"individual": RewardType.INDIVIDUAL, "global": RewardType.GLOBAL, "two_stage": RewardType.TWO_STAGE}


def play(options, steps, loaded, seed, count, circles=None):
    agents = options.get("agents", 4)
    factor = {"easy": 2, "normal": 1, "hard": 0.5}[options.get("difficulty", "normal")]
    rows, columns = SIZES[options.get("size", "tiny")]
    env = Warehouse(
        shelf_columns=columns,
        column_height=options.get("column_height", 8),
        shelf_rows=rows,
        n_agents=agents,
        msg_bits=0,
        sensor_range=options.get("sensor", 1),
        request_queue_size=options.get("queue") or int(agents * factor),
        max_inactivity_steps=None,
        max_steps=steps,
        reward_type=REWARDS[options.get("rewards", "individual")],
        normalised_coordinates=options.get("normalised", False),
    )
    rng = random.Random(seed)
    for episode in range(count):
        env.reset(seed=seed + episode)
        noted = []
        env._np_random = Drawing(env._np_random, noted)
        if circles == "junction":
            junction(env)
        elif circles:
            rings(env, rng)
        else:
            scramble(env, rng, loaded)
        start = [v for a in env.agents for v in (a.x, a.y, a.dir.value)]
        load = [a.carrying_shelf.id if a.carrying_shelf else 0 for a in env.agents]
        queue = [s.id for s in env.request_queue]
        views = [env._make_obs(a) for a in env.agents]
        seen, acted, paid, done = ["".join(seen_by(env, a, v) for a, v in zip(env.agents, views))], [], [], False
        while not done:
            actions = drive(env, rng, len(seen) - 1) if circles else [choose(env, agent, rng) for agent in env.agents]
            views, rewards, done, _, _ = env.step(actions)
            acted += actions
            paid += [2 * r for r in rewards]
            seen.append("".join(seen_by(env, a, v) for a, v in zip(env.agents, views)))
        env._np_random = env._np_random.inner
        pairs = [f"{k}={str(v).lower()}" for k, v in {**options, "limit": steps}.items()]
        yield {
            "options": ", ".join(f'"{p}"' for p in pairs),
            "option_count": len(pairs),
            "robots": letters(start),
            "load": load,
            "queue": queue,
            "queue_end": [s.id for s in env.request_queue],
            "drawn": noted,
            "actions": letters(acted),
            "paid": letters(paid),
            "seen": seen,
        }


CASES = [
    ({}, 120, 0.7, 1, 2),
    ({"agents": 12, "rewards": "global", "difficulty": "easy"}, 80, 0.4, 11, 2),
    ({"agents": 19, "column_height": 2, "queue": 4}, 80, 0.3, 21, 2),
    ({"size": "small", "agents": 8, "rewards": "two_stage", "column_height": 2}, 120, 0.6, 31, 2),
    ({"agents": 10, "rewards": "two_stage", "column_height": 2, "queue": 6}, 120, 0.6, 41, 2),
    ({"size": "small", "difficulty": "hard", "normalised": True}, 60, 0.7, 51, 1),
    ({"agents": 3, "sensor": 2}, 60, 0.7, 61, 1),
    ({"size": "large", "agents": 6}, 40, 0.5, 71, 1),
    ({"agents": 16, "column_height": 1, "queue": 2}, 24, 0, 81, 2, "rings"),
    ({"agents": 20, "column_height": 2, "queue": 2}, 24, 0, 91, 3, "rings"),
    ({}, 3, 0, 99, 1, "junction"),
]


def numbers(kind, name, values):
    print(f"static const {kind} {name}[] = {{" + ", ".join(map(str, values)) + "};")


def main():
    print("/* Made by make_warehouse.py with rware 2.0.0; letters are numbers from a = 0 on, what is seen is each robot's x, y\n"
          " * and bits by fours, paid are half rewards. */")
    print("typedef struct WarehouseEpisode {")
    print("  const char *option[7];\n  size_t options;\n  const char *robots, *actions, *paid;")
    print("  const uint16_t *load, *queue, *queue_end, *drawn;\n  size_t draws;")
    print("  const char *const *seen; /* before the first action and after each */\n} WarehouseEpisode;")
    episodes = [e for case in CASES for e in play(*case)]
    for i, e in enumerate(episodes):
        print(f"static const char *const warehouse_seen_{i}[] = {{")
        print("\n".join(f'    "{s}",' for s in e["seen"]) + "};")
        for name in ("load", "queue", "queue_end"):
            numbers("uint16_t", f"warehouse_{name}_{i}", e[name])
        numbers("uint16_t", f"warehouse_drawn_{i}", e["drawn"] + [0])
    print("static const WarehouseEpisode warehouse_episode[] = {")
    for i, e in enumerate(episodes):
        print(f'    {{{{{e["options"]}}}, {e["option_count"]}, "{e["robots"]}",\n     "{e["actions"]}",\n     "{e["paid"]}",')
        names = ", ".join(f"warehouse_{name}_{i}" for name in ("load", "queue", "queue_end", "drawn"))
        print(f'     {names}, {len(e["drawn"])}, warehouse_seen_{i}}},')
    print("};")
    paid = sum(c != "a" for e in episodes for c in e["paid"])
    steps = sum(len(e["seen"]) - 1 for e in episodes)
    print(f"{steps} steps, {sum(len(e['drawn']) for e in episodes)} deliveries, {paid} rewards; "
          f"{differs[0]} of {differs[1]} chains differ from the original's hash order", file=sys.stderr)


main()
