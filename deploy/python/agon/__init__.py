"""agon's games and players in Python.

    import agon
    vec = agon.make_vec("connect_four", 1024)      # numpy arrays, written in place
    player = agon.load("main_0.agon")              # of `agon export`, or "runs/connect_four:main_0"
    vec.step(player.act(vec.observations, vec.masks))
    env = agon.pettingzoo.aec("connect_four")      # and parallel(...); agon.gymnasium.make(...)
    run = agon.Run("runs/connect_four")            # what training has written; needs h5py

Only numpy is needed; PettingZoo, Gymnasium and h5py where they are asked for."""

import importlib

from ._library import Error
from .agent import Agent, State, load
from .series import series, tensorboard
from .vec import Vec, games, make_vec, options

__all__ = ["Agent", "Error", "Run", "State", "Vec", "games", "gymnasium", "load", "make_vec", "options", "pettingzoo",
           "series", "tensorboard"]


def __getattr__(name):
    if name in ("pettingzoo", "gymnasium", "torch"): return importlib.import_module("." + name, __name__)
    if name == "Run": return importlib.import_module(".run", __name__).Run
    raise AttributeError(f"module 'agon' has no '{name}'")
