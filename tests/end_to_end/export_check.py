"""Whether what `agon export` wrote does what the player does: export_check.py FILE LIBAGON [--tolerance T] [--query AGON RUN]
FILE is an exported `.agon` with FILE.examples.npz beside it. Compared are libagon, the Python package (where it is found), numpy on
the .npz and .safetensors, and the C file (compiled here); by `export_check.py onnx FILE` ONNX in onnxruntime, by `torch` PyTorch.
--query: also what `agon query` says of the run's main in a thousand positions of games at random."""
import ctypes, importlib.util, json, math, os, re, subprocess, sys
import numpy as np


class Info(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("metadata", ctypes.c_char_p), ("player", ctypes.c_char_p), ("env", ctypes.c_char_p),
                ("observation_type", ctypes.c_int), ("observation_shape", ctypes.c_uint32 * 3), ("observation_count", ctypes.c_size_t),
                ("action_kind", ctypes.c_int), ("heads", ctypes.c_uint32), ("head_size", ctypes.POINTER(ctypes.c_uint32)),
                ("mask_count", ctypes.c_size_t), ("output_count", ctypes.c_size_t), ("action_low", ctypes.c_void_p), ("action_high", ctypes.c_void_p),
                ("agents", ctypes.c_uint32), ("team", ctypes.c_uint32), ("wants_agents", ctypes.c_bool), ("wants_positions", ctypes.c_bool),
                ("memory_count", ctypes.c_size_t), ("parameters", ctypes.c_size_t)]


class Rows(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("observations", ctypes.c_void_p), ("masks", ctypes.c_void_p), ("agents", ctypes.c_void_p),
                ("alive", ctypes.c_void_p), ("acts", ctypes.c_void_p), ("positions", ctypes.c_void_p), ("slots", ctypes.c_void_p),
                ("greedy", ctypes.c_bool), ("seed", ctypes.c_uint64)]


class Answer(ctypes.Structure):
    _fields_ = [("actions", ctypes.c_void_p), ("log_probs", ctypes.c_void_p), ("values", ctypes.c_void_p), ("probabilities", ctypes.c_void_p)]


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.agon_agent_info.restype = ctypes.POINTER(Info)
        self.lib.agon_state_memory.restype = ctypes.POINTER(ctypes.c_float)
        self.error = ctypes.create_string_buffer(256)

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments, self.error)
        if status: raise RuntimeError(f"{name}: {status}: {self.error.value.decode()}")

    def open(self, path):
        agent = ctypes.c_void_p()
        self.call("agon_agent_open", path.encode(), ctypes.byref(agent))
        return agent, self.lib.agon_agent_info(agent).contents

    def act(self, agent, info, e, seed=0, greedy=True):
        """All of the examples' rows at once: probabilities, values, actions, memory after."""
        n = len(e["observations"])
        state = ctypes.c_void_p()
        self.call("agon_state_new", agent, ctypes.c_size_t(n), ctypes.byref(state))
        if info.memory_count:
            memory = np.ctypeslib.as_array(self.lib.agon_state_memory(state), (n, info.memory_count))
            memory[:] = e["memory"]
        kept = [np.ascontiguousarray(e[k]) for k in ("observations", "masks", "agents", "alive", "acts", "positions")]
        rows = Rows(n, *[k.ctypes.data for k in kept], None, greedy, seed)
        actions = np.zeros_like(e["actions"])
        values, logs = np.zeros(n, np.float32), np.zeros(n, np.float32)
        probabilities = np.zeros_like(e["probabilities"])
        answer = Answer(actions.ctypes.data, logs.ctypes.data, values.ctypes.data, probabilities.ctypes.data)
        self.call("agon_agent_act", agent, state, ctypes.byref(rows), ctypes.byref(answer))
        after = memory.copy() if info.memory_count else e["memory"]
        self.lib.agon_state_free(state)
        return {"probabilities": probabilities, "values": values, "actions": actions, "memory_after": after, "log_probs": logs}


def greatest(a, b):
    """The greatest difference, relative where numbers are larger than 1."""
    return float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b)))) if a.size else 0.0


def compare(what, got, e, meta, tolerance, recurrent):
    acts = e["acts"] > 0
    shown = {}
    sure = np.ones(acts.sum(), bool)
    if meta["network"]["outputs"] == "worths":  # all on the best: of two that are as good, rounding decides
        sure = got["probabilities"][acts].argmax(1) == e["probabilities"][acts].argmax(1)
        shown["other bests"] = float(1 - sure.mean())
    for key in ("probabilities", "values"):
        shown[key] = greatest(got[key][acts][sure], e[key][acts][sure])
    if recurrent: shown["memory"] = greatest(got["memory_after"][acts][:, :recurrent], e["memory_after"][acts][:, :recurrent])
    if "actions" in got:
        a, b = got["actions"][acts], e["actions"][acts]
        if a.dtype == np.float32: shown["actions"] = greatest(a, b)
        else: shown["other actions"] = float(np.mean(np.any(a != b, axis=1)))
    worst = max(v for k, v in shown.items() if not k.startswith("other"))
    print(f"  {what:12} {acts.sum()} rows: " + ", ".join(f"{k} {v:.1e}" for k, v in shown.items()))
    assert worst <= tolerance, f"{what} differs by {worst}"
    assert max(shown.get(k, 0) for k in ("other actions", "other bests")) <= .005, f"{what} acts differently"


class CRows(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t)] + [(name, ctypes.c_void_p) for name in
                ("observations", "masks", "agents", "alive", "acts", "positions", "slots", "memory")] + \
               [("greedy", ctypes.c_int), ("seed", ctypes.c_uint64)] + \
               [(name, ctypes.c_void_p) for name in ("actions", "probabilities", "log_probs", "values")]


def c_file(path, e, meta):
    """Compiles STEM.c as strictly as it promises, and lets it decide the rows."""
    stem = os.path.basename(path)[:-2]
    done = subprocess.run(["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-shared", "-fPIC",
                           path, "-o", path + ".so", "-lm"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header = open(path[:-2] + ".h").read()
    assert json.loads(header[header.rindex("/* {") + 3:header.rindex("*/")].replace("\n   ", "")) == meta  # the last comment
    lib = ctypes.CDLL(os.path.abspath(path + ".so"))
    getattr(lib, stem + "_open")()
    n = len(e["observations"])
    kept = [np.ascontiguousarray(e[k]) for k in ("observations", "masks", "agents", "alive", "acts", "positions")]
    memory = e["memory"].copy()
    actions, values, logs = np.zeros_like(e["actions"]), np.zeros(n, np.float32), np.zeros(n, np.float32)
    probabilities = np.zeros_like(e["probabilities"])
    rows = CRows(n, *[k.ctypes.data for k in kept], None, memory.ctypes.data, 1, 0,
                 actions.ctypes.data, probabilities.ctypes.data, logs.ctypes.data, values.ctypes.data)
    assert getattr(lib, stem + "_act")(ctypes.byref(rows)) == 0
    return {"probabilities": probabilities, "values": values, "actions": actions, "memory_after": memory}


# --- the same by nothing but numpy, from the layers and the list of steps ---

def half(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return (((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000).astype(np.uint32)).view(np.float32)


ACTS = {"none": lambda x: x, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * .5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))}
sigmoid = lambda x: 1 / (1 + np.exp(-x))


def convolve(x, c, w, b):
    C, H, W = c["in"]
    x = x.reshape(-1, H, W, C).transpose(0, 3, 1, 2) if c["channels_last"] else x.reshape(-1, C, H, W)
    k, s, p = c["kernel"], c["stride"], c["pad"]
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    out = np.empty((len(x), c["out"][1], c["out"][2], c["out"][0]), np.float64)
    for i in range(c["out"][1]):
        for j in range(c["out"][2]):
            out[:, i, j] = np.tensordot(x[:, :, i * s:i * s + k, j * s:j * s + k], w, ([1, 2, 3], [1, 2, 3])) + b
    return out.reshape(len(x), -1)


def network(layers, net, x, memory, links):
    """Tensors of one copy's layers, and the memory after."""
    at, after = {0: x}, memory.copy()
    if links is not None: at[net["links"]] = links
    side = lambda names: np.concatenate([layers[n] for n in names]).astype(np.float64)
    for s in net["steps"]:
        i = [at[k] for k in s["in"]]
        rounded = half if s.get("bfloat16") else lambda v: v
        op = s["op"]
        w, b = (side(s[k]) if k in s else None for k in ("weight", "bias"))
        if w is not None and op not in ("layer_norm",): w = rounded(w)
        if op in ("dense", "product"): y = rounded(i[0]) @ w.T + (0 if b is None else b)
        elif op == "broadcast": y = np.broadcast_to(b, (len(x), s["width"]))
        elif op == "conv": y = convolve(rounded(i[0]), s["conv"], w, b)
        elif op == "layer_norm":
            d = i[0] - i[0].mean(1, keepdims=True)
            y = d / np.sqrt((d * d).mean(1, keepdims=True) + 1e-5) * w + b
        elif op == "normalise": y = np.clip((i[0] - layers["normaliser.mean"]) * layers["normaliser.scale"], -10, 10)
        elif op == "rescale": y = i[0][:, s["column"]:s["column"] + 1] * layers["value_unit.scale"] + layers["value_unit.mean"]
        elif op in ("gru", "lstm"):
            H, m = s["width"], s["memory_at"]
            h = memory[:, m:m + H]
            g = rounded(i[0]) @ w.T + b
            u = rounded(h) @ rounded(side(s["weight_h"])).T + side(s["bias_h"])
            part = lambda v, k: v[:, k * H:(k + 1) * H]
            if op == "gru":
                r, z = sigmoid(part(g, 0) + part(u, 0)), sigmoid(part(g, 1) + part(u, 1))
                fresh = np.tanh(part(g, 2) + r * part(u, 2))
                y = (1 - z) * fresh + z * h
            else:
                a, f, o = (sigmoid(part(g, k) + part(u, k)) for k in (0, 1, 3))
                cell = f * memory[:, m + H:m + 2 * H] + a * np.tanh(part(g, 2) + part(u, 2))
                y = o * np.tanh(cell)
                after[:, m + H:m + 2 * H] = cell
            after[:, m:m + H] = y
        elif op == "join": y = np.concatenate(i, 1)
        elif op == "add": y = sum(i)
        elif op == "act": y = i[0]
        elif op in ("mix", "attend"):
            N = net["team"]
            said = i[-1].reshape(-1, N, i[-1].shape[1])
            heard = i[0].reshape(-1, N, N)
            if op == "mix": share = heard / np.maximum(1, heard.sum(2, keepdims=True))
            else:
                q, k = (v.reshape(-1, N, v.shape[1]) for v in i[1:3])
                score = np.where(heard > 0, q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[2]), -np.inf)
                if s["top"]:
                    rank = np.argsort(np.argsort(-score, axis=2, kind="stable"), axis=2)
                    score = np.where(rank < s["top"], score, -np.inf)
                share = np.exp(score - np.maximum(score.max(2, keepdims=True), -1e30))
                share = share / np.maximum(share.sum(2, keepdims=True), 1e-30)
            y = (share @ said).reshape(len(x), -1)
        else: raise AssertionError(op)
        at[s["out"]] = ACTS[s.get("act", "none")](y)
    return at, after


def inputs(meta, e):
    """What the network reads: observations, who the agent is, what it did last; and who hears whom."""
    net, n = meta["network"], len(e["observations"])
    x = [e["observations"].reshape(n, -1).astype(np.float64)]
    span, agents = net["id_span"], e["agents"].astype(np.int64)
    known = agents < meta["agents"]["count"]
    if net["ids"]:
        one = np.zeros((n, net["ids"]))
        one[known, np.array(net["id_of"])[agents[known]]] = 1
        x.append(np.repeat(one, span, 1))
    last = e["memory"][:, net["recurrent"]:]
    if net["last_action"]:
        if meta["action"]["kind"] == "box": x.append(np.repeat(last[:, :net["last_action"]], span, 1))
        else:
            for h, size in enumerate(meta["action"]["head_size"]):
                x.append(np.repeat((last[:, h:h + 1] == np.arange(1, size + 1)).astype(float), span, 1))
    links, N = None, net["team"]
    if net["links"] >= 0:
        alive = e["alive"].reshape(-1, N).astype(float)
        links = alive[:, :, None] * alive[:, None, :] * (1 - np.eye(N))
        if meta["action"].get("speaks"): links = links * (last[:, net["last_action"]].reshape(-1, 1, N) > .5)
        if net.get("nearest"):
            p = e["positions"].reshape(-1, N, 3).astype(np.float64)
            far = np.where(links > 0, ((p[:, :, None] - p[:, None]) ** 2).sum(3), np.inf)
            links = links * (np.argsort(np.argsort(far, axis=2, kind="stable"), axis=2) < net["nearest"])
        links = links.reshape(n, N)
    return np.concatenate(x, 1), links


def answers(meta, e, logits, log_std, value):
    """Outputs as probabilities of what the mask leaves, or means and deviations in the env's unit."""
    net, action, n = meta["network"], meta["action"], len(logits)
    if action["kind"] == "box":
        agents = np.where(e["agents"] < meta["agents"]["count"], e["agents"], 0)
        low, high = (np.array(action[k])[agents] for k in ("low", "high"))
        half_range, there = (high - low) / 2, e["masks"] > 0
        squashed = net["outputs"] == "squashed_means"
        mean = np.where(there, np.tanh(logits[:, :low.shape[1]]) if squashed else logits[:, :low.shape[1]], 0)
        deviation = np.where(there, 0 if squashed else np.exp(log_std), 0)
        return np.concatenate([low + half_range + half_range * mean, half_range * deviation], 1), value
    rows, from_, worth = [], 0, 0
    for size in action["head_size"]:
        x = np.where(e["masks"][:, from_:from_ + size] > 0, logits[:, from_:from_ + size], -np.inf)
        if net["outputs"] == "worths":
            p = (np.arange(size) == x.argmax(1)[:, None]).astype(float)
            worth = worth + x.max(1)
        else:
            p = np.exp(x - x.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
        rows.append(p)
        from_ += size
    return np.concatenate(rows, 1), worth if net["outputs"] == "worths" else value


def by_numpy(meta, layers, e):
    net, n = meta["network"], len(e["observations"])
    x, links = inputs(meta, e)
    copies, which = net["copies"], np.zeros(n, np.int64)
    if copies > 1: which = np.array(net["copy_of"])[np.where(e["agents"] < meta["agents"]["count"], e["agents"], 0)]
    logits, value, log_std, after = None, np.zeros(n), None, e["memory"].astype(np.float64)
    for c in range(copies):
        mine = which == c
        own = {k: v[c] if copies > 1 else v for k, v in layers.items()}
        at, moved = network(own, net, x[mine], e["memory"][mine].astype(np.float64), links)
        if logits is None:
            logits = np.zeros((n, at[net["logits"]].shape[1]))
            log_std = np.zeros((n, meta["action"]["heads"]))
        logits[mine], value[mine], after[mine] = at[net["logits"]], at[net["value"]][:, 0], moved
        if net["log_std"] >= 0: log_std[mine] = at[net["log_std"]]
    probabilities, value = answers(meta, e, logits, log_std, value)
    return {"probabilities": probabilities, "values": value, "memory_after": after}


def read_safetensors(path):
    with open(path, "rb") as f:
        head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    meta = json.loads(head.pop("__metadata__")["agon"])
    return meta, {k: np.frombuffer(data[slice(*v["data_offsets"])], np.float32).reshape(v["shape"]) for k, v in head.items()}


def onnx_file(path, e):
    """The checker's word on it, and what onnxruntime makes of the rows."""
    import onnx, onnxruntime
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    meta = json.loads({p.key: p.value for p in model.metadata_props}["agon"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {"observations": e["observations"], "masks": e["masks"], "agents": e["agents"].astype(np.int64), "memory": e["memory"]}
    links = inputs(meta, e)[1]
    if links is not None: given["links"] = links.astype(np.float32)
    names = [i.name for i in session.get_inputs()]
    out = [o.name for o in session.get_outputs()]
    got = dict(zip(out, session.run(out, {k: given[k] for k in names})))
    got.setdefault("memory_after", e["memory"])
    # a batch of one is the same
    n = meta["network"]["team"]
    first = dict(zip(out, session.run(out, {k: given[k][:n] for k in names})))
    assert np.abs(first["probabilities"] - got["probabilities"][:n]).max() < 1e-5
    return meta, got


def torch_file(path, e):
    """The module of deploy/python/agon/torch.py, and, of what is dense alone, the ten lines of src/export/README.md."""
    import torch
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    spec = importlib.util.spec_from_file_location("agon_torch", os.path.join(root, "deploy/python/agon/torch.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    agent = module.Agent(path)
    layers = dict(np.load(path[:path.rindex(".")] + ".npz"))
    layers.pop("metadata")
    state = agent.state_dict()
    assert state.keys() == layers.keys() and all(np.array_equal(state[k].numpy(), layers[k]) for k in layers)
    t = {k: torch.from_numpy(v.astype(np.int64) if v.dtype == np.uint32 else v) for k, v in e.items()}
    with torch.no_grad():
        out = agent(t["observations"], t["masks"], t["memory"], t["agents"], t["alive"], t["positions"])
    got = {k: out[k].numpy() for k in ("probabilities", "values")}
    got["memory_after"] = out["memory"].numpy()
    agent(t["observations"], t["masks"], t["memory"], t["agents"], t["alive"], t["positions"])["values"].sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in agent.parameters())  # it can be trained on
    net = agent.metadata["network"]
    if {s["op"] for s in net["steps"]} <= {"dense", "rescale"} and net["outputs"] == "logits" and not agent.metadata["action"].get("speaks") \
       and net["copies"] == 1 and not net["ids"] and len(agent.metadata["action"]["head_size"]) == 1 and not any("bfloat16" in s for s in net["steps"]):
        text = open(os.path.join(root, "src/export/README.md")).read()
        lines = re.search(r"```python\n(import json, numpy as np, torch\n.*?)```", text, re.S)[1]
        assert len(lines.splitlines()) <= 11
        names = {"observations": t["observations"], "masks": t["masks"]}
        exec(lines.replace("main_0.npz", path[:path.rindex(".")] + ".npz"), names)
        print(f"  ten lines    probabilities {greatest(names['policy'].numpy(), got['probabilities']):.1e}")
        assert greatest(names["policy"].numpy(), got["probabilities"]) < 1e-5
    return agent.metadata, got


def wheel(path, e):
    """The player by the Python package."""
    import agon
    agent = agon.load(path)
    n, shape = len(e["observations"]), agent.observation_shape
    state = agent.state(n)
    if agent.memory_count: state.memory = e["memory"]
    out = agent.act(e["observations"].reshape(n, *shape), e["masks"], state=state, agents=e["agents"], alive=e["alive"], acts=e["acts"],
                    positions=e["positions"], want=("values", "probabilities"))
    out["actions"] = out["actions"].reshape(n, -1)
    return {**out, "memory_after": state.memory if agent.memory_count else e["memory"]}


def query(path, program, run, meta):
    """What the program says of lines of play at random, beside what the package makes of the same positions."""
    import agon
    agent, rng, wanted = agon.load(path), np.random.default_rng(7), 1000
    vec = agon.make_vec(meta["env"]["name"], 64, seed=1)
    lines, seen, masks, values, probabilities = [""] * 64, [], [], [], []
    asked = []
    while len(asked) < wanted:
        out = agent.act(vec.observations, vec.masks, agents=vec.agents, want=("values", "probabilities"))
        asked += lines
        values.append(out["values"]), probabilities.append(out["probabilities"])
        actions = vec.sample(rng).reshape(64)
        vec.step(actions)
        over = vec.terminated | vec.truncated
        lines = ["" if over[g] else f"{lines[g]} {actions[g]}".strip() for g in range(64)]
    engine = subprocess.Popen([program, "query", run, "--engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    engine.stdout.readline()
    said = []
    for first in range(0, len(asked), 256):
        print(json.dumps({"lines": asked[first:first + 256]}), file=engine.stdin, flush=True)
        said += json.loads(engine.stdout.readline())["answers"]
    engine.communicate(json.dumps({"quit": True}) + "\n")
    said = [answer["agents"][0] for answer in said]
    apart = {"probabilities": greatest(np.concatenate(probabilities), np.array([s["probabilities"] for s in said])),
             "values": greatest(np.concatenate(values), np.array([s["value"] for s in said]))}
    print(f"  agon query   {len(said)} lines: " + ", ".join(f"{k} {v:.1e}" for k, v in apart.items()))
    return max(apart.values())


def main():
    if sys.argv[1] == "onnx":  # STEM.onnx, beside STEM.agon.examples.npz; by a Python that has onnxruntime
        stem = sys.argv[2][:-len(".onnx")]
        e = dict(np.load(stem + ".agon.examples.npz"))
        meta, got = onnx_file(sys.argv[2], e)
        tolerance = float(sys.argv[sys.argv.index("--tolerance") + 1]) if "--tolerance" in sys.argv else 1e-5
        return compare("onnxruntime", got, e, meta, tolerance, meta["network"]["recurrent"])
    if sys.argv[1] == "torch":  # STEM.safetensors or STEM.npz, likewise; by a Python that has torch
        stem = sys.argv[2][:sys.argv[2].rindex(".")]
        e = dict(np.load(stem + ".agon.examples.npz"))
        meta, got = torch_file(sys.argv[2], e)
        tolerance = float(sys.argv[sys.argv.index("--tolerance") + 1]) if "--tolerance" in sys.argv else 1e-5
        return compare("PyTorch", got, e, meta, tolerance, meta["network"]["recurrent"])
    path, library = sys.argv[1:3]
    tolerance = float(sys.argv[sys.argv.index("--tolerance") + 1]) if "--tolerance" in sys.argv else 1e-5
    e = dict(np.load(path + ".examples.npz"))
    lib = Library(library)
    agent, info = lib.open(path)
    meta = json.loads(info.metadata)
    recurrent = meta["network"]["recurrent"]
    known = {"format", "agon", "player", "hash", "frames", "algorithm", "precision", "env", "observation", "action", "kinds", "agents",
             "network", "lineage"}
    assert known <= meta.keys() and meta["env"].keys() == {"name", "title", "version"}, known - meta.keys()
    got = lib.act(agent, info, e)
    compare("libagon", got, e, meta, tolerance, recurrent)
    if importlib.util.find_spec("agon"): compare("wheel", wheel(path, e), e, meta, tolerance, recurrent)
    if "--query" in sys.argv:
        program, run = sys.argv[sys.argv.index("--query") + 1:][:2]
        assert query(path, program, run, meta) <= tolerance, "agon query says something else"
    stem = path[:-len(".agon")]
    if os.path.exists(stem + ".npz"):
        layers = dict(np.load(stem + ".npz"))
        assert json.loads(bytes(layers.pop("metadata"))) == meta
        compare("npz", by_numpy(meta, layers, e), e, meta, tolerance, recurrent)
        if os.path.exists(stem + ".safetensors"):
            other, same = read_safetensors(stem + ".safetensors")
            assert other == meta and same.keys() == layers.keys() and all(np.array_equal(same[k], layers[k]) for k in layers)
            print("  safetensors  the same layers")
    if os.path.exists(stem + ".c"):
        compare("C", c_file(stem + ".c", e, meta), e, meta, tolerance, recurrent)


if __name__ == "__main__": main()
