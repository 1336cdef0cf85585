"""What the numbers of a run over time are called: by the table that the program itself goes by."""

import ctypes

from . import _library as c


def series():
    """{name: what it is}, of `Run.metrics()` and metrics.jsonl. PLAYER/... is a player's; a '*' at the end stands for what a game
    calls what it measures, or for a rule of matchmaking."""
    out, name, what = {}, ctypes.c_char_p(), ctypes.c_char_p()
    while c.lib.agon_series(len(out), ctypes.byref(name), ctypes.byref(what)) == 0: out[name.value.decode()] = what.value.decode()
    return out


def tensorboard(name):
    """("main_0", "losses/entropy") of "main_0/entropy": the folder in RUN/tb, and the tag; the folder of what is no player's is None
    (it is "league", or "team" where one team plays)."""
    tag = ctypes.create_string_buffer(128)
    size = c.lib.agon_series_tag(name.encode(), tag, len(tag))
    return name.encode()[:size].decode() or None, tag.value.decode()
