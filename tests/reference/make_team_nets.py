#!/usr/bin/env python3
"""Makes team_nets_numbers.h: outputs and gradients of mixers and critics, from their formulas in double precision; gradients
are central differences, so that no derivative is written down twice. Run by hand when one of them changes:
/usr/bin/python3 make_team_nets.py > team_nets_numbers.h (Debian's python3-numpy)."""
import numpy as np

rng = np.random.default_rng(11)
TEAMS, N, S, A, EMBED, HYPER, HEADS = 4, 3, 5, 4, 6, 7, 2


def put(name, *arrays, kind="double"):
    flat = np.concatenate([np.asarray(a).reshape(-1) for a in arrays])
    text = ", ".join(f"{v:.9g}" if kind == "double" else str(int(v)) for v in flat)
    print(f"static const {kind} {name}[{len(flat)}] = {{{text}}};")


class Block:
    """Matrices and biases in the order in which they are asked for, drawn at the first time."""

    def __init__(self):
        self.flat = np.zeros(0)
        self.at = 0

    def take(self, *shape, centre=0.0):
        count = int(np.prod(shape))
        if self.at == len(self.flat):
            self.flat = np.concatenate([self.flat, centre + rng.normal(size=count) * 0.5])
        self.at += count
        return self.flat[self.at - count : self.at].reshape(shape)

    def dense(self, x, width):
        w, b = self.take(width, x.shape[-1]), self.take(width)
        return x @ w.T + b


def slopes(f, x):
    """The gradient of f at x; both step widths must agree, or a kink lies between."""
    out = np.zeros(x.size)
    for i in range(x.size):
        sides = []
        for h in (1e-5, 1e-6):
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved.flat[i] += sign * h
                ends.append(f(moved))
            sides.append((ends[0] - ends[1]) / (2 * h))
        assert abs(sides[0] - sides[1]) < 1e-6 * (1 + abs(sides[0])), (i, sides)
        out[i] = sides[0]
    return out


relu = lambda x: np.maximum(x, 0)
sigmoid = lambda x: 1 / (1 + np.exp(-x))
elu = lambda x: np.where(x > 0, x, np.expm1(x))


def state_value(b, s):
    return b.dense(relu(b.dense(s, EMBED)), 1)[:, 0]


def vdn(b, q, s, best, acts, frozen):
    return q.sum(1)


def qmix(b, q, s, best, acts, frozen):
    w1 = np.abs(b.dense(relu(b.dense(s, HYPER)), N * EMBED)).reshape(-1, N, EMBED)
    b1 = b.dense(s, EMBED)
    w2 = np.abs(b.dense(relu(b.dense(s, HYPER)), EMBED))
    hidden = elu(np.einsum("ri,rij->rj", q, w1) + b1)
    return (hidden * w2).sum(1) + state_value(b, s)


def qplex(b, q, s, best, acts, frozen):
    both = np.concatenate([s, acts], 1)
    key = np.abs(b.dense(relu(b.dense(s, HYPER)), HEADS)) + 1e-10
    f = sigmoid(b.dense(relu(b.dense(s, HYPER)), HEADS * N)).reshape(-1, HEADS, N)
    g = sigmoid(b.dense(relu(b.dense(both, HYPER)), HEADS * N)).reshape(-1, HEADS, N)
    lam = np.einsum("rh,rhi,rhi->ri", key, f, g)
    return q.sum(1) + ((lam - 1) * frozen).sum(1) + state_value(b, s)


def free(b, q, s, best, acts, frozen):
    x = np.concatenate([q, s], 1)
    for width in (6, 5):
        x = relu(b.dense(x, width))
    return b.dense(x, 1)[:, 0]


def mixer(name, f):
    q, s, w = rng.normal(size=(TEAMS, N)), rng.normal(size=(TEAMS, S)), rng.normal(size=TEAMS)
    best = q + np.abs(rng.normal(size=q.shape))
    choice = rng.integers(0, A, size=q.shape)
    q[1, 2] = best[1, 2] = 0  # out of the game
    choice[1, 2] = -1
    acts = (choice[:, :, None] == np.arange(A)).astype(float).reshape(TEAMS, N * A)
    block = Block()
    run = lambda b, q: f(b, q, s, best, acts, frozen)
    frozen = q - best
    out = run(block, q)

    def at(flat, q):
        b = Block()
        b.flat = flat
        return float((run(b, q) * w).sum())

    put(name + "_params", block.flat if len(block.flat) else [0])
    put(name + "_q", q)
    put(name + "_state", s)
    put(name + "_best", best)
    put(name + "_choice", choice, kind="int32_t")
    put(name + "_weight", w)
    put(name + "_total", out)
    put(name + "_gradient", slopes(lambda p: at(p, q), block.flat) if len(block.flat) else [0])
    put(name + "_d_q", slopes(lambda x: at(block.flat, x), q))


def norm(b, x):
    gain, bias = b.take(x.shape[-1], centre=1.0), b.take(x.shape[-1])
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gain + bias


def gru(b, x, width, states, restart, hold):
    """x (T, sequences, K), PyTorch's gates."""
    w_x, w_h = b.take(3 * width, x.shape[-1]), b.take(3 * width, width)
    b_x, b_h = b.take(3 * width), b.take(3 * width)
    out = np.zeros(x.shape[:2] + (width,))
    for t in range(x.shape[0]):
        for n in range(x.shape[1]):
            h = states[restart[t, n]] if restart[t, n] >= 0 else out[t - 1, n]
            i, u = w_x @ x[t, n] + b_x, w_h @ h + b_h
            r, z = sigmoid(i[:width] + u[:width]), sigmoid(i[width : 2 * width] + u[width : 2 * width])
            fresh = np.tanh(i[2 * width :] + r * u[2 * width :])
            out[t, n] = h if hold[t, n] else (1 - z) * fresh + z * h
    return out


def critic():
    """State, own observation, number, alive; two layers with norms, a memory, a unit of returns."""
    T, B, O, H = 3, 2, 4, 4
    rows = B * N
    own, s, w = rng.normal(size=(T, rows, O)), rng.normal(size=(T, B, S)), rng.normal(size=(T, rows))
    alive = np.ones((T, rows))
    alive[1:, 2] = alive[2, 4] = 0
    states = rng.normal(size=(rows + 1, H)) * 0.5
    restart = np.full((T, rows), -1)
    restart[0] = np.arange(rows)
    restart[2, 3] = rows
    hold = 1 - alive
    moments = [rng.normal(size=O), np.abs(rng.normal(size=O)), rng.normal(size=S), np.abs(rng.normal(size=S)), [0.7, 2.5]]

    def run(b):
        squash = lambda x, m, k: np.clip((x - m) * k, -10, 10)
        mine = squash(own, moments[0], moments[1])
        team = np.repeat(squash(s, moments[2], moments[3]), N, axis=1)
        number = np.broadcast_to(np.tile(np.eye(N), (B, 1)), (T, rows, N))
        x = np.concatenate([mine, number, alive[:, :, None]], 2)
        w_own, bias, w_state = b.take(6, x.shape[-1]), b.take(6), b.take(6, S)
        x = np.concatenate([x, team], 2) @ np.concatenate([w_own, w_state], 1).T + bias  # one layer over all of it
        x = norm(b, np.tanh(x))
        x = norm(b, np.tanh(b.dense(x, 5)))
        return b.dense(gru(b, x, H, states, restart, hold), 1)[:, :, 0] * moments[4][1] + moments[4][0]

    finish("critic", run, w)
    put("critic_constants", *moments)
    put("critic_observation", own)
    put("critic_state", s)
    put("critic_alive", alive, kind="uint8_t")
    put("critic_hold", hold, kind="uint8_t")
    put("critic_restart", restart, kind="int32_t")
    put("critic_states", states)


def state_critic():
    """The state alone: one value for the team, which each agent gets."""
    s, w = rng.normal(size=(TEAMS, S)), rng.normal(size=(TEAMS, N))
    run = lambda b: np.repeat(b.dense(relu(b.dense(relu(b.dense(s, 6)), 5)), 1), N, axis=1)
    finish("state_critic", run, w)
    put("state_critic_state", s)


def finish(name, run, w):
    block = Block()
    out = run(block)

    def at(flat):
        b = Block()
        b.flat = flat
        return float((run(b) * w).sum())

    put(name + "_params", block.flat)
    put(name + "_weight", w)
    put(name + "_value", out)
    put(name + "_gradient", slopes(at, block.flat))


print("/* Made by make_team_nets.py with NumPy %s: do not edit. */" % np.__version__)
print("#pragma once")
print("#include <stdint.h>")
print("/* clang-format off */")
mixer("vdn", vdn)
mixer("qmix", qmix)
mixer("qplex", qplex)
mixer("free", free)
critic()
state_critic()
