"""An environment in the manner of Gymnasium that needs nothing but numpy: one lamp of five is lit, and the agent is paid for
naming it. What it sees is a dictionary; the lamp that was lit before is masked. It can be told to go wrong in any way."""

import os
import random
import signal
import sys
import time

import numpy as np

drawn = 0  # by all episodes: no part of seed and actions


class Space:
    def __eq__(self, other):
        return type(self) is type(other) and repr(vars(self)) == repr(vars(other))


class Box(Space):
    def __init__(self, low, high, shape, dtype=np.float32):
        self.low, self.high, self.shape, self.dtype = np.full(shape, low, dtype), np.full(shape, high, dtype), shape, np.dtype(dtype)


class Discrete(Space):
    def __init__(self, n, start=0):
        self.n, self.start = n, start


class MultiDiscrete(Space):
    def __init__(self, nvec):
        self.nvec, self.shape, self.dtype = np.array(nvec), (len(nvec),), np.dtype(np.int64)


class MultiBinary(Space):
    def __init__(self, n):
        self.n, self.shape = n, (n,)


class Dict(Space):
    def __init__(self, **spaces):
        self.spaces = spaces


class Text(Space):
    pass


class Lamps:
    metadata = {"render_modes": ["ansi"]}
    spec = None

    def __init__(self, lamps=5, steps=12, wrong="", at=3, actions="discrete"):
        self.lamps, self.steps, self.wrong, self.at = lamps, steps, wrong, at
        self.observation_space = Dict(lit=Discrete(lamps, start=1), clock=Box(0, 1, (2,)), picture=Box(0, 255, (2, 2), np.uint8))
        self.action_space = {"discrete": Discrete(lamps, start=1), "heads": MultiDiscrete([lamps, 2]), "box": Box(-1, 1, (2,)),
                             "free": Box(-np.inf, np.inf, (2,)), "text": Text()}[actions]
        if wrong == "made": raise RuntimeError("the lamps cannot be made")
        self.masks = actions == "discrete"
        self.heads = actions

    def light(self):
        before = getattr(self, "lit", 0)
        if self.wrong == "global": self.lit = random.randrange(self.lamps)
        else: self.lit = int(self.dice.integers(self.lamps))
        if self.lit == before: self.lit = (self.lit + 1) % self.lamps
        self.before = before
        seen = {"lit": self.lit + 1, "clock": np.array([self.time / self.steps, 0], np.float32), "picture": np.full((2, 2), self.lit, np.uint8)}
        if self.time == self.at: self.spoil(seen)
        return seen

    def spoil(self, seen):
        """What is seen in the step that goes wrong."""
        wrong = self.wrong
        if wrong == "bounds": seen["clock"][1] = 1.5
        if wrong == "nan": seen["clock"][1] = np.nan
        if wrong == "shape": seen["picture"] = np.zeros((2, 3), np.uint8)
        if wrong == "bytes": seen["picture"] = np.full((2, 2), 300)
        if wrong == "half": seen["picture"] = np.full((2, 2), 1.5, np.float32)
        if wrong == "words": seen["clock"] = np.array(["noon", "night"])
        if wrong == "number": seen["lit"] = 2.5
        if wrong == "part": del seen["clock"]
        if wrong == "look": seen["lit"] = None

    def info(self):
        if not self.masks or self.wrong == "unmasked" or self.wrong == "late" and self.time == 0: return {}
        if self.time == self.at and self.wrong == "mask": return {"action_mask": np.zeros(self.lamps, bool)}
        if self.time == self.at and self.wrong == "maskless": return {}
        return {"action_mask": np.arange(self.lamps) != self.before}

    def reset(self, seed=None, options=None):
        self.dice, self.time, self.lit = np.random.default_rng(seed), 0, -1
        if self.wrong == "reset" and seed > 1 << 28: raise RuntimeError("the lamps do not begin")
        return self.light() if self.wrong == "old" else (self.light(), self.info())

    def step(self, action):
        global drawn
        drawn += 1
        self.time += 1
        if self.time == self.at:
            if self.wrong == "raise": raise RuntimeError("the lamps went out")
            if self.wrong == "exit": os._exit(9)
            if self.wrong == "signal": os.kill(os.getpid(), signal.SIGKILL)
            if self.wrong == "fault": os.kill(os.getpid(), signal.SIGSEGV)
            if self.wrong == "leave": sys.exit("the lamps have gone home")
            if self.wrong == "heir" and os.fork() == 0: time.sleep(20) or os._exit(0)
            if self.wrong == "heir": os._exit(9)  # a child holds all that was open
            while self.wrong == "hang": time.sleep(0.05)
            if self.wrong == "slow": time.sleep(1.2)
            if self.wrong == "print": print("rubbish: {}", flush=True) or os.write(1, b"more of it\n")
        if self.wrong == "unmasked" and action - 1 == self.before: raise ValueError(f"lamp {action} cannot be named")
        if self.wrong == "four": return self.light(), 0.0, False, {}
        named = action - 1 if self.heads == "discrete" else int(action[0]) if self.heads == "heads" else int((action[0] + 1) / 2 * self.lamps * .999)
        reward = 1.0 if named == self.lit else 0.0
        if self.wrong == "ghost" and drawn % 7 == 0: reward += 1
        return self.light(), reward, self.wrong != "cut" and self.time >= self.steps, self.wrong == "cut" and self.time >= self.steps, self.info()

    def close(self):
        pass
