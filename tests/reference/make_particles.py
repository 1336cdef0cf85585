#!/usr/bin/env python3
"""Makes particles_numbers.h: short episodes of the particle environments as their sources play them - starts, actions,
rewards, ends, rows. Run by hand when a rule changes:
    python3 make_particles.py [MULTIAGENT] > particles_numbers.h
with PyPI's mpe2 (PettingZoo's MPE; 1.1.1 here) and numpy installed, and with a checkout of the first implementation,
multiagent-particle-envs, whose episodes are made only if it is named."""
import importlib, os, sys, types

import numpy as np

STEPS = 12
NEAR = 0.104  # farther apart than this, contacts are nothing (particles.c)


def numbers(kind, name, values):
    text = ", ".join(repr(float(v)) + ("f" if kind == "float" else "") for v in values)
    print(f"static const {kind} {name}[] = {{{text}}};")


def colliders(world):
    return [e for e in world.entities if e.collide]


def is_plain(world, tag):
    """Whether nothing but + - * / and roots decides the next step: exp and log1p may round otherwise elsewhere."""
    bodies = colliders(world)
    for i, a in enumerate(bodies):
        for b in bodies[i + 1:]:
            if not (a.movable or b.movable): continue
            if np.sqrt(np.sum(np.square(a.state.p_pos - b.state.p_pos))) - a.size - b.size < NEAR: return False
    return not tag or all(abs(x) < 1 for a in world.agents for x in a.state.p_pos)


def goals(world):
    first = world.agents[0]
    if not hasattr(first, "goal_a") and not hasattr(first, "_goal_a"): return [0, 0]
    holders = [first] if getattr(first, "goal_b", None) is None or world.agents[1].silent else world.agents
    found = [world.landmarks.index(getattr(a, "goal_b", None) or a.goal_a) for a in holders]
    return (found + [0])[:2]


class Case:
    def __init__(self, name, env, options, world, width):
        self.name, self.env, self.options, self.world, self.width = name, env, options, world, width
        self.start = [v for e in world.entities for v in e.state.p_pos]
        self.goal, self.plain, self.actions, self.rewards = goals(world), True, [], []

    def put(self, rows):
        agents, landmarks = len(self.world.agents), len(self.world.landmarks)
        end = [v for e in self.world.entities for v in e.state.p_pos] + [v for a in self.world.agents for v in a.state.p_vel]
        numbers("double", f"{self.name}_start", self.start)
        numbers("float", f"{self.name}_action", self.actions)
        numbers("double", f"{self.name}_reward", self.rewards)
        numbers("double", f"{self.name}_end", end)
        numbers("float", f"{self.name}_rows", np.concatenate(rows).astype(np.float32))
        options = ", ".join(f'"{o}"' for o in self.options)
        return (f'    {{"{self.env}", {{{options}}}, {len(self.options)}, {agents}, {landmarks}, {STEPS}, {self.width}, '
                f'{{{self.goal[0]}, {self.goal[1]}}}, {"true" if self.plain else "false"}, '
                + ", ".join(f"{self.name}_{part}" for part in ("start", "action", "reward", "end", "rows"))
                + f", {sum(len(r) for r in rows)}}},")


def pettingzoo(env, version, box, seed, **options):
    module = importlib.import_module(f"mpe2.{env}_v{version}")
    game = module.parallel_env(max_cycles=STEPS, continuous_actions=box, **options)
    game.reset(seed=seed)
    world, names = game.unwrapped.world, game.possible_agents
    dice = np.random.default_rng(seed)
    spaces = [game.action_space(n) for n in names]
    width = max(s.shape[0] for s in spaces) if box else 1
    words = [f"{k}={v}" for k, v in options.items() if k == "local_ratio"]
    case = Case(f"{env}_{'box' if box else 'discrete'}_{seed}", env, [f"limit={STEPS}"] + (["actions=box"] if box else []) + words, world, width)
    for _ in range(STEPS):
        case.plain &= is_plain(world, env == "simple_tag")
        acts = [dice.random(s.shape[0]).astype(np.float32) if box else int(dice.integers(s.n)) for s in spaces]
        for a in acts:
            flat = list(a) if box else [a]
            case.actions += flat + [0] * (width - len(flat))
        _, rewards, _, _, _ = game.step(dict(zip(names, acts)))
        case.rewards += [rewards[n] for n in names]
    case.plain &= is_plain(world, env == "simple_tag")
    return case.put([game.unwrapped.observe(n) for n in names])


def openai(env, seed):
    """The first implementation's world and scenario; actions as its discrete input takes them."""
    np.random.seed(seed)
    scenario = importlib.import_module(f"multiagent.scenarios.{env}").Scenario()
    world = scenario.make_world()
    both = env == "simple_reference"
    options = [f"limit={STEPS}", "rules=openai"] + (["actions=heads"] if both else [])
    case = Case(f"{env}_openai_{seed}", env, options, world, 2 if both else 1)
    for _ in range(STEPS):
        case.plain &= is_plain(world, env == "simple_tag")
        for agent in world.agents:
            agent.action.u, agent.action.c = np.zeros(2), np.zeros(world.dim_c)
            if agent.movable:
                move = np.random.randint(5)
                if move: agent.action.u[(move - 1) // 2] = (agent.accel or 5.0) * (1 if move % 2 == 0 else -1)
                case.actions.append(move)
            if not agent.silent:
                word = np.random.randint(world.dim_c)
                agent.action.c[word] = 1
                case.actions.append(word)
        world.step()
        paid = [scenario.reward(a, world) for a in world.agents]
        if getattr(world, "collaborative", False): paid = [np.sum(paid)] * len(paid)  # as its environment.py does
        case.rewards += paid
    case.plain &= is_plain(world, env == "simple_tag")
    return case.put([scenario.observation(a, world) for a in world.agents])


print("/* Made by make_particles.py from MPE2 (PettingZoo's MPE) and multiagent-particle-envs; not edited. `plain`: nothing but\n"
      " * sums, products and roots decided rewards and places, which therefore agree to the last bit. */")
ENVS = [("simple_spread", 3), ("simple_tag", 3), ("simple_adversary", 3), ("simple_speaker_listener", 4), ("simple_reference", 3)]
table = []
for env, version in ENVS:
    for box in (False, True):
        for seed in (5, 12) if env in ("simple_spread", "simple_tag") else (5,):
            table.append(pettingzoo(env, version, box, seed))
for env in ("simple_spread", "simple_reference"):
    table.append(pettingzoo(env, 3, False, 7, local_ratio=0.25))
if len(sys.argv) > 1:
    class Stub(types.ModuleType):
        def __getattr__(self, name): return lambda *a, **k: None
    for name in ("gym", "gym.envs", "gym.envs.registration"): sys.modules[name] = Stub(name)
    os.environ["SUPPRESS_MA_PROMPT"] = "1"
    sys.path.insert(0, sys.argv[1])
    for env, _ in ENVS: table.append(openai(env, 5))
print("static const ParticleCase particle_case[] = {")
print("\n".join(table))
print("};")
