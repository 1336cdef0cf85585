"""Gymnasium's view of a game: one agent is yours, the others are played by an opponent."""

import os

import gymnasium
import numpy as np

from . import _library as c
from . import _spaces
from .agent import Agent, load
from .vec import Vec


class Game(gymnasium.Env):
    """make(NAME, opponent=..., agent=..., illegal=..., **options).

    opponent  "random", "scripted" (the game's rule-based player), what `agon.load` takes or has loaded, or a function
              (observation, mask, agent) -> action; a list has one of them drawn for each episode. It plays all other agents,
              those of your own team, too
    agent     which agent is yours: a number, or None: drawn for each episode
    illegal   what an action that the mask forbids does: "error", or "replace": the first legal one is done, and
              info["illegal"] is True (for programs that do not know of masks, `check_env` among them)

    `info["action_mask"]` and `action_masks()` say what is legal. The reward is all that was paid to your agent until it acts
    again; what was paid before its first decision is in the `info["reward"]` of `reset`. (An episode that ends before that is
    not shown: the next one is.) At the end `info["outcome"]` is 1 won, .5 drawn, 0 lost, and `info["metrics"]` has what the
    game measures. An action that is refused has changed nothing; if an opponent fails, the episode is over: `reset`."""

    metadata = {"render_modes": ["ansi"]}

    def __init__(self, name, opponent="random", agent=0, illegal="error", render_mode=None, **options):
        if illegal not in ("error", "replace"): raise ValueError(f"illegal is 'error' or 'replace', not {illegal!r}")
        if render_mode not in (None, "ansi"): raise ValueError(f"render_mode is None or 'ansi', not {render_mode!r}")
        self.render_mode, self.illegal = render_mode, illegal
        self._vec = vec = Vec(name, 1, seed=0, again=False, **options)
        self._seat = None if agent is None else c.count(agent, f"agent (or None) in {vec.title}", 0, vec.num_agents)
        self._opponents = [self._ready(one) for one in (opponent if isinstance(opponent, (list, tuple)) else [opponent])]
        if not self._opponents: raise ValueError("opponent is an empty list: nobody could play")
        self.observation_space, self.action_space = _spaces.observation(vec), _spaces.action(vec)
        self._done = True

    def _ready(self, one):
        vec = self._vec
        if callable(one) or one == "random": return one
        if one == "scripted":
            if not vec.has_scripted: raise ValueError(f"{vec.title} has no rule-based player; take 'random'")
            return one
        player = one if isinstance(one, Agent) else self._file(one)
        if player.env != vec.title:
            raise ValueError(f"{player.player} was trained in '{player.env}', this is '{vec.title}': one game with the same options")
        if player.team > 1 or player.info.wants_positions:
            raise ValueError(f"{player.player} decides for a whole team at once: use agon.load and agon.make_vec")
        others = {vec.team_of[i] for i in range(vec.num_agents) if i != self._seat}
        if player.side is not None and others != {player.side}:
            raise ValueError(f"{player.player} has learned to play as team {player.side} alone: make the other agent yours (agent=...)")
        return player

    def _file(self, one):
        """A player's file or RUN:PLAYER; whoever meant a word of ours is told them."""
        try:
            return load(one)
        except c.Error as why:
            if os.path.exists(os.fspath(one)) or ":" in os.fspath(one): raise
            raise ValueError(f"opponent is 'random', 'scripted', a player's file, RUN:PLAYER or a function, not {one!r} ({why})") from None

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
        return _spaces.chosen(vec, one(seen, mask, who), f"the opponent as agent {who}")

    def _others(self, rows):
        """Fills in what the others do."""
        vec = self._vec
        if self._opponent == "random": return vec.sample(self.np_random).reshape(rows.shape)
        if self._opponent == "scripted": return vec.scripted().reshape(rows.shape)
        for row in np.flatnonzero(vec.acts.reshape(-1)):
            if row != self._row(): rows[row] = self._decide(row)
        return rows

    def _move(self, action=None):
        vec, self._done = self._vec, True  # if anybody fails
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
        if self._done:
            info["outcome"] = float(vec.outcomes[0, vec.team_of[self.agent]])
            if vec.metric_names: info["metrics"] = dict(zip(vec.metric_names, vec.metrics[0].tolist()))
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
            self._done, before = False, float(vec.rewards[0, self.agent])
            before += self._on()
            if self._done: continue  # it was over before the own agent's first decision
            seen, info = self._told()
            info["reward"] = before
            return seen, info

    def _legal(self, action):
        """(action, whether it was replaced)"""
        vec, replaced = self._vec, False
        action = np.array(_spaces.chosen(vec, action, "yours"))
        row, starts = self.action_masks(), np.cumsum([0, *vec.head_sizes])
        while (head := _spaces.illegal(vec, action, row)) is not None:
            if self.illegal == "error":
                raise c.Error(f"{vec.title}, agent {self.agent}: choice {action[head]} of head {head} is not legal here (see "
                              "info['action_mask'])")
            action[head], replaced = int(np.argmax(row[starts[head]:starts[head + 1]])), True
        return action, replaced

    def step(self, action):
        if self._done: raise gymnasium.error.ResetNeeded("the episode is over, or something in it has failed: call reset")
        action, replaced = self._legal(action)
        reward = self._move(action) + self._on()
        seen, info = self._told()
        if replaced: info["illegal"] = True
        return seen, reward, bool(self._vec.terminated[0]), bool(self._vec.truncated[0]), info

    def render(self):
        return self._vec.render() if self.render_mode == "ansi" else None

    def close(self):
        self._vec.close()


def make(name, opponent="random", agent=0, illegal="error", render_mode=None, **options):
    return Game(name, opponent, agent, illegal, render_mode, **options)
