"""Spaces of Gymnasium (PettingZoo uses the same) for a game's rows."""

import numpy as np
from gymnasium import spaces

from . import _library as c


def observation(vec):
    return spaces.Box(vec.info.observation_low, vec.info.observation_high, vec.observation_shape, vec.observation_type.type)


def action(vec):
    if vec.box: return spaces.Box(vec.action_low, vec.action_high, dtype=np.float32)
    return spaces.Discrete(vec.head_sizes[0]) if vec.heads == 1 else spaces.MultiDiscrete(vec.head_sizes)


def mask(vec):
    """As `sample(mask)` of the action's space takes it: of several heads one for each."""
    each = [spaces.Box(0, 1, (size,), np.int8) for size in vec.head_sizes]
    return each[0] if vec.heads == 1 else spaces.Tuple(each)


def masks(vec, row):
    """A row of a mask in the form of `mask`."""
    row, out, at = row.astype(np.int8), [], 0
    for size in vec.head_sizes:
        out.append(row[at:at + size])
        at += size
    return out[0] if vec.heads == 1 else tuple(out)


def names(vec):
    """"player_0" and so on, or what the game calls them."""
    own = [name.replace(" ", "_") for name in vec.agent_names or []]
    return own if own and len(set(own)) == len(own) else [f"player_{i}" for i in range(vec.num_agents)]


def chosen(vec, action, who):
    """An agent's action as a row of heads: what has another shape or type is refused, and not broadcast or rounded."""
    action = np.asarray(action)
    if action.shape != (vec.heads,) and not (vec.heads == 1 and action.shape == ()):
        raise ValueError(f"the action of {who} has shape {action.shape}; {vec.title} wants ({vec.heads},)"
                         + (" or one number" if vec.heads == 1 else ""))
    action = c.numbers_of(action, f"actions of {who}") if vec.box else c.choices(action, f"actions of {who}")
    if vec.box and np.isnan(action).any(): raise ValueError(f"the action of {who} is not a number (nan)")
    return action.reshape(vec.heads)


def illegal(vec, action, row):
    """The first head whose choice a row of a mask forbids; None: there is none."""
    at = 0
    for head, size in enumerate(vec.head_sizes):
        if not (0 <= action[head] < size and row[at + action[head]]): return head
        at += size
    return None
