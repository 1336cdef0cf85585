#!/usr/bin/env python3
"""A PyTorch PPO to compare with: the same game (agon's own connect_four in C, stepped many games at a time through ctypes),
the same network (2 x 256 tanh, heads of 7 and 1), both sides learning, rollouts of 128 steps of 256 games, 4 epochs of 4
minibatches, Adam, clip 0.2, GAE 0.95. Prints frames/s learned.

    python3 tests/bench/torch_ppo.py --env build/libagon_bench_env.so [--threads N] [--epochs 4] [--bf16] [--seconds 20]
"""
import argparse
import ctypes
import time

import numpy as np
import torch

GAMES, STEPS, CELLS, COLUMNS = 256, 128, 84, 7

parser = argparse.ArgumentParser()
parser.add_argument("--env", default="build/libagon_bench_env.so")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--minibatches", type=int, default=4)
parser.add_argument("--seconds", type=float, default=20)
parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)

library = ctypes.CDLL(options.env)
library.bench_env_open.restype = ctypes.c_void_p
games = ctypes.c_void_p(library.bench_env_open(GAMES))
pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)

observation = np.zeros((STEPS + 1, GAMES, CELLS), np.uint8)
mask = np.zeros((STEPS + 1, GAMES, COLUMNS), np.uint8)
reward = np.zeros((STEPS, GAMES), np.float32)
ended = np.zeros((STEPS, GAMES), np.uint8)

net = torch.nn.Sequential(torch.nn.Linear(CELLS, 256), torch.nn.Tanh(), torch.nn.Linear(256, 256), torch.nn.Tanh(), torch.nn.Linear(256, COLUMNS + 1))
for layer in net[0], net[2]:
    torch.nn.init.orthogonal_(layer.weight, 2**0.5)
adam = torch.optim.Adam(net.parameters(), lr=5e-4, eps=1e-5)


def forward(rows, legal):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
        out = net(rows)
    out = out.float()
    logits = out[:, :COLUMNS].masked_fill(legal == 0, -1e30)
    return logits - torch.logsumexp(logits, 1, keepdim=True), out[:, COLUMNS]


def rollout():
    actions, log_probs, values = [], [], []
    with torch.no_grad():
        for t in range(STEPS + 1):
            library.bench_env_view(games, pointer(observation[t]), pointer(mask[t]))
            line, value = forward(torch.from_numpy(observation[t]).float(), torch.from_numpy(mask[t]))
            values.append(value)
            if t == STEPS:
                break
            action = torch.multinomial(line.exp(), 1)
            actions.append(action[:, 0])
            log_probs.append(line.gather(1, action)[:, 0])
            chosen = action[:, 0].to(torch.int32).numpy()
            library.bench_env_step(games, pointer(chosen), pointer(reward[t]), pointer(ended[t]))
    return torch.stack(actions), torch.stack(log_probs), torch.stack(values)


def advantages(values):
    """Turns alternate, so the next value is the other side's: it counts negatively (zero-sum GAE)."""
    out, running = torch.zeros(STEPS, GAMES), torch.zeros(GAMES)
    gains, over = torch.from_numpy(reward), torch.from_numpy(ended).float()
    for t in reversed(range(STEPS)):
        delta = gains[t] - 0.99 * (1 - over[t]) * values[t + 1] - values[t]
        running = delta - 0.99 * 0.95 * (1 - over[t]) * running
        out[t] = running
    return out


def update(actions, log_probs, values):
    gain = advantages(values)
    target, gain = (gain + values[:-1]).reshape(-1), gain.reshape(-1)
    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
    rows = torch.from_numpy(observation[:STEPS]).reshape(-1, CELLS).float()
    legal = torch.from_numpy(mask[:STEPS]).reshape(-1, COLUMNS)
    actions, log_probs = actions.reshape(-1, 1), log_probs.reshape(-1)
    size = len(gain) // options.minibatches
    for _ in range(options.epochs):
        order = torch.randperm(len(gain))
        for m in range(options.minibatches):
            i = order[m * size:(m + 1) * size]
            line, value = forward(rows[i], legal[i])
            ratio = (line.gather(1, actions[i])[:, 0] - log_probs[i]).exp()
            policy = -torch.min(ratio * gain[i], ratio.clamp(0.8, 1.2) * gain[i]).mean()
            entropy = -(line.exp() * line).sum(1).mean()
            loss = policy + 0.25 * (value - target[i]).square().mean() - 0.01 * entropy
            adam.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            adam.step()


def main():
    update(*rollout())  # warms up
    frames, start = 0, time.perf_counter()
    while time.perf_counter() - start < options.seconds:
        update(*rollout())
        frames += GAMES * STEPS
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {options.epochs} epochs{', bf16' if options.bf16 else ''}: "
          f"{frames / (time.perf_counter() - start):.0f} frames/s")


main()
