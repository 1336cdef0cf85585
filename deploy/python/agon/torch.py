"""Exported players in PyTorch: a module whose state dict has the names and shapes of the file.

    from agon.torch import Agent
    agent = Agent("main_0.safetensors")      # or main_0.npz
    out = agent(observations, masks)         # probabilities, values, memory

It needs torch and numpy, and nothing else of this package: the file may be copied. Gradients flow, so that a player can be
trained on; `agent.state_dict()` goes wherever state dicts go.
"""

import json
import math

import numpy as np
import torch

ACTS = {"none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu}


def read(path):
    """Metadata, and layers by name, of a .safetensors or .npz of `agon export`."""
    if str(path).endswith(".npz"):
        with np.load(path) as file: layers = dict(file)
        return json.loads(bytes(layers.pop("metadata"))), layers
    with open(path, "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = json.loads(head.pop("__metadata__")["agon"])
    return metadata, {name: np.frombuffer(data[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
                      for name, entry in head.items()}


def half(x):
    """Rounded as the program rounds what it multiplies."""
    return x.to(torch.bfloat16).to(x.dtype)


class Agent(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        self.metadata, layers = read(path)
        self.net, self.action = self.metadata["network"], self.metadata["action"]
        self.names = list(layers)
        for name, value in layers.items():
            module, parts = self, name.split(".")
            for part in parts[:-1]:
                if part not in module._modules: module.add_module(part, torch.nn.Module())
                module = module._modules[part]
            tensor = torch.from_numpy(np.array(value))
            if parts[0] in ("normaliser", "value_unit"): module.register_buffer(parts[-1], tensor)
            else: module.register_parameter(parts[-1], torch.nn.Parameter(tensor))

    def start(self, n):
        """What n agents remember as an episode begins."""
        return torch.zeros(n, self.net["memory"])

    def forward(self, observations, masks=None, memory=None, agents=None, alive=None, positions=None):
        """Rows of observations, and of what else the player asks for (`help(agon.Agent.act)`): a dictionary of `probabilities`
        (of numbers: means, then deviations, in the env's unit), `values`, and `memory`, into which whoever acts puts what was done
        (`did`). Rows of a team lie side by side."""
        n = len(observations)
        x = observations.reshape(n, -1).to(torch.get_default_dtype())
        agents = torch.zeros(n, dtype=torch.long) if agents is None else agents.long()
        known = agents < self.metadata["agents"]["count"]
        agents = torch.where(known, agents, 0)
        memory = self.start(n) if memory is None else memory
        x = torch.cat([x, *self._appended(agents, known, memory)], 1)
        links = self._links(n, memory, alive, positions) if self.net["links"] >= 0 else None
        layers = self.state_dict(keep_vars=True)
        copies = self.net["copies"]
        if copies == 1: tensors, after = self._network(layers, x, memory, links)
        else:
            each = [self._network({k: v[c] for k, v in layers.items()}, x, memory, links) for c in range(copies)]
            which = torch.tensor(self.net["copy_of"])[agents]
            own = lambda values: torch.stack(values)[which, torch.arange(n)]
            tensors = {k: own([t[k] for t, _ in each]) for k in each[0][0]}
            after = own([a for _, a in each])
        return {**self._answers(tensors, masks, agents), "memory": after}

    def did(self, memory, actions):
        """The memory once these actions (n, heads) are done, for players that remember what they did last."""
        first, count = self.net["recurrent"], self.net["last_action"]
        if count == 0: return memory
        last = actions.to(memory) if self.action["kind"] == "box" else actions.to(memory) + 1
        return torch.cat([memory[:, :first], last[:, :count], memory[:, first + count:]], 1)

    def _appended(self, agents, known, memory):
        """Who the agent is, and what it did last, as the network reads them behind the observation."""
        net, span = self.net, self.net["id_span"]
        last = memory[:, net["recurrent"]:]
        parts = []
        if net["ids"]:
            one = torch.nn.functional.one_hot(torch.tensor(net["id_of"])[agents], net["ids"]) * known[:, None]
            parts.append(one.to(memory))
        if net["last_action"] and self.action["kind"] == "box": parts.append(last[:, :net["last_action"]])
        elif net["last_action"]:
            for h, size in enumerate(self.action["head_size"]):
                parts.append((last[:, h:h + 1] == torch.arange(1, size + 1)).to(memory))
        return [part.repeat_interleave(span, 1) for part in parts]

    def _links(self, n, memory, alive, positions):
        """Who hears whom of its team: (n, team)."""
        net, N = self.net, self.net["team"]
        there = torch.ones(n) if alive is None else (alive > 0).float()
        there = there.reshape(-1, N)
        links = there[:, :, None] * there[:, None] * (1 - torch.eye(N))
        if self.action.get("speaks"):
            said = memory[:, net["recurrent"] + net["last_action"]]
            links = links * (said.reshape(-1, 1, N) > .5)
        if net.get("nearest"):
            p = positions.double().reshape(-1, N, 3)
            far = ((p[:, :, None] - p[:, None]) ** 2).sum(3).masked_fill(links == 0, math.inf)
            links = links * (far.argsort(dim=2, stable=True).argsort(2) < net["nearest"])
        return links.reshape(n, N)

    def _network(self, layers, x, memory, links):
        """The tensors of one copy's layers, and the memory after."""
        side = lambda names: torch.cat([layers[name] for name in names])
        at, after = {0: x}, memory
        if links is not None: at[self.net["links"]] = links.to(x)
        for s in self.net["steps"]:
            i, op = [at[k] for k in s["in"]], s["op"]
            w, b, wh, bh = (side(s[k]) if k in s else None for k in ("weight", "bias", "weight_h", "bias_h"))
            r = half if s.get("bfloat16") else lambda v: v
            if op in ("dense", "product"): y = torch.nn.functional.linear(r(i[0]), r(w), b)
            elif op == "broadcast": y = b.expand(len(x), -1)
            elif op == "conv": y = self._conv(r(i[0]), s["conv"], r(w), b)
            elif op == "layer_norm": y = torch.nn.functional.layer_norm(i[0], (s["width"],), w, b)
            elif op == "normalise": y = ((i[0] - layers["normaliser.mean"]) * layers["normaliser.scale"]).clamp(-10, 10)
            elif op == "rescale": y = i[0][:, s["column"], None] * layers["value_unit.scale"] + layers["value_unit.mean"]
            elif op in ("gru", "lstm"):
                H, m = s["width"], s["memory_at"]
                h = memory[:, m:m + H]
                g, u = torch.nn.functional.linear(r(i[0]), r(w), b), torch.nn.functional.linear(r(h), r(wh), bh)
                if op == "gru":
                    gates = torch.sigmoid(g[:, :2 * H] + u[:, :2 * H])
                    fresh = torch.tanh(g[:, 2 * H:] + gates[:, :H] * u[:, 2 * H:])
                    y = fresh + gates[:, H:] * (h - fresh)
                    kept = y
                else:
                    a, f, c, o = (g + u).split(H, 1)
                    cell = torch.sigmoid(f) * memory[:, m + H:m + 2 * H] + torch.sigmoid(a) * torch.tanh(c)
                    y = torch.sigmoid(o) * torch.tanh(cell)
                    kept = torch.cat([y, cell], 1)
                after = torch.cat([after[:, :m], kept, after[:, m + kept.shape[1]:]], 1)
            elif op == "join": y = torch.cat(i, 1)
            elif op == "add": y = sum(i)
            elif op == "act": y = i[0]
            elif op in ("mix", "attend"): y = self._heard(op, s, i)
            else: raise ValueError(f"a step of kind {op} is unknown: the file is of a newer agon")
            at[s["out"]] = ACTS[s.get("act", "none")](y)
        if self.action.get("speaks"):
            speaks = at[self.net["logits"]][:, -2:].argmax(1, keepdim=True)
            after = torch.cat([after[:, :-1], speaks.to(after)], 1)
        return at, after

    def _conv(self, x, c, w, b):
        C, H, W = c["in"]
        x = x.reshape(-1, H, W, C).permute(0, 3, 1, 2) if c["channels_last"] else x.reshape(-1, C, H, W)
        y = torch.nn.functional.conv2d(x, w, b, c["stride"], c["pad"])
        return y.permute(0, 2, 3, 1).reshape(len(x), -1)

    def _heard(self, op, s, i):
        """What each row hears of its team: a mean, or one that attention weighs."""
        N = self.net["team"]
        teams = [v.reshape(-1, N, v.shape[1]) for v in i]
        links, said = teams[0], teams[-1]
        if op == "mix": share = links / links.sum(2, keepdim=True).clamp(min=1)
        else:
            score = teams[1] @ teams[2].transpose(1, 2) / math.sqrt(teams[1].shape[2])
            score = score.masked_fill(links == 0, -math.inf)
            if s["top"]:
                rank = (-score).argsort(dim=2, stable=True).argsort(2)
                score = score.masked_fill(rank >= s["top"], -math.inf)
            share = torch.softmax(score, 2).nan_to_num(0)
        return (share @ said).reshape(len(i[0]), -1)

    def _answers(self, at, masks, agents):
        net, action = self.net, self.action
        logits, value = at[net["logits"]], at[net["value"]][:, 0]
        if action["kind"] == "box":
            low, high = (torch.tensor(action[k]).to(logits)[agents] for k in ("low", "high"))
            there = torch.ones_like(low) if masks is None else (masks > 0).to(logits)
            mean = logits[:, :low.shape[1]]
            mean = (torch.tanh(mean) if net["outputs"] == "squashed_means" else mean) * there
            deviation = torch.exp(at[net["log_std"]]) * there if net["log_std"] >= 0 else torch.zeros_like(mean)
            reach = (high - low) / 2
            return {"probabilities": torch.cat([low + reach + reach * mean, reach * deviation], 1), "values": value}
        heads, first, worths = [], 0, 0
        for size in action["head_size"]:
            x = logits[:, first:first + size]
            if masks is not None: x = x.masked_fill(masks[:, first:first + size] == 0, -math.inf)
            if net["outputs"] == "worths": worths = worths + x.max(1).values
            heads.append(torch.nn.functional.one_hot(x.argmax(1), size).to(x) if net["outputs"] == "worths" else torch.softmax(x, 1))
            first += size
        return {"probabilities": torch.cat(heads, 1), "values": worths if net["outputs"] == "worths" else value}
