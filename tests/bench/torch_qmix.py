#!/usr/bin/env python3
"""A PyTorch QMIX to compare gradient steps with: the shapes of deploy/runs/simple_spread_qmix.yaml. A batch of 32 episodes
of 25 steps (and the row behind the last) of three agents that see 18 numbers and have five choices, a state of 54; a network
of 2 x 128 relu units that the agents share (--memory: then a GRU of 64), a mixer with an embedding of 32 and hyper-networks of
two layers; double Q, targets of lambda-returns, copies that follow softly after each step, Adam, gradients clipped. All of a
step is here but the drawing of the batch, as in 'agon bench learn'. Prints optimiser steps a second.

    python3 tests/bench/torch_qmix.py [--threads N] [--memory] [--seconds 10]
    tests/bench/pair_qmix.sh [ROUNDS] [PYTHON]     agon and this in turns
"""
import argparse
import time

import torch
from torch import nn

EPISODES, STEPS, AGENTS, SEEN, CHOICES, STATE = 32, 25, 3, 18, 5, 54
WIDTH, MEMORY, EMBED, HYPER = 128, 64, 32, 32
GAMMA, LAMBDA, TAU, CLIP = 0.9, 0.8, 0.02, 10

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--memory", action="store_true", help="a GRU behind the dense layers")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)


class Agent(nn.Module):
    """Rows are (steps, episodes * agents, SEEN); what comes out is Q of each choice."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(SEEN, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.memory = nn.GRU(WIDTH, MEMORY) if options.memory else None
        self.head = nn.Linear(MEMORY if options.memory else WIDTH, CHOICES)

    def forward(self, rows):
        out = self.trunk(rows)
        if self.memory is not None:
            out, _ = self.memory(out)
        return self.head(out)


def hyper(width):
    return nn.Sequential(nn.Linear(STATE, HYPER), nn.ReLU(), nn.Linear(HYPER, width))


class Mixer(nn.Module):
    """Of agents' values (rows, AGENTS) and the state (rows, STATE) the team's value (rows)."""

    def __init__(self):
        super().__init__()
        self.w1, self.w2 = hyper(AGENTS * EMBED), hyper(EMBED)
        self.b1 = nn.Linear(STATE, EMBED)
        self.v = nn.Sequential(nn.Linear(STATE, EMBED), nn.ReLU(), nn.Linear(EMBED, 1))

    def forward(self, q, state):
        w1 = self.w1(state).abs().view(-1, AGENTS, EMBED)
        hidden = nn.functional.elu(torch.bmm(q.unsqueeze(1), w1).squeeze(1) + self.b1(state))
        return (hidden * self.w2(state).abs()).sum(1) + self.v(state).squeeze(1)


agent, agent_target = Agent(), Agent()
mixer, mixer_target = Mixer(), Mixer()
agent_target.load_state_dict(agent.state_dict())
mixer_target.load_state_dict(mixer.state_dict())
trained = [*agent.parameters(), *mixer.parameters()]
copies = [*agent_target.parameters(), *mixer_target.parameters()]
adam = torch.optim.Adam(trained, lr=2e-3, eps=1e-5)

ROWS = STEPS + 1
seen = torch.randn(ROWS, EPISODES * AGENTS, SEEN)
state = torch.randn(ROWS * EPISODES, STATE)
action = torch.randint(CHOICES, (ROWS, EPISODES * AGENTS, 1))
mask = torch.ones(ROWS, EPISODES * AGENTS, CHOICES, dtype=torch.bool)
reward = torch.randn(STEPS, EPISODES)


def by_team(values):
    return values.reshape(ROWS * EPISODES, AGENTS)


def step():
    q = agent(seen)
    chosen = by_team(q.gather(2, action))
    total = mixer(chosen, state).view(ROWS, EPISODES)[:STEPS]
    with torch.no_grad():
        best = q.masked_fill(~mask, -torch.inf).argmax(2, keepdim=True)
        worth = mixer_target(by_team(agent_target(seen).gather(2, best)), state).view(ROWS, EPISODES)
        target, behind = torch.empty(STEPS, EPISODES), worth[STEPS]
        for t in reversed(range(STEPS)):
            behind = reward[t] + GAMMA * ((1 - LAMBDA) * worth[t + 1] + LAMBDA * behind)
            target[t] = behind
    loss = 0.5 * (total - target).square().mean()
    adam.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), CLIP)
    nn.utils.clip_grad_norm_(mixer.parameters(), CLIP)
    adam.step()
    with torch.no_grad():
        torch._foreach_lerp_(copies, trained, TAU)


def main():
    for _ in range(20):  # warms up
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < options.seconds:
        step()
        steps += 1
    print(f"PyTorch {torch.__version__}, {options.threads} threads{', GRU' if options.memory else ''}: "
          f"{steps / (time.perf_counter() - start):.1f} steps/s")


main()
