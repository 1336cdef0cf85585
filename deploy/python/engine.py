#!/usr/bin/env python3
"""A player in Python for agon's `eval`, `match` and `play`, by lines of JSON (src/agent/README.md has the protocol):

    agon match "exec:python3 deploy/python/engine.py" random --env connect_four

Whoever has a better player imports `serve` and gives it a function that chooses."""
import json, random, sys


def serve(choose, name):
    """Answers until the end. choose(game, position) returns an action: a number, or a list of one for each component.
    game is the first line (what is played, the shapes of observations and actions), position each further one (agent,
    observation, legal, seed). Nothing else may be printed: use sys.stderr."""
    game = json.loads(sys.stdin.readline())
    print(json.dumps({"protocol": 1, "name": name}), flush=True)
    for line in sys.stdin:
        position = json.loads(line)
        if position.get("quit"):
            return
        print(json.dumps({"id": position["id"], "action": choose(game, position)}), flush=True)


def by_chance(game, position):
    """Any legal action. The seed is another one in each position and the same in each repetition, so games repeat."""
    chance = random.Random(position["seed"])
    if game["actions"] != "box":
        return [chance.choice(legal) for legal in position["legal"]]
    agent = position["agent"]
    return [chance.uniform(low, high) for low, high in zip(game["low"][agent], game["high"][agent])]


if __name__ == "__main__":
    serve(by_chance, "by_chance-1")
