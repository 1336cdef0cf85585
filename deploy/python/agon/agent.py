"""Players: files of `agon export`, and players of runs, which the program exports."""

import ctypes
import json
import os
import subprocess
import tempfile
import threading

import numpy as np

from . import _library as c
from .run import find_program

_WANTED = ("log_probs", "values", "probabilities")


class Agent:
    """An exported player. It does not change, and any number of threads may use it; what it remembers is in a `State`."""

    def __init__(self, path):
        value = ctypes.c_void_p()
        c.call("agon_agent_open", os.fsencode(path), ctypes.byref(value))
        info = c.lib.agon_agent_info(value).contents
        self.player, self.env = info.player.decode(), info.env.decode()
        self._handle = c.Handle(self.player, value, c.lib.agon_agent_close)
        self._path = os.path.abspath(path)
        self.info = c.plain(info)
        self.metadata = json.loads(info.metadata)
        self.observation_shape = c.shape_of(info.observation_shape)
        self.observation_type = np.dtype(c.element(info.observation_type))
        self.box, self.heads = info.action_kind == c.BOX, info.heads
        self.num_agents, self.team, self.memory_count = info.agents, info.team, info.memory_count
        self.side = self.metadata.get("side")
        self._own = threading.local()  # room to work in, where there is nothing to remember

    def __repr__(self):
        return f"<{self.player} of {self.env}>"

    def __reduce__(self):
        return load, (self._path,)

    def state(self, n):
        """What n agents remember: nothing, at first."""
        return State(self, n)

    def _rows(self, observations):
        """(observations as the player takes them, the shape of the rows)"""
        shape, own = observations.shape, self.observation_shape
        if shape[len(shape) - len(own):] == own and len(shape) >= len(own): lead = shape[:len(shape) - len(own)]
        elif shape and shape[-1] == self.info.observation_count: lead = shape[:-1]
        else: raise ValueError(f"observations have shape {shape}, {self.player} sees rows of {own}")
        if not observations.size: raise ValueError("there are no observations to decide")
        kind = self.observation_type
        if observations.dtype.kind not in "iubf": raise TypeError(f"observations are numbers, not {observations.dtype}")
        with np.errstate(invalid="ignore"): out = np.ascontiguousarray(observations, kind)
        if kind == np.uint8 and observations.dtype not in (kind, np.bool_) and (out.reshape(shape) != observations).any():
            raise ValueError(f"{self.player} sees whole numbers from 0 to 255 (uint8): these observations have others")
        return out, lead

    def _array(self, value, name, shape, kind):
        """None, or an array of this shape; flags may be of any type, agents and slots are whole numbers from 0 on."""
        if value is None: return None
        value = np.asarray(value)
        if value.shape != shape: raise ValueError(f"{name} of these rows have shape {shape}, not {value.shape}")
        if kind == np.uint8 and value.dtype != np.uint8: value = value != 0
        if kind == np.uint32 and value.dtype != np.uint32 and (c.choices(value, name) < 0).any():
            raise ValueError(f"{name} are counted from 0 on")
        return np.ascontiguousarray(value, kind)

    def act(self, observations, masks=None, *, state=None, greedy=True, seed=0, agents=None, alive=None, acts=None, positions=None,
            slots=None, want=()):
        """Decides rows of observations: of (..., observation) it gives actions (...), of several heads (..., heads), so that those
        of `Vec.observations` go into `Vec.step`. Masks, agents, alive and acts have the same first dimensions. A player with a
        memory needs its state, with a slot for each row. greedy: the likeliest instead of one by its probability; those are drawn
        by `seed`: take another for each step. `want` names more of what it thinks: "log_probs", "values", "probabilities"; then
        the answer is a dictionary. Only teams that tell one another something need alive, acts and positions: a row with acts 0
        has no answer."""
        info = self.info
        want = (want,) if isinstance(want, str) else tuple(want)
        for name in want:
            if name not in _WANTED: raise ValueError(f"what can be wanted is {', '.join(_WANTED)}, not {name!r}")
        observations, lead = self._rows(np.asarray(observations))
        n = observations.size // info.observation_count
        if state is None:
            if info.memory_count: raise ValueError(f"{self.player} has a memory: give act a state, of agent.state(n)")
            state = getattr(self._own, "state", None)
            if state is None or state.n < n: state = self._own.state = State(self, n)
        elif state.agent is not self:
            raise ValueError(f"the state is of another player, {state.agent.player}")
        kept = [observations, self._array(masks, "masks", (*lead, info.mask_count), np.uint8),
                self._array(agents, "agents", lead, np.uint32), self._array(alive, "alive", lead, np.uint8),
                self._array(acts, "acts", lead, np.uint8), self._array(positions, "positions", (*lead, 3), np.float32),
                self._array(slots, "slots", lead, np.uint32)]
        if kept[-1] is not None and len(np.unique(kept[-1])) != n: raise ValueError("two rows have the same slot")
        rows = c.AgentRows(n, *[None if array is None else array.ctypes.data for array in kept], bool(greedy),
                           c.count(seed, "a seed", -(2**63), 2**64) % 2**64)
        out = {"actions": np.zeros((*lead, self.heads), np.float32 if self.box else np.int32)}
        for name in want: out[name] = np.zeros((*lead, info.output_count) if name == "probabilities" else lead, np.float32)
        answer = c.AgentAnswer(*[out[name].ctypes.data if name in out else None for name in ("actions", *_WANTED)])
        state._act(ctypes.byref(rows), ctypes.byref(answer))
        if self.heads == 1 and not self.box: out["actions"] = out["actions"][..., 0]
        return out if want else out["actions"]


class State:
    """What n agents remember. `memory`: (n, numbers), to be kept and put back. One thread at a time uses it."""

    def __init__(self, agent, n):
        n, value = c.count(n, "the number of agents", 1, 2**32), ctypes.c_void_p()
        c.call("agon_state_new", agent._handle.value, n, ctypes.byref(value))
        self._handle, self.agent, self.n = c.Handle(f"a state of {agent.player}", value, c.lib.agon_state_free), agent, n

    def __reduce__(self):
        return _state_again, (self.agent, self.n, self.memory)

    def _act(self, rows, answer):
        self._handle.enter()
        try:
            c.call("agon_agent_act", self.agent._handle.value, self._handle.value, rows, answer)
        finally:
            self._handle.leave()

    def reset(self, slots=None):
        """Episodes begin: of all, or of these slots."""
        slots = range(self.n) if slots is None else [c.index(slot, "a slot", self.n) for slot in np.atleast_1d(slots)]
        self._handle.enter()
        try:
            for slot in slots: c.lib.agon_state_reset(self._handle.value, slot)
        finally:
            self._handle.leave()

    def _view(self):
        """The library's own memory, for as long as the state lives."""
        if not self.agent.memory_count: return np.zeros((self.n, 0), np.float32)
        at = ctypes.cast(c.lib.agon_state_memory(self._handle.value), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(at, (self.n, self.agent.memory_count))

    @property
    def memory(self):
        return self._view().copy()

    @memory.setter
    def memory(self, value):
        value = np.asarray(value, np.float32)
        if value.shape != (self.n, self.agent.memory_count):
            raise ValueError(f"the memory has shape {(self.n, self.agent.memory_count)}, not {value.shape}")
        self._view()[:] = value


def _state_again(agent, n, memory):
    state = State(agent, n)
    state.memory = memory
    return state


def load(path, *, program=None):
    """A player: a file of `agon export` (format agon), or RUN:PLAYER, or RUN for its first main. The last two are exported by the
    program agon, which is `program`, $AGON, or in PATH; a plug-in's player needs AGON_PLUGINS, as the program does."""
    text = os.fspath(path)
    if os.path.isfile(text): return Agent(text)
    folder, colon, player = text.rpartition(":")
    if os.path.isdir(text): folder, player = text, ""
    elif not colon or not os.path.isdir(folder): return Agent(text)  # which says what is wrong
    with tempfile.TemporaryDirectory() as room:
        out = os.path.join(room, "player.agon")
        command = [find_program(program), "export", folder, "--format", "agon", "--output", out]
        done = subprocess.run(command + (["--player", player] if player else []), capture_output=True, text=True, check=False)
        if done.returncode: raise c.Error(done.stderr.strip() or f"{' '.join(command)}: exit code {done.returncode}")
        agent = Agent(out)
    agent._path = os.path.abspath(folder) + (":" + player if player else "")
    return agent
