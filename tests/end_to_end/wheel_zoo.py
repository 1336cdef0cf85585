"""PettingZoo's and Gymnasium's own tests of all games: wheel_zoo.py PLAYER MEMORY (players of tic_tac_toe and kuhn_poker)."""
import sys, warnings
import gymnasium
import numpy as np
import agon
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

warnings.simplefilter("ignore")
only = sys.argv[3:]
for name in only or agon.games():
    try:
        api_test(agon.pettingzoo.aec(name), num_cycles=40)
        seed_test(lambda: agon.pettingzoo.aec(name), num_cycles=40)
        parallel_api_test(agon.pettingzoo.parallel(name), num_cycles=60)
        if not agon.pettingzoo.parallel(name)._vec.has_masks:  # this test knows nothing of masks
            parallel_seed_test(lambda: agon.pettingzoo.parallel(name), num_cycles=60)
        check_env(agon.gymnasium.make(name, illegal="replace", render_mode="ansi"), skip_render_check=False)
    except Exception:
        print(f"FAILED: {name}")
        raise


def score(seed=1, games=40, **named):
    """What always taking the first legal action earns, and what was seen."""
    env, total, seen = agon.gymnasium.make(**named), 0.0, []
    for game in range(games):
        row, info = env.reset(seed=seed if game == 0 else None)
        over = False
        while not over:
            row, reward, terminated, truncated, info = env.step(int(np.argmax(info["action_mask"])))
            over = terminated or truncated
            total += reward
            seen.append(row.tobytes())
        assert info["outcome"] == (reward + 1) / 2 or named["name"] != "tic_tac_toe"
    return total, seen


for opponent in ("random", sys.argv[1], ["random", sys.argv[1]], lambda seen, mask, who: int(np.argmax(mask[::-1]) * -1 + 8)):
    for agent in (0, 1, None):
        one, two = score(name="tic_tac_toe", opponent=opponent, agent=agent), score(name="tic_tac_toe", opponent=opponent, agent=agent)
        assert one == two, f"{opponent}: the same seed gave other games"
assert score(name="connect_four", opponent="scripted")[0] < score(name="connect_four", opponent="random")[0]
score(name="kuhn_poker", opponent=sys.argv[2], agent=None)
try: agon.gymnasium.make("connect_four", opponent=sys.argv[1])
except ValueError as why: assert "trained in 'tic_tac_toe'" in str(why), why
else: raise AssertionError("a player of another game is not refused")
env = agon.gymnasium.make("tic_tac_toe")
env.reset(seed=1)
env.step(0)
try: env.step(0)
except agon.Error as why: assert "not legal" in str(why), why
else: raise AssertionError("an action that is not legal is not refused")


def refused(kind, words, function, *arguments):
    try: function(*arguments)
    except kind as why:
        assert words in str(why), why
        return
    raise AssertionError(f"not refused: {words}")


# what is refused has changed nothing, and the episode goes on
env = agon.gymnasium.make("tic_tac_toe", agent=1)
before = env.reset(seed=4)[0]
taken = int(np.argmin(env.action_masks()))
for kind, words, action in ((agon.Error, "not legal", taken), (agon.Error, "not legal", 9), (agon.Error, "not legal", -1),
                            (TypeError, "whole numbers", 1.5), (ValueError, "shape", [1, 2]), (TypeError, "", None)):
    refused(kind, words, env.step, action)
assert (env._vec.observe(0, 1) == before).all()
env.step(int(np.argmax(env.action_masks())))
box = agon.gymnasium.make("simple_spread", actions="box")
box.reset(seed=1)
refused(ValueError, "shape (1,)", box.step, [.5])  # it was said of all five components
refused(ValueError, "nan", box.step, [np.nan] * 5)
assert len(box.reset()[1]) and "metrics" not in box.step([0] * 5)[4]
over = False
while not over: _, _, terminated, over, info = box.step([.1] * 5)
assert info["metrics"].keys() == set(box._vec.metric_names)

# an opponent that fails: its place is not taken by the own action
calls = []


def failing(seen, mask, who):
    calls.append(who)
    if len(calls) == 2: raise ZeroDivisionError("by an opponent")
    return int(np.argmax(mask))


env = agon.gymnasium.make("tic_tac_toe", opponent=failing)
env.reset(seed=1)
env.step(8)
refused(ZeroDivisionError, "opponent", env.step, 7)
refused(gymnasium.error.ResetNeeded, "reset", env.step, 6)
env.reset()
env.step(5)
env.close()
refused(agon.Error, "closed", env.reset)
for answer, kind, words in ((1.5, TypeError, "opponent as agent 1"), ([0, 1], ValueError, "opponent as agent 1"), (99, agon.Error, "not legal")):
    env = agon.gymnasium.make("tic_tac_toe", opponent=lambda seen, mask, who: answer)
    env.reset(seed=1)
    refused(kind, words, env.step, 4)
refused(ValueError, "'scripted'", agon.gymnasium.make, "tic_tac_toe", "Random")
refused(ValueError, "nobody", agon.gymnasium.make, "tic_tac_toe", [])
refused(ValueError, "0 to 1", agon.gymnasium.make, "tic_tac_toe", "random", 2)

# all that is paid is told: of an episode the rewards are those that the game gives
env, whole = agon.gymnasium.make("leduc_poker", agent=None), 0.0
for game in range(200):
    _, info = env.reset(seed=game)
    paid, over = info["reward"], False
    while not over:
        _, reward, over, _, info = env.step(int(env.np_random.choice(np.flatnonzero(info["action_mask"]))))
        paid += reward
    assert info["outcome"] == (.5 if paid == 0 else float(paid > 0)), (paid, info)

# one agent after another of those who act at once: who does what is not legal is told, not who comes last
env = agon.pettingzoo.aec("goofspiel", cards=5)
env.reset(seed=1)
env.step(2)
env.step(2)
assert env.agent_selection == env.possible_agents[0]
refused(agon.Error, f"{env.possible_agents[0]}: choice 2", env.step, 2)
refused(TypeError, "whole numbers", env.step, .5)
env.step(0)
assert env.agent_selection == env.possible_agents[1]
env.step(1)
env.close()
refused(agon.Error, "closed", env.reset)
both = agon.pettingzoo.parallel("goofspiel", cards=5)
both.reset(seed=1)
refused(ValueError, "must act", both.step, {both.agents[0]: 0})
refused(ValueError, "no agent 'nobody'", both.step, {**dict.fromkeys(both.agents, 0), "nobody": 0})
both.step(dict.fromkeys(both.agents, 0))
print(f"{len(only or agon.games())} games pass PettingZoo's and Gymnasium's tests")
