"""PettingZoo: many agents, all at once (parallel) or one after another (AEC)."""

import importlib

import numpy as np

import agon_spaces as spaces
from agon_spaces import Unsupported, stem

RUNNING, CHANCE, TERMINATED, TRUNCATED = 0, 1, 2, 3
# Environments in which agents of different names are rivals; elsewhere who shares an interest is seen by what they are paid.
RIVALS_BY_NAME = ("simple_tag", "simple_adversary", "simple_push", "simple_crypto", "simple_world_comm")


def find(name):
    """The module that NAME means: pettingzoo.NAME, or NAME itself (mpe2.simple_spread_v3)."""
    for path in (f"pettingzoo.{name}", name):
        try: return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if not error.name or not path.startswith(error.name): raise  # something that the module needs
            missing = error
        except ImportError as error:
            if path != name: continue
            raise Unsupported(f"it cannot be imported: {error}") from None
        except Exception as error:  # pettingzoo says so of environments that have a newer version
            if type(error).__name__ != "DeprecatedEnv": raise
            raise Unsupported(str(error)) from None
    raise missing


def make(name, kwargs):
    import pettingzoo
    module = find(name)
    maker = getattr(module, "parallel_env", None) or getattr(module, "env", None)
    if maker is None: raise Unsupported(f"{module.__name__} has neither parallel_env nor env, which environments of PettingZoo have")
    return (lambda: maker(**kwargs)), f"PettingZoo {pettingzoo.__version__}, {name}"


class Game:
    """What all its episodes have in common."""

    def __init__(self, name, factory, summary, options, first=None):
        self.name, self.factory = name, factory
        first = factory() if first is None else first
        self.turns = hasattr(first, "observe") or hasattr(first, "agent_iter")
        self.names = list(getattr(first, "possible_agents", []))
        if not self.names: raise Unsupported("it has no possible_agents: agents that are not known beforehand cannot be trained")
        odd = [name for name in self.names if not isinstance(name, str)]
        if odd: raise Unsupported(f"its possible_agents are to be named by texts, not by {odd[0]!r}")
        self.index = {name: i for i, name in enumerate(self.names)}
        self.free = options["bounds"] == "free"
        self.sort_out(first, options)
        own = getattr(getattr(first, "unwrapped", first), "max_cycles", None)
        usual = own * len(self.names) if own and self.turns else own
        self.limit = options["steps"] or usual or 1000
        self.looked = 0
        self.spare = Episode(self, first)
        masked, paid = self.try_rewards(self.spare)
        team_count, team_of = spaces.teams_of(options["teams"], self.names, self.usual_teams(paid))
        flags = ["simultaneous"] if not self.turns else []
        if team_count == 1 and len(self.names) > 1: flags.append("cooperative")
        self.state_size = self.size_of_state(first)
        self.spec = {"summary": summary, "agents": len(self.names), "agent_names": self.names, "teams": team_count, "team_of": team_of, "kinds": self.kinds,
                     "kind_of": self.kind_of, "turns": self.turns, "step_limit": self.limit, "seeded": True, "masks": masked, "flags": flags,
                     "state": self.state_size, "observation_names": self.sees[0].names if len(self.kinds) == 1 and isinstance(self.sees[0], spaces._Joined) else None}
        if team_count == 1 and not self.alike(paid): flags.append("returns_add")

    def sort_out(self, env, options):
        """Agents that see and act alike are of one kind, named by them."""
        self.kinds, self.kind_of, self.sees, self.does, known = [], [], [], [], []
        for name in self.names:
            sees, does = env.observation_space(name), env.action_space(name)
            if type(sees).__name__ == "Dict" and "action_mask" in sees.spaces:
                rest = {key: space for key, space in sees.spaces.items() if key != "action_mask"}
                sees = rest["observation"] if list(rest) == ["observation"] else type(sees)(rest)
            key = (stem(name), sees, does)
            at = next((i for i, other in enumerate(known) if other == key), None)
            if at is not None:
                same = self.kind_of.index(at)
                self.kind_of.append(at)
                self.sees.append(self.sees[same])
                self.does.append(self.does[same])
                continue
            known.append(key)
            self.sees.append(spaces.seen(sees))
            self.does.append(spaces.done(does))
            self.kind_of.append(len(self.kinds))
            self.kinds.append(spaces.describe(self.sees[-1], self.does[-1], stem(name), options["bounds"]))
        plain = [{key: value for key, value in kind.items() if key != "name"} for kind in self.kinds]
        if all(kind == plain[0] for kind in plain):  # the same spaces, whatever they are called
            self.kinds, self.kind_of = [{**self.kinds[0], "name": None}], [0] * len(self.names)
        if len({kind.get("sizes") is None for kind in self.kinds}) > 1: raise Unsupported("some agents act in values and others in choices: all have to act alike")

    def size_of_state(self, env):
        try: state = np.asarray(env.state())
        except Exception: return 0
        return int(state.size) if np.issubdtype(state.dtype, np.number) and state.size <= 1 << 16 else 0

    def try_rewards(self, episode):
        """Whether there are masks, and what agents are paid in a few moves of random play."""
        dice, paid = np.random.default_rng(0), []
        episode.restart(1)
        masked = episode.has_mask()
        for _ in range(64):
            if episode.status != RUNNING: break
            words = []
            for agent in episode.acting if self.turns else range(len(self.names)):
                words += self.any_row(episode, agent, dice, masked) if agent in episode.acting else [0] * self.heads()
            episode.step(words)
            paid.append(list(episode.rewards))
        return masked, np.array(paid)

    def heads(self):
        return max(len(kind["sizes"] if "sizes" in kind else kind["action_low"]) for kind in self.kinds)

    def any_row(self, episode, agent, dice, masked):
        kind = self.kinds[self.kind_of[agent]]
        if "sizes" not in kind: row = [float(dice.uniform(low, high)) for low, high in zip(kind["action_low"], kind["action_high"])]
        else:
            mask, row, at = np.ones(sum(kind["sizes"]), np.uint8), [], 0
            if masked: episode.mask(agent, mask)
            for n in kind["sizes"]:
                row.append(int(dice.choice(np.flatnonzero(mask[at:at + n]))))
                at += n
        return row + [0] * (self.heads() - len(row))

    def alike(self, paid):
        return bool(paid.size == 0 or np.allclose(paid, paid[:, :1]))

    def usual_teams(self, paid):
        """Rivals in turn play each for itself; so do those whose rewards cancel; others share an interest."""
        names = self.names
        if any(word in self.name for word in RIVALS_BY_NAME): return spaces.teams_of("name", names, None)[1]
        cancel = paid.size and np.abs(paid).sum() > 0 and np.allclose(paid.sum(axis=1), 0, atol=1e-6)
        if len(names) == 1: return [0]
        if cancel or self.turns and not (np.abs(paid).sum() > 0 and self.alike(paid)): return list(range(len(names)))
        return [0] * len(names)

    def open(self):
        episode, self.spare = self.spare, None
        return episode or Episode(self, self.factory())


class Episode:
    """One live environment, of either interface."""

    def __init__(self, game, env):
        self.game, self.env = game, env
        self.nothing = [0.0] * len(game.names)
        self.rewards = self.nothing
        self.kept = (None, None)  # the agent that was looked at last, and what it saw

    def restart(self, seed):
        env = self.env
        self.steps, self.rewards, self.last, self.final, self.kept = 0, self.nothing, {}, {}, (None, None)
        if self.game.turns:
            env.reset(seed=seed)
            self.turn()
            return
        answer = env.reset(seed=seed)
        self.seen, self.infos = answer if isinstance(answer, tuple) else (answer, {})
        self.gather()

    # --- all at once ---
    def gather(self):
        """Who is there to act."""
        index = self.game.index
        self.acting = self.alive = tuple(index[name] for name in self.env.agents)
        self.status = RUNNING if self.acting else TERMINATED

    def step_all(self, words):
        game, heads = self.game, len(words) // len(self.game.names)
        actions = {game.names[a]: game.does[a].read(words[a * heads:(a + 1) * heads]) for a in self.acting}
        answer = self.env.step(actions)
        try: seen, rewards, ended, cut, self.infos = answer
        except (TypeError, ValueError):
            raise TypeError("step returned something else than five dictionaries: observations, rewards, terminations, truncations, infos") from None
        self.seen = {**self.seen, **seen}
        self.rewards = [float(rewards.get(name, 0)) for name in game.names]
        before = self.acting
        self.gather()
        if self.acting and self.steps < game.limit: return
        if self.acting: self.status = TRUNCATED
        else: self.finish([a for a in before if cut.get(game.names[a]) and not ended.get(game.names[a])])

    def finish(self, cut):
        """Of those who were cut short the last observation has a value; who has come to an end has none."""
        self.status, self.acting, self.alive = (TRUNCATED, tuple(cut), tuple(cut)) if cut else (TERMINATED, (), ())

    # --- one after another ---
    def turn(self):
        """Passes over those who are out of the game, up to the next who acts."""
        env, index = self.env, self.game.index
        while env.agents:
            name = env.agent_selection
            if not (env.terminations[name] or env.truncations[name]):
                self.acting = (index[name],)
                self.alive = tuple(index[n] for n in env.agents if not (env.terminations[n] or env.truncations[n]))
                self.status = RUNNING
                return
            cut = bool(env.truncations[name] and not env.terminations[name])
            self.last[name] = cut
            if cut: self.final[name] = env.observe(name)  # its value is asked for, and it cannot be looked at once it is out
            env.step(None)
        self.finish([index[name] for name, cut in self.last.items() if cut])

    def step_one(self, words):
        env, game = self.env, self.game
        actor, = self.acting
        env.step(game.does[actor].read(words))
        # what each has gained by this move: kept apart, as passing over the dead clears it
        self.rewards = [float(env.rewards.get(name, 0)) for name in game.names]
        self.last = {}
        self.turn()
        if self.status == RUNNING and self.steps >= game.limit: self.status = TRUNCATED

    def step(self, words):
        self.steps += 1
        self.kept = (None, None)
        if self.game.turns: self.step_one(words)
        else: self.step_all(words)

    # --- what is seen ---
    def row(self, agent):
        name = self.game.names[agent]
        if not self.game.turns: return self.seen.get(name)
        if self.kept[0] == name: return self.kept[1]
        if name in self.final: return self.final[name]
        try: seen = self.env.observe(name)
        except Exception:
            if name in self.env.agents: raise
            return None  # it is out of the game
        self.kept = (name, seen)
        return seen

    def mask_of(self, agent):
        seen = self.row(agent)
        if isinstance(seen, dict) and "action_mask" in seen: return seen["action_mask"]
        infos = self.env.infos if self.game.turns else self.infos
        return infos.get(self.game.names[agent], {}).get("action_mask")

    def has_mask(self):
        return any(self.mask_of(agent) is not None for agent in self.acting)

    def observe(self, agent, out):
        seen = self.row(agent)
        if seen is None:
            if agent in self.acting: raise ValueError(f"{self.game.names[agent]} is to act and has no observation")
            out[:] = 0
            return
        if isinstance(seen, dict) and "action_mask" in seen:
            rest = {key: value for key, value in seen.items() if key != "action_mask"}
            seen = rest["observation"] if list(rest) == ["observation"] else rest
        game, sees = self.game, self.game.sees[agent]
        sees.write(seen, out)
        if not game.free and hasattr(sees, "check") and (game.looked < 2000 or self.steps % 16 == 0):
            game.looked += 1
            sees.check(seen)

    def mask(self, agent, out):
        mask = self.mask_of(agent)
        if mask is None: raise ValueError(f"{self.game.names[agent]} has no action_mask, in its observation or its info, and others had one")
        spaces.write_mask(mask, out, self.game.does[agent].sizes)

    def state(self, out):
        state = np.asarray(self.env.state()).reshape(-1)
        if state.size != out.size: raise ValueError(f"the state has {state.size} numbers, and had {out.size} at first")
        out[:] = state

    def close(self):
        self.env.close()
