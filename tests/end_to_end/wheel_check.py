"""The Python package with nothing but numpy: wheel_check.py PLUGIN. Here are main.agon, main.agon.examples.npz, memory.agon, run."""
import glob, sys
import numpy as np
import agon


def refused(kind, words, function, *arguments, **named):
    try: function(*arguments, **named)
    except kind as why:
        assert words in str(why), why
        return
    raise AssertionError(f"not refused: {words}")


assert "pettingzoo" not in sys.modules and "gymnasium" not in sys.modules and "h5py" not in sys.modules
names = agon.games()
assert len(names) == len(set(names)) > 20 and "connect_four" in names


def play(name, steps, seed, n=16):
    """All that can be seen of some steps, and how many games ended."""
    vec, rng, seen, ended = agon.make_vec(name, n, seed=seed), np.random.default_rng(seed), [], 0
    for _ in range(steps):
        assert vec.has_masks is False or (vec.masks[vec.acts].sum(-1) >= vec.heads).all()
        vec.step(vec.sample(rng))
        over = vec.terminated | vec.truncated
        ended += int(over.sum())
        assert np.isfinite(vec.rewards).all() and (vec.outcomes >= 0).all() and (vec.outcomes <= 1).all()
        assert (vec.lengths[over] >= 1).all() and (vec.lengths[over] <= vec.info.step_limit).all()
        seen.append(b"".join(getattr(vec, key).tobytes() for key in ("observations", "masks", "rewards", "terminated", "agents")))
    return b"".join(seen), ended


for name in names:
    one, ended = play(name, 60, 3)
    two, _ = play(name, 60, 3)
    other, _ = play(name, 60, 4)
    assert one == two, f"{name}: the same seed gave another game"
    assert one != other, f"{name}: another seed gave the same games"

# Connect Four by hand: the first player fills column 0, the second column 1, and the first wins with its fourth stone
vec = agon.make_vec("connect_four", 2, seed=1, again=False)
for move in range(7):
    assert vec.agents[0] == move % 2 and vec.acts.all()
    vec.step(np.array([move % 2, 2 + move % 2]))
assert vec.terminated.all() and not vec.truncated.any() and not vec.acts.any() and not vec.masks.any()
assert vec.rewards.tolist() == [[1, -1]] * 2 and vec.outcomes.tolist() == [[1, 0]] * 2 and vec.lengths.tolist() == [7, 7]
assert vec.final_observations[0, 0, 0].sum() == 4 and vec.final_observations[0, 0, 1].sum() == 3
vec.step(np.array([0, 0]))  # they stand still
assert not vec.terminated.any() and not vec.rewards.any()
vec = agon.make_vec("connect_four", 1, seed=1)
for move in range(7): vec.step(np.array([move % 2]))
assert vec.terminated.all() and not vec.observations.any() and vec.masks.all() and vec.agents[0] == 0  # and the next has begun

for _ in range(6): vec.step([3])
refused(agon.Error, "choice 3 of head 0 is not legal", vec.step, [3])
refused(agon.Error, "choice -1", vec.step, [-1])
refused(agon.Error, "choice 7", vec.step, [7])
assert vec.step([2])[0].any()  # what was refused has changed nothing
refused(ValueError, "shape (2,)", vec.step, [1, 2])
refused(TypeError, "whole numbers", vec.step, [1.0])
refused(ValueError, "read-only", vec.masks.fill, 1)
refused(agon.Error, "did you mean 'connect_four'", agon.make_vec, "conect_four", 1)
refused(agon.Error, "cards", agon.make_vec, "goofspiel", 1, card=3)
refused(agon.Error, "0 games", agon.make_vec, "goofspiel", 0)
refused(agon.Error, "environment of Python", agon.make_vec, "gymnasium:CartPole-v1", 1)
refused(AttributeError, "nothing", getattr, agon, "nothing")
assert agon.make_vec(sys.argv[1], 4, seed=1).step(agon.make_vec(sys.argv[1], 4, seed=1).sample(np.random.default_rng(1)))
assert agon.make_vec("goofspiel", 2, cards=6).title == "goofspiel cards=6"
kept = agon.make_vec("tic_tac_toe", 3, seed=1).masks
assert kept.all()  # arrays outlive the games

# an exported player does what it did in the program
player, e = agon.load("main.agon"), np.load(glob.glob("main.agon*examples*.npz")[0])
got = player.act(e["observations"], e["masks"], agents=e["agents"], want=("values", "probabilities"))
acts = e["acts"] > 0
assert np.abs(got["probabilities"] - e["probabilities"])[acts].max() < 1e-5 and np.abs(got["values"] - e["values"])[acts].max() < 1e-5
vec, rng, score, games = agon.make_vec("tic_tac_toe", 64, seed=5), np.random.default_rng(5), 0, 0
for step in range(60):  # it plays both sides, legally
    vec.step(player.act(vec.observations, vec.masks, agents=vec.agents, greedy=False, seed=step))
    games += int(vec.terminated.sum())
assert games > 300
refused(agon.Error, "nowhere.agon", agon.load, "nowhere.agon")
open("torn.agon", "wb").write(open("main.agon", "rb").read()[:-9])
refused(agon.Error, "torn.agon", agon.load, "torn.agon")
refused(ValueError, "rows of", player.act, np.zeros(5))
memory = agon.load("memory.agon")
vec = agon.make_vec("kuhn_poker", 8, seed=1)
refused(ValueError, "has a memory", memory.act, vec.observations, vec.masks)
state = memory.state(8)
memory.act(vec.observations, vec.masks, state=state)
assert state.memory.any()
state.reset([0])
assert not state.memory[0].any() and state.memory[1].any()

try: import h5py
except ImportError: print("agon.Run is not tried: no h5py")
else: assert "main_0" in list(agon.Run("run").players()["name"])
print(f"{len(names)} games, players and runs in Python")
