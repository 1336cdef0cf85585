"""Gymnasium's view of a game: one agent is yours, the others are played by an opponent."""

import gymnasium
import numpy as np

from . import _spaces
from .agent import Agent, load
from .vec import Vec


class Game(gymnasium.Env):
    """make(NAME, opponent=..., agent=..., illegal=..., **options).

    opponent  "random", "scripted" (the game's rule-based player), an exported file or `agon.load` of one, or a function
              (observation, mask, agent) -> action; a list has one of them drawn for each episode
    agent     which agent is yours: a number, or None: drawn for each episode
    illegal   what an action that the mask forbids does: "error", or "replace": the first legal one is done, and
              info["illegal"] is True (for programs that do not know of masks, `check_env` among them)

    `info["action_mask"]` and `action_masks()` say what is legal; the reward is all that was paid to your agent until it
    acts again."""

    metadata = {"render_modes": ["ansi"]}

    def __init__(self, name, opponent="random", agent=0, illegal="error", render_mode=None, **options):
        if illegal not in ("error", "replace"): raise ValueError(f"illegal is 'error' or 'replace', not {illegal!r}")
        if render_mode not in (None, "ansi"): raise ValueError(f"render_mode is None or 'ansi', not {render_mode!r}")
        self.render_mode, self.illegal = render_mode, illegal
        self._vec = vec = Vec(name, 1, seed=0, again=False, **options)
        if agent is not None and not 0 <= agent < vec.num_agents:
            raise ValueError(f"agent is 0 to {vec.num_agents - 1} in {vec.title}, or None, not {agent}")
        self._seat = agent
        self._opponents = [self._ready(one) for one in (opponent if isinstance(opponent, (list, tuple)) else [opponent])]
        self.observation_space, self.action_space = _spaces.observation(vec), _spaces.action(vec)
        self._done = True

    def _ready(self, one):
        vec = self._vec
        if callable(one) or one == "random": return one
        if one == "scripted":
            if not vec.has_scripted: raise ValueError(f"{vec.title} has no rule-based player; take 'random'")
            return one
        player = one if isinstance(one, Agent) else load(one)
        if player.env != vec.title:
            raise ValueError(f"{player.player} was trained in '{player.env}', this is '{vec.title}': one game with the same options")
        if player.team > 1 or player.info.wants_positions:
            raise ValueError(f"{player.player} decides for a whole team at once: use agon.load and agon.make_vec")
        return player

    def _row(self):
        """Of the arrays, where the own agent acts; else None."""
        vec = self._vec
        if vec.turns: return 0 if vec.acts[0] and vec.agents[0] == self.agent else None
        return self.agent if vec.acts.reshape(-1)[self.agent] else None

    def _decide(self, row):
        """An opponent's action in a row; players with a memory have one for each agent."""
        vec, one = self._vec, self._opponent
        who = int(vec.agents.reshape(-1)[row])
        seen = vec.observations.reshape(-1, *vec.observation_shape)[row]
        mask = vec.masks.reshape(-1, vec.info.mask_count)[row]
        if isinstance(one, Agent):
            return one.act(seen[None], mask[None], state=self._state, greedy=False, seed=int(self.np_random.integers(2**63)),
                           agents=[who], slots=[who])[0]
        return one(seen, mask, who)

    def _others(self, rows):
        """Fills in what the others do."""
        vec = self._vec
        if self._opponent == "random": return vec.sample(self.np_random).reshape(rows.shape)
        if self._opponent == "scripted": return vec.scripted().reshape(rows.shape)
        for row in np.flatnonzero(vec.acts.reshape(-1)):
            if row != self._row(): rows[row] = self._decide(row)
        return rows

    def _move(self, action=None):
        vec = self._vec
        rows = self._others(np.zeros((vec.rows, vec.heads), vec.action_type))
        if action is not None: rows[self._row()] = action
        vec.step(rows.reshape(vec._full))
        self._done = bool(vec.terminated[0] or vec.truncated[0])
        return float(vec.rewards[0, self.agent])

    def _on(self):
        """To where the own agent acts, or to the end."""
        reward = 0.0
        while not self._done and self._row() is None: reward += self._move()
        return reward

    def _told(self):
        vec = self._vec
        info = {} if vec.box else {"action_mask": self.action_masks()}
        if self._done: info["outcome"] = float(vec.outcomes[0, vec.team_of[self.agent]])
        return vec.observe(0, self.agent), info

    def action_masks(self):
        """1: legal, all heads side by side (what sb3-contrib's MaskablePPO asks for)."""
        row = None if self._done else self._row()
        if row is None: return np.ones(self._vec.info.mask_count, np.int8)
        return self._vec.masks.reshape(-1, self._vec.info.mask_count)[row].astype(np.int8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        vec = self._vec
        while True:
            vec.reset(int(self.np_random.integers(2**63)))
            self.agent = int(self.np_random.integers(vec.num_agents)) if self._seat is None else self._seat
            self._opponent = self._opponents[int(self.np_random.integers(len(self._opponents)))]
            self._state = self._opponent.state(vec.num_agents) if isinstance(self._opponent, Agent) else None
            self._done = False
            self._on()
            if not self._done: return self._told()  # else it was over before the own agent's first decision

    def _legal(self, action):
        """(action, whether it was replaced)"""
        vec, at, replaced = self._vec, 0, False
        if vec.box: return np.asarray(action, np.float32), False
        action, mask = np.array(action, np.int64).reshape(vec.heads), self.action_masks()
        for head, size in enumerate(vec.head_sizes):
            legal = mask[at:at + size]
            if self.illegal == "replace" and not (0 <= action[head] < size and legal[action[head]]):
                action[head], replaced = int(np.argmax(legal)), True
            at += size
        return action, replaced

    def step(self, action):
        if self._done: raise gymnasium.error.ResetNeeded("the episode is over: call reset")
        action, replaced = self._legal(action)
        reward = self._move(action) + self._on()
        seen, info = self._told()
        if replaced: info["illegal"] = True
        return seen, reward, bool(self._vec.terminated[0]), bool(self._vec.truncated[0]), info

    def render(self):
        return self._vec.render() if self.render_mode == "ansi" else None


def make(name, opponent="random", agent=0, illegal="error", render_mode=None, **options):
    return Game(name, opponent, agent, illegal, render_mode, **options)
