"""The Python package with nothing but numpy: wheel_check.py COIN MARKET (test plug-ins). Here are main.agon, main.agon.examples.npz, memory.agon, run."""
import copy, gc, glob, os, pickle, subprocess, sys, threading
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
refused(agon.Error, "unknown key 'env.card', did you mean 'env.cards'", agon.make_vec, "goofspiel", 1, card=3)
refused(agon.Error, "agon.options('goofspiel')", agon.make_vec, "goofspiel", 1, nothing_like_it=3)
assert agon.options("goofspiel")["cards"]["range"][0] >= 1 and "box" in agon.options("simple_spread")["actions"]["choices"]
refused(ValueError, "the number of games is 1 to", agon.make_vec, "goofspiel", 0)
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
refused(ValueError, "sees rows of", player.act, np.zeros(5))
memory = agon.load("memory.agon")
vec = agon.make_vec("kuhn_poker", 8, seed=1)
refused(ValueError, "has a memory", memory.act, vec.observations, vec.masks)
state = memory.state(8)
memory.act(vec.observations, vec.masks, state=state)
assert state.memory.any()
state.reset([0])
assert not state.memory[0].any() and state.memory[1].any()

# --- what may go wrong between Python and the library ---
vec = agon.make_vec("connect_four", 2, seed=1)
refused(ValueError, "fit into 32 bits", vec.step, np.array([2**32 + 3, 3]))  # these were wrapped around, and so legal
refused(ValueError, "fit into 32 bits", vec.step, np.array([2**32 + 3, 3], np.uint64))
refused(TypeError, "whole numbers", vec.step, np.array([True, None]))
refused(ValueError, "shape (2, 2)", vec.step, np.zeros((2, 2), int))
for kind in (np.int8, np.uint8, np.int64, np.uint64, bool): vec.step(np.zeros(2, kind))
vec.step(np.ones((2, 1), np.int16))
vec.step(np.arange(4, dtype=np.int32)[::2])  # every second number of an array
refused(IndexError, "a game is 0 to 1", vec.observe, 2, 0)
refused(IndexError, "an agent is 0 to 1", vec.observe, 0, -1)
refused(IndexError, "a game", vec.render, 2)
refused(IndexError, "a head", vec.action_name, 0, 1)
refused(ValueError, "a seed", vec.reset, 2**64)
refused(TypeError, "a seed", vec.reset, 1.5)
refused(ValueError, "number of games", agon.make_vec, "connect_four", -1)
refused(TypeError, "number of games", agon.make_vec, "connect_four", 1.5)
spread = agon.make_vec("simple_spread", 2, seed=1)
refused(IndexError, "a game", spread.global_state, 2)  # it was what happened to lie in memory
assert np.isfinite(spread.global_state(1)).all()
vec.reset(7)
assert vec.seed == 7
vec.reset()
assert vec.seed != 7
one, two = agon.make_vec("leduc_poker", 1, seed=9), agon.make_vec("leduc_poker", 5, seed=9)
assert (one.observations[0] == two.observations[0]).all() and (two.observations[0] != two.observations[1]).any()

# numbers instead of choices
vec = agon.make_vec("simple_spread", 2, seed=1, actions="box")
refused(ValueError, "nan", vec.step, np.full(vec._full, np.nan))
refused(TypeError, "numbers", vec.step, np.full(vec._full, "1"))
vec.step(np.full(vec._full, 1e9))  # put into their range
assert np.isfinite(vec.observations).all()

# closed, copied, thrown away
vec = agon.make_vec("connect_four", 2, seed=1)
kept, info = vec.observations, vec.info
vec.close()
vec.close()
for function, given in ((vec.step, [[0, 0]]), (vec.reset, []), (vec.observe, [0, 0]), (vec.render, []), (vec.action_name, [0]), (vec.scripted, [])):
    refused(agon.Error, "connect_four is closed", function, *given)
assert not kept.any() and info.agents == 2 and info.observation_shape == (2, 6, 7)
for copied in (copy.copy, copy.deepcopy, pickle.dumps): refused(TypeError, "cannot be copied", copied, agon.make_vec("connect_four", 1))
for _ in range(50):
    try: agon.make_vec("connect_four", 4).step([9, 9, 9, 9])
    except agon.Error: pass
again = pickle.loads(pickle.dumps(player))
assert again is not player and again.player == player.player
state, info = agon.load("memory.agon").state(3), agon.load("memory.agon").info  # the agents have no other name
gc.collect()
assert info.memory_count == state.memory.shape[1] and state.agent.act(np.zeros((3, *state.agent.observation_shape)), state=state).shape == (3,)
assert (pickle.loads(pickle.dumps(state)).memory == state.memory).all()

# a game that fails halfway: nothing but a reset helps, and that does
sick = agon.make_vec(sys.argv[2], 8, seed=1, broken=True, sellers=4, prices=9)
for step in range(100):
    try: sick.step(sick.sample(rng))
    except agon.Error as why:
        assert "closed for no reason" in str(why) and "step" in str(why), why
        break
else: raise AssertionError("the market has never failed")
refused(agon.Error, "reset the games first", sick.step, sick.sample(rng))
refused(agon.Error, "", sick.scripted)
sick.reset(2)
sick.step(sick.sample(rng))

# threads: one with each Vec gives what it gives alone; two with one are refused, and nothing breaks
alone, together = {name: play(name, 40, 5)[0] for name in ("connect_four", "simple_spread", "leduc_poker", "goofspiel")}, {}
threads = [threading.Thread(target=lambda name=name: together.__setitem__(name, play(name, 40, 5)[0])) for name in alone]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert together == alone
vec, refusals, good = agon.make_vec("goofspiel", 512, seed=1), [], []
actions = np.zeros(vec._full, np.int32)


def stepping():
    for _ in range(150):
        try: good.append(bool(len(vec.reset(1))))
        except agon.Error as why: refusals.append(str(why))


threads = [threading.Thread(target=stepping) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(good) + len(refusals) == 600 and good and all("another thread" in why for why in refusals)
vec._handle.enter()  # as if another thread were within
refused(agon.Error, "another thread", vec.reset)
vec._handle.leave()
rows, answers = agon.make_vec("tic_tac_toe", 64, seed=3), []
expected = player.act(rows.observations, rows.masks, agents=rows.agents, want="probabilities")["probabilities"]
threads = [threading.Thread(target=lambda: answers.extend(
    player.act(rows.observations, rows.masks, agents=rows.agents, want="probabilities")["probabilities"] for _ in range(50))) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(answers) == 200 and all((answer == expected).all() for answer in answers)

# a program that ends while a thread of it is still within the library
ending = """
import threading, agon
vec, begun = agon.make_vec("goofspiel", 20000, seed=1), threading.Event()


def forever():
    while True:
        vec.reset(1)
        begun.set()


threading.Thread(target=forever, daemon=True).start()
begun.wait()
"""
assert subprocess.run([sys.executable, "-c", ending], check=False).returncode == 0

# a forked process goes on by itself
vec, other = agon.make_vec("connect_four", 8, seed=1), agon.make_vec("connect_four", 8, seed=1)
child = os.fork()
if child == 0:
    for _ in range(30): vec.step(vec.sample(np.random.default_rng(1)))
    os._exit(0 if vec.observations.any() else 1)
assert os.waitpid(child, 0)[1] == 0 and (vec.observations == other.observations).all()
vec.step(np.zeros(8, int))

# actions and answers have the shape of rows
vec = agon.make_vec("tic_tac_toe", 6, seed=1)
assert player.act(vec.observations, vec.masks, agents=vec.agents).shape == (6,)
assert player.act(vec.observations[0], vec.masks[0], agents=vec.agents[0]).shape == ()
pairs = player.act(vec.observations.reshape(3, 2, *vec.observation_shape), vec.masks.reshape(3, 2, -1), agents=vec.agents.reshape(3, 2), want="values")
assert pairs["actions"].shape == pairs["values"].shape == (3, 2)
refused(ValueError, "rows of", player.act, np.zeros((6, *vec.observation_shape[::-1]))[..., :-1])
refused(ValueError, "rows of", player.act, np.zeros((54,)))  # two rows side by side were taken for a batch
refused(ValueError, "masks", player.act, vec.observations, vec.masks[:5])
refused(ValueError, "counted from 0", player.act, vec.observations, agents=[-1] * 6)
refused(ValueError, "same slot", player.act, vec.observations, slots=[0] * 6)
refused(ValueError, "can be wanted", player.act, vec.observations, want=["wishes"])
refused(TypeError, "observations are numbers", player.act, np.full(vec.observations.shape, "x"))
if player.observation_type == np.uint8:
    refused(ValueError, "0 to 255", player.act, np.full(vec.observations.shape, .5))  # it was cut to 0
    refused(ValueError, "0 to 255", player.act, np.full(vec.observations.shape, 256))
many = vec.masks.astype(int) * 256  # legal, though the last byte is 0
assert (player.act(vec.observations, many, agents=vec.agents) == player.act(vec.observations, vec.masks, agents=vec.agents)).all()
state = memory.state(4)
refused(IndexError, "a slot is 0 to 3", state.reset, [4])
refused(ValueError, "number of agents", memory.state, 0)
refused(ValueError, "another player", player.act, vec.observations, state=state)
refused(ValueError, "shape", setattr, state, "memory", np.zeros(8))

# players of runs, by the program
by_name, first = agon.load("run:main_0"), agon.load("run")
for loaded in (by_name, first, pickle.loads(pickle.dumps(by_name))):
    assert (loaded.act(rows.observations, rows.masks, agents=rows.agents) == player.act(rows.observations, rows.masks, agents=rows.agents)).all()
refused(agon.Error, "nobody", agon.load, "run:nobody")
refused(agon.Error, "nowhere:main_0", agon.load, "nowhere:main_0")
program, path = os.environ.pop("AGON"), os.environ["PATH"]
os.environ["PATH"] = "/nowhere"
refused(FileNotFoundError, "AGON=build/agon", agon.load, "run:main_0")
assert agon.load("run:main_0", program=program).player == "main_0"
os.environ["PATH"] = path

try: import h5py
except ImportError: print("agon.Run is not tried: no h5py")
else:
    run = agon.Run("run")
    players, ratings = run.players(), run.ratings(program)
    assert "main_0" in list(players["name"]) and set(players["name"]) >= {name for name in ratings["player"] if name != "random"}
    assert run.checkpoints()["number"][-1] == int(os.path.basename(run.checkpoint)[:-3])
    assert run.checkpoints()["frames"][-1] == run.status()["frames"] >= 3000
    met = [i for i, rated in enumerate(ratings["elo"]) if np.isfinite(rated)]
    assert all(ratings["low"][i] <= ratings["elo"][i] <= ratings["high"][i] for i in met)
    games, scores = run.anchors()["random"]
    assert len(games) == len(players["name"]) and all((score >= 0) == (count > 0) for count, score in zip(games, scores))
    refused(RuntimeError, "nowhere", agon.Run.ratings, type("Lost", (), {"folder": "nowhere"}), program)
    # a league with a guest, which has a role of its own
    subprocess.run([program, "train", "tic_tac_toe", "frames=1", "actors.slots=32", "actors.lanes=8", "league.guests.old=random", "metrics.evaluation_episodes=0",
                    "--run-dir", "guests", "--quiet"], check=True)
    guests = agon.Run("guests").players()
    assert dict(zip(guests["name"], guests["role"]))["old"] == "guest"
print(f"{len(names)} games, players and runs in Python")
