"""PettingZoo's and Gymnasium's own tests of all games: wheel_zoo.py PLAYER MEMORY (players of tic_tac_toe and kuhn_poker)."""
import sys, warnings
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
print(f"{len(only or agon.games())} games pass PettingZoo's and Gymnasium's tests")
