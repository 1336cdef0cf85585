"""Spaces of Gymnasium (and PettingZoo, whose spaces are Gymnasium's) as rows of numbers and as choices.

An observation becomes one row of floats or of bytes: boxes as they are, pictures as planes (channels first), numbers of a
Discrete as one bit each, dictionaries and tuples side by side. An action comes as words: a choice for each head, or a value
for each component of a box."""

import numpy as np


SLACK = 1e-5  # by which an observation may lie outside of its space, as numbers are rounded


class Unsupported(Exception):
    """A space, or an environment, that cannot be played; the text says what to do."""


def _kind(space):
    return type(space).__name__


def _planes(shape):
    """Channels, height and width of a picture, and how its axes are turned to get there; None where it is no picture."""
    if len(shape) == 2: return (1, *shape), None
    if len(shape) != 3: return None, None
    if shape[2] <= shape[0] or shape[0] > 64: return (shape[2], shape[0], shape[1]), (2, 0, 1)
    return shape, None


class _Box:
    """An array. Pictures and boards keep their planes where they stand alone."""

    def __init__(self, space):
        self.shape, self.dtype = tuple(space.shape), space.dtype
        self.size = int(np.prod(self.shape, dtype=int))
        self.bytes = space.dtype == np.uint8
        self.planes, self.turn = _planes(self.shape)
        low, high = np.asarray(space.low, float), np.asarray(space.high, float)
        self.low = float(low.min()) if low.size else 0.0
        self.high = float(high.max()) if high.size else 0.0
        self.names = ["[" + ",".join(map(str, at)) + "]" for at in np.ndindex(*self.shape)] if self.size <= 1024 else None
        slack = np.nan_to_num(SLACK * (1 + np.maximum(abs(low), abs(high))), posinf=0)
        self.least, self.most = low - slack, high + slack
        self.bounded = bool(((low > 0) | (high < 255)).any()) if self.bytes else bool((np.isfinite(low) | np.isfinite(high)).any())
        if not self.bytes: self.low, self.high = (float(self.least.min()), float(self.most.max())) if self.size else (0.0, 0.0)

    def check(self, value):
        """Numbers outside of the space are a fault of the environment."""
        if not self.bounded: return
        value = np.asarray(value)
        bad = ~((value >= self.least) & (value <= self.most))
        if not bad.any(): return
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        low, high = np.broadcast_to(self.least, self.shape)[at], np.broadcast_to(self.most, self.shape)[at]
        raise ValueError(f"element {list(at)} of an observation is {value[at]:g}, its space says {low:g} .. {high:g} (env.bounds=free takes it)")

    def fit(self, value):
        """Of another type than the space says: any numbers will do, but bytes must be bytes, as others would be cut without a word."""
        if value.dtype.kind not in "biuf": raise ValueError(f"an observation is of type {value.dtype}, its space says {self.dtype}")
        if not self.bytes or value.dtype.kind == "b": return
        bad = ~((value >= 0) & (value <= 255) & (value == np.floor(value)))
        if bad.any(): raise ValueError(f"an observation has {value[bad][0]:g} as {value.dtype}, its space says whole numbers of {self.dtype}")

    def write(self, value, out):
        if getattr(value, "shape", None) != self.shape or not isinstance(value, np.ndarray):
            value = np.asarray(value)
            if value.shape != self.shape:
                raise ValueError(f"an observation has shape {value.shape}, its space says {self.shape}")
        if value.dtype is not self.dtype and value.dtype != self.dtype: self.fit(value)
        if self.turn: value = value.transpose(self.turn)
        out[:] = value if value.ndim == 1 else value.reshape(-1)


class _OneBit:
    """A number below n as n bits."""

    def __init__(self, space):
        self.size, self.start, self.bytes, self.planes = int(space.n), int(getattr(space, "start", 0)), False, None
        self.low, self.high = 0.0, 1.0
        self.names = [f"={i + self.start}" for i in range(self.size)]

    def write(self, value, out):
        try: at = int(value) - self.start
        except (TypeError, ValueError): at = -1
        if not 0 <= at < self.size or at + self.start != value:
            raise ValueError(f"an observation is {value}, its space has the whole numbers {self.start} .. {self.start + self.size - 1}")
        out[:] = 0
        out[at] = 1


class _Bits:
    """Several such numbers, or bits that are already."""

    def __init__(self, space):
        self.binary = _kind(space) == "MultiBinary"
        shape = tuple(space.shape)
        self.shape, self.bytes, self.planes = shape, False, None
        self.low, self.high = 0.0, 1.0
        if self.binary:
            self.size, self.names = int(np.prod(shape)), None
            return
        self.each = np.asarray(space.nvec).reshape(-1).astype(int)
        start = getattr(space, "start", None)
        self.start = np.zeros_like(self.each) if start is None else np.asarray(start).reshape(-1)
        self.first = np.concatenate(([0], np.cumsum(self.each)[:-1]))
        self.size = int(self.each.sum())
        self.names = [f"[{i}]={k}" for i, n in enumerate(self.each) for k in range(n)]

    def write(self, value, out):
        value = np.asarray(value)
        if value.shape != self.shape: raise ValueError(f"an observation has shape {value.shape}, its space says {self.shape}")
        if self.binary:
            if not ((value == 0) | (value == 1)).all(): raise ValueError(f"an observation is {value}, its space says bits")
            out[:] = value.reshape(-1)
            return
        if value.dtype.kind not in "iu": raise ValueError(f"an observation is of type {value.dtype}, its space says whole numbers")
        at = value.reshape(-1) - self.start
        if (at < 0).any() or (at >= self.each).any(): raise ValueError(f"an observation is {value}, outside of its space")
        out[:] = 0
        out[self.first + at] = 1


class _Joined:
    """A dictionary's or a tuple's parts, one after another, by their names."""

    def __init__(self, parts):
        self.parts, self.planes = parts, None
        self.checked = [(key, part) for key, part in parts if getattr(part, "check", None)]
        self.bytes = all(part.bytes for _, part in parts)
        self.size = sum(part.size for _, part in parts)
        self.low = min((part.low for _, part in parts), default=0.0)
        self.high = max((part.high for _, part in parts), default=0.0)
        self.names = []
        for key, part in parts:
            own = part.names if part.names else [f"[{i}]" for i in range(part.size)]
            self.names += [f"{key}{'' if part.size == 1 and own[0].startswith('[') else ('.' + name if name[0] not in '[=' else name)}"
                           for name in own]

    def check(self, value):
        for key, part in self.checked: part.check(value[key])

    def write(self, value, out):
        at = 0
        for key, part in self.parts:
            try: own = value[key]
            except (KeyError, IndexError, TypeError): raise ValueError(f"an observation has no part '{key}', which its space has: it is {str(value)[:60]}") from None
            part.write(own, out[at:at + part.size])
            at += part.size


def seen(space):
    """How what an agent sees is written into its row."""
    kind = _kind(space)
    if kind == "Box":
        if not np.issubdtype(space.dtype, np.number) and space.dtype != bool:
            raise Unsupported(f"observations of type {space.dtype} cannot be rows of numbers")
        return _Box(space)
    if kind == "Discrete": return _OneBit(space)
    if kind in ("MultiDiscrete", "MultiBinary"): return _Bits(space)
    if kind == "Dict": return _Joined([(key, seen(part)) for key, part in space.spaces.items()])
    if kind == "Tuple": return _Joined([(i, seen(part)) for i, part in enumerate(space.spaces)])
    raise Unsupported(f"observations of space {kind} ({space}) cannot be rows of numbers: Box, Discrete, MultiDiscrete, MultiBinary, Dict and "
                      "Tuple can; wrap the environment (python:MODULE:FACTORY) so that it shows one of those")


class _Choice:
    def __init__(self, space):
        self.sizes, self.start, self.low, self.high = [int(space.n)], int(getattr(space, "start", 0)), None, None

    def read(self, words):
        return int(words[0]) + self.start


class _Choices:
    """MultiDiscrete, MultiBinary, and boxes of whole numbers."""

    def __init__(self, space):
        kind = _kind(space)
        self.shape, self.dtype, self.low, self.high = space.shape, space.dtype, None, None
        if kind == "MultiBinary": sizes, start = np.full(space.shape, 2), 0
        elif kind == "Box": sizes, start = np.asarray(space.high, int) - np.asarray(space.low, int) + 1, np.asarray(space.low, int)
        else: sizes, start = np.asarray(space.nvec), getattr(space, "start", 0)
        self.sizes = [int(n) for n in np.asarray(sizes).reshape(-1)]
        self.start = np.broadcast_to(np.asarray(0 if start is None else start), np.asarray(sizes).shape).reshape(-1)

    def read(self, words):
        return (np.asarray(words) + self.start).astype(self.dtype).reshape(self.shape)


class _Values:
    """A box of real numbers."""

    def __init__(self, space):
        low, high = np.asarray(space.low, np.float32).reshape(-1), np.asarray(space.high, np.float32).reshape(-1)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise Unsupported(f"an action space without bounds ({space}): agents act in half-ranges around a middle; bound it, by "
                              "gymnasium.wrappers.RescaleAction, say, in a factory of your own (python:MODULE:FACTORY)")
        if not (low < high).all(): raise Unsupported(f"an action space with an empty range ({space})")
        self.shape, self.dtype = space.shape, space.dtype
        self.sizes, self.low, self.high = None, low.tolist(), high.tolist()

    def read(self, words):
        return np.asarray(words, np.float32).astype(self.dtype).reshape(self.shape)


class _Several:
    """A dictionary or a tuple of such spaces."""

    def __init__(self, parts, named):
        self.parts, self.named = parts, named
        values = [part.sizes is None for _, part in parts]
        if any(values) and not all(values):
            raise Unsupported("an action space with choices beside values: an agent acts in the ones or in the others; cut the values into choices, in "
                              "a factory of your own (python:MODULE:FACTORY)")
        self.sizes = None if values and values[0] else [n for _, part in parts for n in part.sizes]
        self.low = [x for _, part in parts for x in part.low] if self.sizes is None else None
        self.high = [x for _, part in parts for x in part.high] if self.sizes is None else None

    def read(self, words):
        out, at = [], 0
        for key, part in self.parts:
            heads = len(part.sizes if part.sizes is not None else part.low)
            out.append((key, part.read(words[at:at + heads])))
            at += heads
        return dict(out) if self.named else tuple(value for _, value in out)


def done(space):
    """How an agent's words become what it does."""
    kind = _kind(space)
    if kind == "Discrete": return _Choice(space)
    if kind in ("MultiDiscrete", "MultiBinary"): return _Choices(space)
    if kind == "Box": return _Choices(space) if np.issubdtype(space.dtype, np.integer) and (space.high.astype(float) - space.low.astype(float) < 1024).all() else _Values(space)
    if kind == "Dict": return _Several([(key, done(part)) for key, part in space.spaces.items()], True)
    if kind == "Tuple": return _Several([(i, done(part)) for i, part in enumerate(space.spaces)], False)
    raise Unsupported(f"actions of space {kind} ({space}): Discrete, MultiDiscrete, MultiBinary, Box, and Dict and Tuple of those can be played")


def write_mask(mask, out, sizes):
    """Masks of one head, or of several as a tuple. Each leaves a choice."""
    if isinstance(mask, (tuple, list)) and len(mask) and np.ndim(mask[0]): mask = np.concatenate([np.asarray(part).reshape(-1) for part in mask])
    mask = np.asarray(mask)
    if mask.size != out.size: raise ValueError(f"an action_mask has {mask.size} entries for {out.size} choices")
    out[:] = mask.reshape(-1) != 0
    left = out.any() if len(sizes) == 1 else np.add.reduceat(out, np.cumsum([0] + sizes[:-1])).all()
    if not left: raise ValueError("an action_mask leaves nothing to do: somebody who is to act needs a legal action")


def stem(name):
    """archer_0 is an archer."""
    head, bar, number = name.rpartition("_")
    return head if bar and number.isdigit() else name


def teams_of(asked, names, usual):
    """How many teams there are, and whose each agent is: `usual` where nothing is asked for."""
    if asked == "auto": team_of = usual
    elif asked == "one": team_of = [0] * len(names)
    elif asked == "each": team_of = list(range(len(names)))
    elif asked == "name":
        stems = [stem(name) for name in names]
        order = list(dict.fromkeys(stems))
        team_of = [order.index(stem) for stem in stems]
    else:
        groups = [[name.strip() for name in group.split(",")] for group in asked.split("/")]
        listed = [name for group in groups for name in group]
        if sorted(listed) != sorted(names):
            raise Unsupported(f"env.teams={asked}: it is auto, one, each, name, or every agent once, teams parted by '/'; the agents are {', '.join(names)}")
        team_of = [next(i for i, group in enumerate(groups) if name in group) for name in names]
    return max(team_of) + 1, team_of


def describe(sees, does, name, bounds):
    """What agon is told of agents that see and act so."""
    shape = list(sees.planes) if sees.planes else [sees.size, 1, 1]
    free = bounds == "free" and not sees.bytes
    kind = {"name": name, "bytes": sees.bytes, "shape": shape}
    if np.isfinite(sees.low) and not free: kind["low"] = sees.low
    if np.isfinite(sees.high) and not free: kind["high"] = sees.high
    if does.sizes is None: kind.update(action_low=does.low, action_high=does.high)
    else: kind["sizes"] = does.sizes
    if does.sizes is not None and len(does.sizes) == 0: raise Unsupported("an action space without any choice")
    if sees.size == 0: raise Unsupported("an observation space without any number")
    return kind
