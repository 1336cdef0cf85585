"""OpenSpiel: its games by name, with chance moves that can be walked through."""

import difflib
import random

import numpy as np

from agon_spaces import Unsupported, teams_of

RUNNING, CHANCE, TERMINATED, TRUNCATED = 0, 1, 2, 3
MOST_CHOICES = 65535
MOST_WORDS = 1 << 24  # of an episode's moves
MOST_TEXT = 1024  # characters of an observation that is no tensor


def load(name, kwargs):
    """The game NAME or NAME(parameter=value,...), and its short name."""
    import pyspiel
    short = name.split("(")[0]
    if short not in pyspiel.registered_names():
        try: import open_spiel.python.games  # those that are written in Python
        except ImportError: pass
    known = pyspiel.registered_names()
    if short not in known:
        near = difflib.get_close_matches(short, known, 1)
        raise Unsupported(f"OpenSpiel has no game '{short}'" + (f", did you mean '{near[0]}'?" if near else "") + f" ('{__import__('sys').executable} -c "
                          "\"import pyspiel; print(pyspiel.registered_names())\"' lists them)")
    try:
        if not kwargs: return pyspiel.load_game(name)
        if "(" in name: raise Unsupported("parameters in the name and in env.kwargs: give them in one place")
        return pyspiel.load_game(short, kwargs)
    except pyspiel.SpielError as error:
        raise Unsupported(f"OpenSpiel cannot make it: {' '.join(str(error).split())[:150]}") from None


class _Tensor:
    """What a player sees: a tensor of the game's, or the bytes of a text where it has none."""

    def __init__(self, game, asked):
        import pyspiel
        kind = game.get_type()
        hides = kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION
        order = ["information_state", "observation"] if hides else ["observation", "information_state"]
        if asked != "auto": order = [asked]
        self.bytes, self.text, self.name = False, False, None
        for name in order:
            try: self.shape = list(getattr(game, f"{name}_tensor_shape")())
            except pyspiel.SpielError: continue
            if not getattr(kind, f"provides_{name}_tensor") or not np.prod(self.shape): continue
            self.name = name
            break
        if self.name is None:
            order = [name for name in order if getattr(kind, f"provides_{name}_string")]
            if not order: raise Unsupported(f"{kind.short_name} shows its players neither a tensor nor a text" + ("" if asked == "auto" else f" of the {asked}"))
            self.name, self.bytes, self.text, self.shape = order[0], True, True, [MOST_TEXT]
        self.size = int(np.prod(self.shape))
        planes = {1: [self.size, 1, 1], 2: [1] + self.shape, 3: self.shape}
        self.planes = planes.get(len(self.shape), [self.size, 1, 1])
        self.look = f"{self.name}_{'string' if self.text else 'tensor'}"

    def write(self, state, player, out):
        seen = getattr(state, self.look)(player)
        if not self.text:
            out[:] = seen
            return
        seen = np.frombuffer(seen.encode()[-MOST_TEXT:], np.uint8)
        out[:] = 0
        out[:len(seen)] = seen


class Game:
    """What all its episodes have in common."""

    def __init__(self, name, kwargs, options, game=None):
        import pyspiel
        self.name, self.kwargs = name, kwargs
        self.game = game = load(name, kwargs) if game is None else game
        kind = game.get_type()
        if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
            raise Unsupported(f"{kind.short_name} is a mean field game, which has a distribution of players instead of players: it cannot be played by agents")
        players, choices = game.num_players(), game.num_distinct_actions()
        if choices > MOST_CHOICES: raise Unsupported(f"{kind.short_name} has {choices} actions, more than {MOST_CHOICES}: its parameters (env.kwargs) may make it smaller")
        self.players, self.choices = players, choices
        self.alone, self.nothing = [(player,) for player in range(players)], [0.0] * players
        self.terminal, self.at_chance = int(pyspiel.PlayerId.TERMINAL), int(pyspiel.PlayerId.CHANCE)
        self.simultaneous = kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
        self.sampled = kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC
        self.seeds = self.sampled and "rng_seed" in kind.parameter_specification
        self.drawn = self.sampled or options["chance"] == "drawn"
        explicit = kind.chance_mode == pyspiel.GameType.ChanceMode.EXPLICIT_STOCHASTIC
        self.rewards = kind.reward_model == pyspiel.GameType.RewardModel.REWARDS
        try: game.new_initial_state().legal_actions()
        except pyspiel.SpielError as error: raise Unsupported(f"{kind.short_name} has no numbered actions ({' '.join(str(error).split())[:100]})") from None
        self.sees = _Tensor(game, options["observation"])
        width = players if self.simultaneous else 1
        chance = 0
        if explicit and not self.drawn:
            try: chance = game.max_chance_nodes_in_history()
            except pyspiel.SpielError: chance = game.max_game_length()
            chance = max(chance, game.max_game_length() * (width + 1) + players)  # what games say is not always enough
        self.limit = options["steps"] or min(game.max_game_length(), max(1000, MOST_WORDS // width - chance))
        identical = kind.utility == pyspiel.GameType.Utility.IDENTICAL
        names = [f"player_{i}" for i in range(players)]
        teams, team_of = teams_of(options["teams"], names, [0] * players if identical or players == 1 else list(range(players)))
        flags = []
        if kind.utility == pyspiel.GameType.Utility.ZERO_SUM and teams > 1: flags.append("zero_sum")
        if teams == 1 and players > 1: flags.append("cooperative")
        if kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION and not self.simultaneous: flags.append("perfect_information")
        if self.simultaneous: flags.append("simultaneous")
        if not self.drawn: flags.append("enumerates_chance")
        low, high = game.min_utility(), game.max_utility()
        see = {"name": None, "bytes": self.sees.bytes, "shape": self.sees.planes, "sizes": [choices]}
        self.spec = {"summary": f"OpenSpiel, {kind.long_name}; players see the {self.sees.name.replace('_', ' ')}{' as text' if self.sees.text else ''}",
                     "agents": players, "teams": teams, "team_of": team_of, "kinds": [see], "kind_of": [0] * players, "turns": not self.simultaneous,
                     "step_limit": self.limit, "chance": 0 if self.drawn else max(1, game.max_chance_outcomes()), "chance_moves": chance,
                     "seeded": self.drawn,
                     "masks": True, "flags": flags, "pictures": True, "chance_first": not self.drawn and game.new_initial_state().is_chance_node()}
        if np.isfinite([low, high]).all(): self.spec.update(return_low=low, return_high=high)
        self.spare = None

    def open(self):
        episode, self.spare = self.spare, None
        return episode or Episode(self)

    def begin(self, seed):
        """A game whose chance is not told is made anew, by its seed."""
        if not self.seeds: return self.game.new_initial_state()
        import pyspiel
        return pyspiel.load_game(self.name.split("(")[0], {**self.game.get_parameters(), "rng_seed": seed}).new_initial_state()


class Episode:
    """One state that moves."""

    def __init__(self, game):
        self.game = game
        self.everybody = tuple(range(game.players))

    def restart(self, seed):
        self.dice = random.Random(seed) if self.game.drawn else None
        self.state, self.steps, self.earned = self.game.begin(seed), 0, [0.0] * self.game.players
        self.rewards = [0.0] * self.game.players
        if self.dice: self.draw()
        self.arrive()

    def arrive(self):
        """Who is to move now, by the one number that says it: below 0 are chance, all at once, and the end."""
        game, player = self.game, self.state.current_player()
        self.alive, self.acting, self.status = self.everybody, (), RUNNING
        if player >= 0: self.acting = game.alone[player]
        elif player == game.terminal:
            self.status, self.alive = TERMINATED, ()
            return
        elif player == game.at_chance:
            self.status = CHANCE
            return
        else: self.acting = tuple(player for player in self.everybody if self.state.legal_actions(player))
        if self.steps >= game.limit: self.status = TRUNCATED

    def earn(self):
        if not self.game.rewards and self.status != TERMINATED:
            self.rewards = self.game.nothing
            return
        now = self.state.returns()
        self.rewards = [one - other for one, other in zip(now, self.earned)]
        self.earned = now

    def step(self, words):
        state, game = self.state, self.game
        self.steps += 1
        if not game.simultaneous: state.apply_action(words[0])
        elif state.is_simultaneous_node(): state.apply_actions([words[player] for player in self.everybody])
        else: state.apply_action(words[self.acting[0]])
        if self.dice: self.draw()
        self.arrive()
        self.earn()

    def draw(self):
        """Chance moves by the episode's own dice."""
        while self.state.is_chance_node():
            outcomes = self.state.chance_outcomes()
            self.state.apply_action(self.dice.choices([outcome for outcome, _ in outcomes], [weight for _, weight in outcomes])[0])

    def outcomes(self):
        return [probability for _, probability in self.state.chance_outcomes()]

    def chance(self, outcome):
        self.state.apply_action(self.state.chance_outcomes()[outcome][0])
        self.arrive()
        self.earn()

    def observe(self, agent, out):
        self.game.sees.write(self.state, agent, out)

    def mask(self, agent, out):
        legal = self.state.legal_actions(agent)
        if not legal: raise ValueError(f"player_{agent} is to act and has no legal action")
        out[:] = 0
        out[legal] = 1

    def picture(self):
        return str(self.state)

    def close(self):
        pass
