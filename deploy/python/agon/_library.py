"""The shared library beside this file: its structs, and calls that raise what it says."""

import ctypes
import operator
import os
import threading
import types
import weakref

import numpy as np

u32, f32, size_t, pointer = ctypes.c_uint32, ctypes.c_float, ctypes.c_size_t, ctypes.c_void_p
VEC_ABI, AGENT_ABI = 2, 1
F32, U8 = 0, 1
DISCRETE, MULTI_DISCRETE, BOX = 0, 1, 2
ZERO_SUM, COOPERATIVE, PERFECT_INFORMATION, SIMULTANEOUS = 1, 2, 4, 8


class Error(RuntimeError):
    """What the library says is wrong: one sentence."""


class VecInfo(ctypes.Structure):  # AgonVecInfo of src/wheel/vec.h
    _fields_ = [("name", ctypes.c_char_p), ("title", ctypes.c_char_p), ("summary", ctypes.c_char_p),
                ("version", u32), ("agents", u32), ("teams", u32), ("kinds", u32), ("rows", u32),
                ("observation_type", u32), ("observation_shape", u32 * 3), ("observation_low", f32), ("observation_high", f32),
                ("action_kind", u32), ("heads", u32), ("mask_count", u32), ("global_state", u32), ("step_limit", u32),
                ("flags", u32), ("metrics", u32), ("reward_low", f32), ("reward_high", f32),
                ("has_outcome", u32), ("has_scripted", u32), ("has_render", u32), ("has_mask", u32),
                ("head_size", ctypes.POINTER(u32)), ("action_low", ctypes.POINTER(f32)), ("action_high", ctypes.POINTER(f32)),
                ("team_of", ctypes.POINTER(ctypes.c_uint8)), ("kind_of", ctypes.POINTER(ctypes.c_uint8)),
                ("agent_names", ctypes.POINTER(ctypes.c_char_p)), ("metric_names", ctypes.POINTER(ctypes.c_char_p))]


ARRAYS = ("observations", "masks", "agents", "acts", "alive", "rewards", "terminated", "truncated", "final_observations",
          "outcomes", "metrics", "lengths")


class VecArrays(ctypes.Structure):  # AgonVecArrays
    _fields_ = [(name, pointer) for name in ARRAYS]


class Option(ctypes.Structure):  # AgonEnvOption of agon/env.h
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_int), ("fallback", ctypes.c_char_p), ("low", ctypes.c_double),
                ("high", ctypes.c_double), ("choices", ctypes.c_char_p), ("help", ctypes.c_char_p)]


class AgentInfo(ctypes.Structure):  # AgonAgentInfo of agon/agent.h
    _fields_ = [("struct_size", size_t), ("metadata", ctypes.c_char_p), ("player", ctypes.c_char_p), ("env", ctypes.c_char_p),
                ("observation_type", ctypes.c_int), ("observation_shape", u32 * 3), ("observation_count", size_t),
                ("action_kind", ctypes.c_int), ("heads", u32), ("head_size", ctypes.POINTER(u32)), ("mask_count", size_t),
                ("output_count", size_t), ("action_low", ctypes.POINTER(f32)), ("action_high", ctypes.POINTER(f32)),
                ("agents", u32), ("team", u32), ("wants_agents", ctypes.c_bool), ("wants_positions", ctypes.c_bool),
                ("memory_count", size_t), ("parameters", size_t)]


class AgentRows(ctypes.Structure):
    _fields_ = [("count", size_t), ("observations", pointer), ("masks", pointer), ("agents", pointer), ("alive", pointer),
                ("acts", pointer), ("positions", pointer), ("slots", pointer), ("greedy", ctypes.c_bool), ("seed", ctypes.c_uint64)]


class AgentAnswer(ctypes.Structure):
    _fields_ = [("actions", pointer), ("log_probs", pointer), ("values", pointer), ("probabilities", pointer)]


def _open():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libagon_wheel.so")
    if not os.path.exists(path):
        raise ImportError(f"{path} is missing: install the wheel that `ninja agon_wheel` builds")
    lib = ctypes.CDLL(path)
    for name, own in (("agon_vec_abi", VEC_ABI), ("agon_agent_abi", AGENT_ABI)):
        function = getattr(lib, name)
        function.restype = u32
        if function() != own:
            raise ImportError(f"{path} has {name} {function()}, this package needs {own}: they are of different builds")
    error, out = ctypes.c_char_p, ctypes.POINTER(pointer)
    known = {
        "agon_vec_name": (ctypes.c_char_p, [size_t]),
        "agon_vec_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), size_t, size_t, ctypes.c_bool, out, error]),
        "agon_vec_close": (None, [pointer]),
        "agon_vec_info": (ctypes.POINTER(VecInfo), [pointer]),
        "agon_vec_write_to": (None, [pointer, ctypes.POINTER(VecArrays)]),
        "agon_vec_reset": (ctypes.c_int, [pointer, ctypes.c_uint64, error]),
        "agon_vec_step": (ctypes.c_int, [pointer, pointer, error]),
        "agon_vec_observe": (ctypes.c_int, [pointer, size_t, u32, pointer, error]),
        "agon_vec_global_state": (None, [pointer, size_t, pointer]),
        "agon_vec_render": (None, [pointer, size_t, ctypes.c_char_p, size_t]),
        "agon_vec_scripted": (ctypes.c_int, [pointer, pointer, error]),
        "agon_vec_action_name": (ctypes.c_char_p, [pointer, u32, u32]),
        "agon_vec_option": (ctypes.POINTER(Option), [pointer, size_t]),
        "agon_series": (ctypes.c_int, [size_t, ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p)]),
        "agon_series_tag": (size_t, [ctypes.c_char_p, ctypes.c_char_p, size_t]),
        "agon_agent_open": (ctypes.c_int, [ctypes.c_char_p, out, error]),
        "agon_agent_close": (None, [pointer]),
        "agon_agent_info": (ctypes.POINTER(AgentInfo), [pointer]),
        "agon_state_new": (ctypes.c_int, [pointer, size_t, out, error]),
        "agon_state_free": (None, [pointer]),
        "agon_state_reset": (None, [pointer, size_t]),
        "agon_state_memory": (pointer, [pointer]),
        "agon_agent_act": (ctypes.c_int, [pointer, pointer, ctypes.POINTER(AgentRows), ctypes.POINTER(AgentAnswer), error]),
    }
    for name, (result, arguments) in known.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


lib = _open()


def call(name, *arguments):
    """Calls what may fail; the last argument of all of these is the error's text."""
    error = ctypes.create_string_buffer(256)
    if getattr(lib, name)(*arguments, error):
        raise Error(error.value.decode(errors="replace") or name)


def count(value, what, low=0, high=2**63):
    """A whole number within low .. high - 1, as Python's own."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what} is a whole number, not {value!r}") from None
    if not low <= number < high: raise ValueError(f"{what} is {low} to {high - 1}, not {number}")
    return number


def index(value, what, size):
    """One of `size` things, from 0 on."""
    try:
        return count(value, what, 0, size)
    except ValueError as why:
        raise IndexError(str(why)) from None


def choices(values, what):
    """Whole numbers as int32: what is none, or does not fit, is refused, and not rounded or wrapped around."""
    if values.dtype.kind not in "iub": raise TypeError(f"{what} are choices, whole numbers, not {values.dtype}")
    out = np.ascontiguousarray(values, np.int32).reshape(values.shape)
    if values.dtype.itemsize >= 4 and values.dtype != np.int32 and (out != values).any():
        raise ValueError(f"{what} are choices that fit into 32 bits, not {values[out != values].flat[0]}")
    return out


def numbers_of(values, what):
    """Numbers as float32."""
    if values.dtype.kind not in "iubf": raise TypeError(f"{what} are numbers, not {values.dtype}")
    return np.ascontiguousarray(values, np.float32).reshape(values.shape)


def plain(struct):
    """The numbers of a struct, as they are now: nothing of it points into what may be closed."""
    out = types.SimpleNamespace()
    for name, kind in struct._fields_:
        value = getattr(struct, name)
        if kind in (pointer, ctypes.c_char_p) or hasattr(kind, "contents"): continue
        setattr(out, name, tuple(value) if isinstance(value, ctypes.Array) else value)
    return out


class Handle:
    """What the library has opened: closed when nobody has it any more, or before. One thread at a time uses it."""

    def __init__(self, what, value, close):
        self.what, self.value, self._lock = what, value, threading.Lock()
        self._close = weakref.finalize(self, close, value)
        self._close.atexit = False  # a thread may still be within; the process takes all of it along

    def call(self, name, *arguments):
        """Calls what may fail, with this before the arguments."""
        self.enter()
        try:
            call(name, self.value, *arguments)
        finally:
            self._lock.release()

    def enter(self):
        """`leave` must follow."""
        if not self._lock.acquire(blocking=False):
            raise Error(f"{self.what} is in use by another thread: one thread at a time, so make one for each")
        if self.value is None:
            self._lock.release()
            raise Error(f"{self.what} is closed")

    def leave(self):
        self._lock.release()

    def close(self):
        """Waits for who uses it; may be called again."""
        with self._lock:
            self.value = None
            self._close()


def shape_of(shape):
    """Channels, height and width; plain rows of numbers have one dimension."""
    channels, height, width = shape
    return (channels,) if height == width == 1 else (channels, height, width)


def numbers(pointer_, count, kind=float):
    return [kind(pointer_[i]) for i in range(count)] if pointer_ else []


def element(kind):
    return np.float32 if kind == F32 else np.uint8
