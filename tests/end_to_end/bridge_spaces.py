"""What may be wrong with what an environment of Python shows: each is one sentence, without agon itself. Run by the Python that has
numpy, from anywhere: bridge_spaces.py FOLDER-OF-THE-BRIDGE FOLDER-OF-LAMPS."""

import sys

sys.path[:0] = sys.argv[1:3]
import numpy as np
import agon_many, agon_single, agon_spaces
from guards import Nim, Walls
from lamps import Box, Lamps, MultiBinary

OPTIONS = {"steps": 0, "bounds": "space", "teams": "auto"}


def play(wrong, options=OPTIONS, steps=8):
    """Some steps of lamps that go wrong in their third."""
    game = agon_single.Game(lambda: Lamps(wrong=wrong), 12, "", options)
    episode = game.open()
    episode.restart(1)
    row, mask = np.zeros(game.spec["kinds"][0]["shape"][0], np.float32), np.zeros(5, np.uint8)
    for _ in range(steps):
        episode.observe(0, row)
        episode.mask(0, mask)
        episode.step([int(mask.argmax())])
    return row


def fails(text, call, *given, **more):
    try: call(*given, **more)
    except Exception as error:
        assert text in str(error), f"{error!r} does not say '{text}'"
        return
    raise AssertionError(f"nothing fails that should say '{text}'")


play("")
play("bounds", {**OPTIONS, "bounds": "free"})
for wrong, text in (("bounds", "element [1] of an observation is 1.5, its space says"), ("nan", "is nan, its space says"),
                    ("shape", "has shape (2, 3), its space says (2, 2)"), ("bytes", "has 300 as int64, its space says whole numbers of uint8"),
                    ("half", "has 1.5 as float32, its space says whole numbers"), ("words", "of type <U5, its space says float32"),
                    ("number", "is 2.5, its space has the whole numbers 1 .. 5"), ("look", "is None, its space has"),
                    ("part", "has no part 'clock'"), ("mask", "action_mask leaves nothing to do"), ("maskless", "info has no 'action_mask'"),
                    ("old", "reset returned a dict instead of two"), ("four", "step returned 4 values instead of five")):
    fails(text, play, wrong)

# bytes of a narrower range, whole numbers of other types, bits
sees = agon_spaces.seen(Box(0, 9, (2,), np.uint8))
sees.write(np.array([3, 4]), row := np.zeros(2, np.uint8))
assert row.tolist() == [3, 4]
fails("element [1] of an observation is 10", sees.check, np.array([3, 10], np.uint8))
fails("its space says bits", agon_spaces.seen(MultiBinary(3)).write, np.array([0, 2, 1]), np.zeros(3, np.float32))
agon_spaces.write_mask((np.array([1, 0]), np.array([0, 1, 0])), np.zeros(5, np.uint8), [2, 3])
fails("leaves nothing to do", agon_spaces.write_mask, (np.array([1, 0]), np.array([0, 0, 0])), np.zeros(5, np.uint8), [2, 3])
fails("has 4 entries for 5 choices", agon_spaces.write_mask, np.ones(4), np.zeros(5, np.uint8), [5])

assert agon_spaces.teams_of("name", ["red_0", "red_1", "blue_x", "blue_y"], None) == (3, [0, 0, 1, 2])


# PettingZoo: who is to act sees something; who was cut short is looked at before it is passed over
game = agon_many.Game("walls", Walls, "", OPTIONS)
episode = game.open()
episode.restart(1)
for _ in range(3): episode.step([0, 0, 0])
del episode.seen["guard_1"]
episode.observe(0, np.zeros(3, np.float32))
fails("guard_1 is to act and has no observation", episode.observe, 1, np.zeros(3, np.float32))


class Cut(Nim):
    """All are cut short after two moves; who is out of the game cannot be looked at."""

    def observe(self, name):
        if name not in self.agents: raise KeyError(name)
        return super().observe(name)

    def step(self, action):
        if any(self.truncations.values()):
            name = self.agent_selection
            self.agents.remove(name)
            if self.agents: self.agent_selection = self.agents[0]
            return
        super().step(action)
        if self.heap <= 7: self.truncations = {name: True for name in self.agents}


game = agon_many.Game("nim", Cut, "", OPTIONS)
episode = game.open()
episode.restart(1)
for _ in range(2): episode.step([0])
assert episode.status == agon_many.TRUNCATED and len(episode.acting) == 3, (episode.status, episode.acting)
episode.observe(1, row := np.zeros(10, np.float32))
assert row.tolist() == [0] * 7 + [1, 0, 0], row
fails("named by texts, not by 0", agon_many.Game, "numbers", lambda: type("Numbered", (Walls,), {"__init__": lambda self: (Walls.__init__(self), setattr(self, "possible_agents", [0, 1]))[0]})(), "", OPTIONS)
print("spaces: all say what is wrong")
