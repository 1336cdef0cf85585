"""Environments in the manner of PettingZoo that need nothing but numpy. Walls: two guards and a scout, who see and do different
things, all at once; the scout leaves in the middle, and the guards are cut short. Nim: three players take matches in turn; who takes
the last one is out of the game, and the last two share the prize."""

import numpy as np

from lamps import Box, Dict, Discrete


class Walls:
    """Parallel. With hide=mask the scout's mask is missing later on, with hide=state the state."""

    def __init__(self, length=10, hide="", rivals=False):
        self.possible_agents, self.agents = ["guard_0", "guard_1", "scout_0"], []
        self.length, self.hide, self.rivals = length, hide, rivals

    def observation_space(self, name):
        if name == "scout_0": return Dict(observation=Box(0, 1, (2, 3)), action_mask=Box(0, 1, (4,), np.int8))
        return Box(0, 20, (3,))

    def action_space(self, name):
        return Discrete(4 if name == "scout_0" else 2)

    def look(self):
        seen = {}
        for name in self.agents:
            if name != "scout_0": seen[name] = np.array([self.time, self.wall, self.mark], np.float32)
            else:
                seen[name] = {"observation": np.full((2, 3), self.time / 20, np.float32), "action_mask": np.array([1, 1, 0, self.mark], np.int8)}
                if self.hide == "mask" and self.time == 4: del seen[name]["action_mask"]
        return seen

    def reset(self, seed=None, options=None):
        self.dice, self.agents, self.time = np.random.default_rng(seed), list(self.possible_agents), 0
        self.wall, self.mark = int(self.dice.integers(2)), int(self.dice.integers(2))
        infos = {name: {"action_mask": np.array([1, 1])} for name in self.agents if name != "scout_0"}
        return self.look(), infos

    def step(self, actions):
        assert set(actions) == set(self.agents), (actions, self.agents)
        if "scout_0" in actions: assert actions["scout_0"] != 2 and (actions["scout_0"] != 3 or self.mark), actions
        self.time += 1
        good = sum(actions[name] == self.wall for name in self.agents if name != "scout_0")
        rewards = {name: float(good) for name in self.agents}
        if self.rivals: rewards = {name: {"guard_0": 1.0, "guard_1": -1.0, "scout_0": 0.0}[name] for name in self.agents}
        self.wall, self.mark = int(self.dice.integers(2)), int(self.dice.integers(2))
        ended = {name: name == "scout_0" and self.time == 5 for name in self.agents}
        cut = {name: self.time == self.length for name in self.agents}
        before = self.agents
        seen = self.look()
        self.agents = [name for name in before if not ended[name] and not cut[name]]
        return seen, rewards, ended, cut, {name: {"action_mask": np.array([1, 1])} for name in before if name != "scout_0"}

    def state(self):
        if self.hide == "state" and self.time == 4: raise RuntimeError("the map is lost")
        return np.array([self.time, self.wall, self.mark], np.float32)

    def close(self):
        pass


class Nim:
    """AEC."""

    def __init__(self, matches=9):
        self.possible_agents, self.matches = ["player_0", "player_1", "player_2"], matches

    def observation_space(self, name):
        return Dict(observation=Discrete(self.matches + 1), action_mask=Box(0, 1, (3,), np.int8))

    def action_space(self, name):
        return Discrete(3)

    def observe(self, name):
        return {"observation": self.heap, "action_mask": np.array([self.heap >= n for n in (1, 2, 3)], np.int8)}

    def reset(self, seed=None, options=None):
        self.agents, self.heap = list(self.possible_agents), self.matches
        self.rewards = {name: 0 for name in self.agents}
        self.terminations, self.truncations = {name: False for name in self.agents}, {name: False for name in self.agents}
        self.infos = {name: {} for name in self.agents}
        self.first = int(np.random.default_rng(seed).integers(3))
        self.agent_selection = self.agents[self.first]

    def step(self, action):
        name = self.agent_selection
        if self.terminations[name]:
            assert action is None
            after = self.agents.index(name)
            self.agents.remove(name)
            for table in (self.rewards, self.terminations, self.truncations, self.infos): del table[name]
            self.rewards = {other: 0 for other in self.agents}
            if self.agents: self.agent_selection = self.agents[after % len(self.agents)]
            return
        self.heap -= action + 1
        assert self.heap >= 0
        self.rewards = {other: 0 for other in self.agents}
        if self.heap == 0 and len(self.agents) == 3:
            self.terminations[name], self.heap = True, 4
            self.rewards = {other: -2 if other == name else 1 for other in self.agents}
            return  # passed over by None, as PettingZoo does it
        if self.heap == 0: self.terminations = {other: True for other in self.agents}
        self.agent_selection = self.agents[(self.agents.index(name) + 1) % len(self.agents)]

    def close(self):
        pass
