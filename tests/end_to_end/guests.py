"""Players for guests.sh: a perfect one of tic-tac-toe, and all that can go wrong with a program that is asked."""
import functools, json, os, pathlib, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy/python"))
from engine import serve

lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


@functools.cache
def value(own, other):
    """Of who is to move, with the best move."""
    if any(all(other[c] for c in line) for line in lines):
        return -1, None
    free = [c for c in range(9) if not own[c] and not other[c]]
    best = (-2, None) if free else (0, None)
    for cell in free:
        mine = own[:cell] + (1,) + own[cell + 1:]
        got = -value(other, mine)[0]
        if got > best[0]:
            best = got, cell
    return best


def perfect(game, position):
    assert game["observation"] == {"type": "uint8", "shape": [2, 3, 3]} and game["choices"] == [9], game
    seen = position["observation"]
    best = value(tuple(seen[:9]), tuple(seen[9:]))[1]
    assert best in position["legal"][0], position
    return best


def first(game, position):
    return [legal[0] for legal in position["legal"]] if game["actions"] != "box" else game["low"][position["agent"]]


def never(game, position):
    time.sleep(600)


def dies(game, position):
    os._exit(9) if position["id"] == 4 else None
    return first(game, position)


def say(text):
    """Instead of the third answer."""
    def choose(game, position):
        if position["id"] < 3:
            return first(game, position)
        print(text, flush=True)
        time.sleep(600)
    return choose


how = sys.argv[1]
if how == "mute":
    time.sleep(600)
elif how == "refuses":
    print(json.dumps({"error": "this is not chess"}), flush=True)
    time.sleep(600)
elif how == "old":
    print(json.dumps({"protocol": 0}), flush=True)
    time.sleep(600)
elif how == "stays":  # does not go when it is told to, and has a child
    if os.fork() == 0:
        time.sleep(600)
    with open("stays.txt", "w") as f:
        print(os.getpid(), file=f)
    serve(first, "stays")
    time.sleep(600)
else:
    serve({"perfect": perfect, "first": first, "never": never, "dies": dies, "rubbish": say("e2e4"), "illegal": say('{"id":3,"action":77}'),
           "astray": say('{"id":1,"action":0}'), "empty": say('{"id":3}'), "two": say('{"id":3,"action":[0,1]}'), "real": say('{"id":3,"action":0.5}')}[how], how)
