"""Players that `agon export` has written."""

import ctypes
import json
import os

import numpy as np

from . import _library as c


class Agent:
    """An exported player. It does not change; what it remembers is in a `State`."""

    def __init__(self, path):
        self._agent = None
        handle = ctypes.c_void_p()
        c.call("agon_agent_open", os.fsencode(path), ctypes.byref(handle))
        self._agent = handle
        info = c.lib.agon_agent_info(handle).contents
        self.info = info
        self.metadata = json.loads(info.metadata)
        self.player, self.env = info.player.decode(), info.env.decode()
        self.observation_shape = c.shape_of(info.observation_shape)
        self.observation_type = np.dtype(c.element(info.observation_type))
        self.box, self.heads = info.action_kind == c.BOX, info.heads
        self.num_agents, self.team, self.memory_count = info.agents, info.team, info.memory_count
        self._own = None

    def __del__(self):
        if getattr(self, "_agent", None):
            c.lib.agon_agent_close(self._agent)
            self._agent = None

    def state(self, n):
        """What n agents remember: nothing, at first."""
        return State(self, n)

    def _array(self, value, name, shape, kind):
        if value is None: return None
        value = np.ascontiguousarray(value, kind)
        if value.size != int(np.prod(shape)):
            raise ValueError(f"{name} of {self.player} are {tuple(shape)} numbers, not {value.shape}")
        return value

    def act(self, observations, masks=None, *, state=None, greedy=True, seed=0, agents=None, alive=None, acts=None, positions=None,
            slots=None, want=()):
        """Decides rows of observations (n, ...): actions (n,), of several heads (n, heads). `want` names more of what it thinks:
        "log_probs", "values", "probabilities"; then the answer is a dictionary. A player with a memory needs its state."""
        info = self.info
        observations = np.asarray(observations)
        n = observations.size // info.observation_count
        if n == 0 or n * info.observation_count != observations.size:
            raise ValueError(f"observations have shape {observations.shape}, {self.player} sees rows of {self.observation_shape}")
        if state is None:
            if info.memory_count: raise ValueError(f"{self.player} has a memory: give act a state, of {self.player}.state(n)")
            if self._own is None or self._own.n < n: self._own = State(self, n)
            state = self._own
        kept = [self._array(observations, "observations", (n, info.observation_count), self.observation_type),
                self._array(masks, "masks", (n, info.mask_count), np.uint8), self._array(agents, "agents", (n,), np.uint32),
                self._array(alive, "alive", (n,), np.uint8), self._array(acts, "acts", (n,), np.uint8),
                self._array(positions, "positions", (n, 3), np.float32), self._array(slots, "slots", (n,), np.uint32)]
        rows = c.AgentRows(n, *[None if array is None else array.ctypes.data for array in kept], greedy, int(seed) & (2**64 - 1))
        out = {"actions": np.zeros((n, self.heads), np.float32 if self.box else np.int32)}
        for name in want:
            out[name] = np.zeros({"log_probs": n, "values": n, "probabilities": (n, info.output_count)}[name], np.float32)
        answer = c.AgentAnswer(*[out[name].ctypes.data if name in out else None
                                 for name in ("actions", "log_probs", "values", "probabilities")])
        c.call("agon_agent_act", self._agent, state._state, ctypes.byref(rows), ctypes.byref(answer))
        if self.heads == 1 and not self.box: out["actions"] = out["actions"][:, 0]
        return out if want else out["actions"]


class State:
    """What n agents remember. `memory`: (n, numbers), to be kept and put back."""

    def __init__(self, agent, n):
        self._state, self._agent, self.n = None, agent, n
        handle = ctypes.c_void_p()
        c.call("agon_state_new", agent._agent, n, ctypes.byref(handle))
        self._state = handle

    def __del__(self):
        if getattr(self, "_state", None):
            c.lib.agon_state_free(self._state)
            self._state = None

    def reset(self, slots=None):
        """Episodes begin: of all, or of these slots."""
        for slot in range(self.n) if slots is None else np.atleast_1d(slots):
            c.lib.agon_state_reset(self._state, int(slot))

    @property
    def memory(self):
        if not self._agent.memory_count: return np.zeros((self.n, 0), np.float32)
        at = ctypes.cast(c.lib.agon_state_memory(self._state), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(at, (self.n, self._agent.memory_count)).copy()

    @memory.setter
    def memory(self, value):
        at = ctypes.cast(c.lib.agon_state_memory(self._state), ctypes.POINTER(ctypes.c_float))
        if self._agent.memory_count: np.ctypeslib.as_array(at, (self.n, self._agent.memory_count))[:] = value


def load(path):
    """A player of `agon export RUN --player NAME` (format agon)."""
    return Agent(path)
