"""Gymnasium: one agent."""

import numpy as np

import agon_spaces as spaces
from agon_spaces import Unsupported

RUNNING, CHANCE, TERMINATED, TRUNCATED = 0, 1, 2, 3


def make(name, kwargs):
    import gymnasium
    try:
        spec = gymnasium.spec(name)
    except gymnasium.error.Error as error:
        raise Unsupported(f"{str(error).rstrip('.')}; 'python3 -c \"import gymnasium; gymnasium.pprint_registry()\"' lists them; one that another package "
                          "registers is named with it, gymnasium:PACKAGE:ID") from None
    limit = kwargs.get("max_episode_steps", spec.max_episode_steps)
    version = gymnasium.__version__

    def factory():
        return gymnasium.make(name, disable_env_checker=True, **kwargs)
    return factory, limit, f"Gymnasium {version}, {spec.id}"


def told(answer):
    """How many values there are where another number was expected."""
    return f"{len(answer)} values" if isinstance(answer, tuple) else f"a {type(answer).__name__}"


def two(answer):
    """What reset returned: environments of the old Gym return the observation alone."""
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], dict): return answer
    raise TypeError(f"reset returned {told(answer)} instead of two, observation and info (a dict): is it an environment of the old Gym?")


class Game:
    """What all its episodes have in common."""

    def __init__(self, factory, limit, summary, options, first=None):
        self.factory = factory
        first = factory() if first is None else first
        self.limit = options["steps"] or limit or 1000
        self.sees, self.does = spaces.seen(first.observation_space), spaces.done(first.action_space)
        self.check, self.looked = None if options["bounds"] == "free" else getattr(self.sees, "check", None), 0
        _, info = two(first.reset(seed=0))
        self.masked = "action_mask" in info and self.does.sizes is not None
        self.spare = Episode(self, first)
        names = self.sees.names if self.sees.names and isinstance(self.sees, spaces._Joined) else None
        self.spec = {"summary": summary, "agents": 1, "teams": 1, "team_of": [0], "kind_of": [0],
                     "kinds": [spaces.describe(self.sees, self.does, None, options["bounds"])], "step_limit": self.limit, "seeded": True,
                     "masks": self.masked, "flags": [], "observation_names": names}

    def open(self):
        episode, self.spare = self.spare, None
        return episode or Episode(self, self.factory())


class Episode:
    """One live environment."""

    def __init__(self, game, env):
        self.game, self.env, self.steps = game, env, 0
        self.advance, self.read, self.write = env.step, game.does.read, game.sees.write  # looked up once
        self.status, self.acting, self.alive, self.rewards = RUNNING, (0,), (0,), [0.0]
        self.seen, self.info = None, {}

    def restart(self, seed):
        self.seen, self.info = two(self.env.reset(seed=seed))
        self.steps, self.status, self.acting, self.alive = 0, RUNNING, (0,), (0,)

    def step(self, words):
        answer = self.advance(self.read(words))
        try: self.seen, reward, terminated, truncated, self.info = answer
        except (TypeError, ValueError):
            raise TypeError(f"step returned {told(answer)} instead of five: observation, reward, terminated, truncated, info") from None
        self.steps += 1
        self.rewards[0] = float(reward)
        if terminated: self.status, self.acting, self.alive = TERMINATED, (), ()
        elif truncated or self.steps >= self.game.limit: self.status = TRUNCATED

    def observe(self, agent, out):
        self.write(self.seen, out)
        game = self.game
        if game.check and (game.looked < 2000 or self.steps % 32 == 0):  # it costs as much as the step of a small environment
            game.looked += 1
            game.check(self.seen)

    def has_mask(self):
        return "action_mask" in self.info and self.game.does.sizes is not None

    def mask(self, agent, out):
        if "action_mask" not in self.info: raise ValueError("info has no 'action_mask', which it had after the first reset")
        spaces.write_mask(self.info["action_mask"], out, self.game.does.sizes)

    def close(self):
        self.env.close()
