"""Many games at once, in numpy arrays that the library writes in place."""

import ctypes
import os

import numpy as np

from . import _library as c


def _text(value):
    return ("true" if value else "false") if isinstance(value, (bool, np.bool_)) else str(value)


def games():
    """Names of the built-in games."""
    names = []
    while (name := c.lib.agon_vec_name(len(names))) is not None:
        names.append(name.decode())
    return names


def options(name):
    """What can be said of a game: {option: {"default", "help", "range" or "choices"}}, for `make_vec(name, n, option=...)`."""
    vec, out = Vec(name, 1), {}
    while option := vec._read("agon_vec_option", len(out)):
        one = option.contents
        about = {"default": one.fallback.decode(), "help": one.help.decode()}
        if one.type < 2: about["range"] = (one.low, one.high)
        if one.choices: about["choices"] = one.choices.decode().split("|")
        out[one.name.decode()] = about
    return out


class Vec:
    """n games of one kind. After `reset` and each `step` the arrays hold (n games; rows: one where agents take turns, and
    then there is no such axis, else one for each agent):

    observations (n[, rows], ...)   what who acts sees          masks (n[, rows], choices)  1: legal; 0 in rows of who does not act
    agents, acts (n[, rows])        whose row, and whether it acts     alive (n, agents)
    rewards (n, agents)             of the last step            terminated, truncated (n)   ended by the rules, cut short
    of games that ended in the last step, as they ended: final_observations (n, agents, ...), outcomes (n, teams),
    metrics (n, metrics), lengths (n); of the others these hold what was there before

    They are the same arrays all the time, for reading: copy what must stay. With again=True a game that ends has begun anew when
    `step` returns, so that observations and masks are of the new episode (Gymnasium calls it SAME_STEP); what was last seen of
    the old one is in final_observations. Else it stands still until `reset`.

    The same seed gives the same games, however many others run beside them. One thread at a time uses a Vec (another is
    refused); several threads with one each run side by side, as the library does without Python's lock. A process that was
    forked has games of its own, which go on from there."""

    def __init__(self, name, n=1, *, seed=None, again=True, **options):
        pairs = [f"{key}={_text(value)}".encode() for key, value in options.items()]
        value = ctypes.c_void_p()
        n = c.count(n, "the number of games", 1, 1 << 24)
        try:
            c.call("agon_vec_open", os.fspath(name).encode(), (ctypes.c_char_p * max(len(pairs), 1))(*pairs), len(pairs), n, bool(again),
                   ctypes.byref(value))
        except c.Error as why:
            if not options: raise
            raise c.Error(str(why).replace("command line: ", "").replace("'agon config schema'", f"agon.options({name!r})")) from None
        info = c.lib.agon_vec_info(value).contents
        self.name, self.title, self.summary = (text.decode() for text in (info.name, info.title, info.summary))
        self._handle = c.Handle(self.title, value, c.lib.agon_vec_close)
        self.info = c.plain(info)
        self.n, self.num_agents, self.teams, self.version = n, info.agents, info.teams, info.version
        self.turns = info.rows == 1 and info.agents > 1
        self.rows, self.heads, self.box = info.rows, info.heads, info.action_kind == c.BOX
        self.head_sizes = [] if self.box else c.numbers(info.head_size, info.heads, int)
        self.action_low, self.action_high = ((np.array(c.numbers(p, info.heads), np.float32) for p in (info.action_low, info.action_high))
                                             if self.box else (None, None))
        self.team_of = c.numbers(info.team_of, info.agents, int)
        self.kind_of = c.numbers(info.kind_of, info.agents, int)
        self.metric_names = [name.decode() for name in c.numbers(info.metric_names, info.metrics, bytes)]
        self.agent_names = [name.decode() for name in c.numbers(info.agent_names, info.agents, bytes)] or None
        self.has_scripted, self.has_masks = bool(info.has_scripted), bool(info.has_mask) and not self.box
        self.observation_shape = c.shape_of(info.observation_shape)
        self.observation_type = np.dtype(c.element(info.observation_type))
        self.action_type = np.dtype(np.float32 if self.box else np.int32)
        rows = () if info.rows == 1 else (info.rows,)
        whole = {"observations": ((n, *rows, *self.observation_shape), self.observation_type),
                 "masks": ((n, *rows, info.mask_count), np.uint8), "agents": ((n, *rows), np.uint32), "acts": ((n, *rows), np.bool_),
                 "alive": ((n, info.agents), np.bool_), "rewards": ((n, info.agents), np.float32), "terminated": ((n,), np.bool_),
                 "truncated": ((n,), np.bool_), "final_observations": ((n, info.agents, *self.observation_shape), self.observation_type),
                 "outcomes": ((n, info.teams), np.float32), "metrics": ((n, info.metrics), np.float32), "lengths": ((n,), np.uint32)}
        self._kept = {key: np.zeros(shape, kind) for key, (shape, kind) in whole.items()}
        for key, array in self._kept.items():
            view = array.view()
            view.flags.writeable = False
            setattr(self, key, view)
        c.lib.agon_vec_write_to(value, ctypes.byref(c.VecArrays(*[self._kept[key].ctypes.data for key in c.ARRAYS])))
        self._action_shapes = {(n, *rows, info.heads), (n, *rows) if info.heads == 1 else None} - {None}
        self._full = (n, *rows, info.heads)
        self.reset(seed)

    def close(self):
        """Frees the games; the arrays stay as they are. What nobody has any more is closed by itself."""
        self._handle.close()

    def __reduce__(self):
        raise TypeError(f"games of {self.title} cannot be copied or sent to another process: make them there")

    def reset(self, seed=None):
        """Begins all games; the same seed, the same games. None: others each time; `self.seed` says which seed it was."""
        self.seed = int.from_bytes(os.urandom(8), "little") >> 1 if seed is None else c.count(seed, "a seed", -(2**63), 2**64)
        self._handle.call("agon_vec_reset", self.seed % 2**64)
        return self.observations, self.masks

    def _actions(self, actions):
        actions = np.asarray(actions)
        if actions.shape not in self._action_shapes:
            raise ValueError(f"actions have shape {actions.shape}; {self.title} wants one of {sorted(self._action_shapes)}")
        if not self.box: return c.choices(actions, "actions")
        actions = c.numbers_of(actions, "actions").reshape(self._full)
        if np.isnan(actions).any() and np.isnan(actions[self.acts]).any():
            raise ValueError("an action is not a number (nan)")
        return actions

    def step(self, actions):
        """One step of every game. actions: (n[, rows][, heads]); those of rows that do not act are not looked at. What is wrong
        with actions is said before anything moves; if a game itself fails (a plug-in), only `reset` helps."""
        actions = self._actions(actions)
        self._handle.call("agon_vec_step", actions.ctypes.data)
        return self.observations, self.masks, self.rewards, self.terminated, self.truncated

    def sample(self, rng):
        """Legal actions, all alike: rng is a numpy Generator."""
        if self.box:
            return rng.uniform(self.action_low, self.action_high, self._full).astype(np.float32)
        out, at = np.empty(self._full, np.int32), 0
        for head, size in enumerate(self.head_sizes):
            masks = self.masks[..., at:at + size]
            out[..., head] = (rng.random(masks.shape, np.float32) * masks + masks).argmax(-1)  # 1 .. 2 where it is legal
            at += size
        return out

    def scripted(self):
        """What the game's rule-based player would do in each row that acts."""
        actions = np.zeros(self._full, self.action_type)
        self._handle.call("agon_vec_scripted", actions.ctypes.data)
        return actions

    def observe(self, game, agent):
        """What an agent sees in a game as it stands, whoever's turn it is."""
        row = np.empty(self.observation_shape, self.observation_type)
        self._handle.call("agon_vec_observe", self._game(game), c.index(agent, "an agent", self.num_agents), row.ctypes.data)
        return row

    def _game(self, game):
        return c.index(game, "a game", self.n)

    def _read(self, name, *arguments):
        """A call that cannot fail, of games that are open."""
        self._handle.enter()
        try:
            return getattr(c.lib, name)(self._handle.value, *arguments)
        finally:
            self._handle.leave()

    def global_state(self, game=0):
        """What a central critic may see; None where the game has no such thing."""
        if not self.info.global_state: return None
        row = np.empty(self.info.global_state, np.float32)
        self._read("agon_vec_global_state", self._game(game), row.ctypes.data)
        return row

    def render(self, game=0):
        """A picture of a game as text; "" where it has none."""
        text = ctypes.create_string_buffer(1 << 16)
        self._read("agon_vec_render", self._game(game), text, len(text))
        return text.value.decode(errors="replace")

    def action_name(self, choice, head=0):
        """What a choice is called; its number where it has no name."""
        name = self._read("agon_vec_action_name", c.index(head, "a head", self.heads), c.index(choice, "a choice", 2**32))
        return str(choice) if name is None else name.decode()


def make_vec(name, n, *, seed=None, again=True, **options):
    """n games: make_vec("connect_four", 1024), make_vec("goofspiel", 64, cards=5), make_vec("./my_game.so", 8)."""
    return Vec(name, n, seed=seed, again=again, **options)
