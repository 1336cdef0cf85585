"""PettingZoo's views of a game: aec(NAME, **options) and parallel(NAME, **options).

An observation is {"observation", "action_mask"} in games whose actions are not always legal (as in PettingZoo's own), else the
array. All agents stay until the episode's end, as who is out of the game may still be paid: whoever does not act is not
selected (AEC), or its action is not looked at, and its mask is 0 (parallel). Spaces are those of the widest kind of agents:
what narrower kinds lack is 0 and masked. `infos[agent]` of an ended episode has "outcome": 1 won, .5 drawn, 0 lost."""

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

from . import _spaces
from ._library import Error
from .vec import Vec


class _Game:
    """What both views have in common."""

    def _open(self, name, render_mode, options):
        if render_mode not in (None, "ansi"): raise ValueError(f"render_mode is None or 'ansi', not {render_mode!r}")
        self.render_mode = render_mode
        self.metadata = {"name": f"agon_{name}_v0", "render_modes": ["ansi"], "is_parallelizable": True}
        self._vec = vec = Vec(name, 1, seed=0, again=False, **options)
        self.possible_agents = _spaces.names(vec)
        self.agents = []
        self._index = {agent: i for i, agent in enumerate(self.possible_agents)}
        own = _spaces.observation(vec)

        def whole():
            return spaces.Dict({"observation": own, "action_mask": _spaces.mask(vec)}) if vec.has_masks else _spaces.observation(vec)

        self.observation_spaces = {agent: whole() for agent in self.possible_agents}
        self.action_spaces = {agent: _spaces.action(vec) for agent in self.possible_agents}
        self.state_space = (spaces.Box(-np.inf, np.inf, (vec.info.global_state,), np.float32) if vec.info.global_state else None)
        self._rng = np.random.default_rng()

    def observation_space(self, agent):
        return self.observation_spaces[agent]

    def action_space(self, agent):
        return self.action_spaces[agent]

    def _begin(self, seed):
        """Without a seed the next episode of the same stream."""
        if seed is not None: self._rng = np.random.default_rng(seed)
        self._vec.reset(int(self._rng.integers(2**63)))
        self.agents = list(self.possible_agents)

    def _row(self, agent):
        """Of the arrays of a step, or None where it is another's turn."""
        at = self._index[agent]
        vec = self._vec
        if vec.turns: return 0 if vec.acts[0] and vec.agents[0] == at else None
        return at

    def _look(self, agent):
        vec, row = self._vec, self._row(agent)
        seen = vec.observe(0, self._index[agent])
        if not vec.has_masks: return seen
        mask = np.zeros(vec.info.mask_count, np.uint8) if row is None else vec.masks.reshape(-1, vec.info.mask_count)[row]
        return {"observation": seen, "action_mask": _spaces.masks(vec, mask)}

    def _acting(self):
        """Agents that must act, in the order of their numbers."""
        vec = self._vec
        if vec.turns: return [self.possible_agents[vec.agents[0]]] if vec.acts[0] else []
        return [agent for agent, acts in zip(self.possible_agents, vec.acts.reshape(-1)) if acts]

    def _checked(self, agent, action):
        """The action of an agent that must act, as a row of heads; it is refused before anything has changed."""
        vec = self._vec
        action = _spaces.chosen(vec, action, agent)
        head = _spaces.illegal(vec, action, vec.masks.reshape(-1, vec.info.mask_count)[self._row(agent)])
        if head is not None:
            raise Error(f"{vec.title}, {agent}: choice {action[head]} of head {head} is not legal here (see its action_mask)")
        return action

    def _do(self, actions):
        """actions: {agent: action} of whoever acts."""
        vec = self._vec
        for agent in actions:
            if agent not in self._index: raise ValueError(f"there is no agent {agent!r} in {vec.title}: {', '.join(self.possible_agents)}")
        rows = np.zeros((vec.rows, vec.heads), vec.action_type)
        for agent in self._acting():
            if agent not in actions: raise ValueError(f"{agent} must act, and there is no action of it")
            rows[self._row(agent)] = self._checked(agent, actions[agent])
        vec.step(rows.reshape(vec._full))

    def _info(self, agent):
        vec = self._vec
        over = vec.terminated[0] or vec.truncated[0]
        return {"outcome": float(vec.outcomes[0, vec.team_of[self._index[agent]]])} if over else {}

    def render(self):
        return self._vec.render() if self.render_mode == "ansi" else None

    def state(self):
        if self.state_space is None: raise NotImplementedError(f"{self._vec.title} has no global state")
        return self._vec.global_state()

    def close(self):
        self._vec.close()

    def __str__(self):
        return self.metadata["name"]


class AEC(_Game, AECEnv):
    """Agents one by one. Of those who act at once each chooses before any of them sees what the others did."""

    def __init__(self, name, render_mode=None, **options):
        AECEnv.__init__(self)
        self._open(name, render_mode, options)

    def observe(self, agent):
        return self._look(agent)

    def reset(self, seed=None, options=None):
        self._begin(seed)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = {agent: float(self._vec.rewards[0, i]) for agent, i in self._index.items()}
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self._said = {}
        self._waiting = self._acting()
        self.agent_selection = self._waiting[0]

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        action = self._checked(agent, action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._said[agent] = action
        self._waiting = self._waiting[1:]
        if not self._waiting:
            self._do(self._said)
            self._said = {}
            self.rewards = {name: float(self._vec.rewards[0, self._index[name]]) for name in self.agents}
            self.terminations = dict.fromkeys(self.agents, bool(self._vec.terminated[0]))
            self.truncations = dict.fromkeys(self.agents, bool(self._vec.truncated[0]))
            self.infos = {name: self._info(name) for name in self.agents}
            self._waiting = self._acting()
        after = self.possible_agents[(self._index[agent] + 1) % len(self.possible_agents)]
        self.agent_selection = self._waiting[0] if self._waiting else after
        self._accumulate_rewards()


class Parallel(_Game, ParallelEnv):
    """All agents at once; where they take turns one of them acts in each step."""

    def __init__(self, name, render_mode=None, **options):
        self._open(name, render_mode, options)

    def reset(self, seed=None, options=None):
        self._begin(seed)
        return {agent: self._look(agent) for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions):
        vec, there = self._vec, self.agents
        if not there: return {}, {}, {}, {}, {}
        self._do(actions)
        seen = {agent: self._look(agent) for agent in there}
        rewards = {agent: float(vec.rewards[0, self._index[agent]]) for agent in there}
        terminated, truncated = dict.fromkeys(there, bool(vec.terminated[0])), dict.fromkeys(there, bool(vec.truncated[0]))
        infos = {agent: self._info(agent) for agent in there}
        if vec.terminated[0] or vec.truncated[0]: self.agents = []
        return seen, rewards, terminated, truncated, infos


def aec(name, render_mode=None, **options):
    return AEC(name, render_mode, **options)


def parallel(name, render_mode=None, **options):
    return Parallel(name, render_mode, **options)
