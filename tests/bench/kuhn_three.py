#!/usr/bin/env python3
"""What a player of three-player Kuhn poker is worth, exactly: its policy is asked for at all 48 information sets (agon query),
and all 24 deals are played out. NashConv: what best responses would win, summed over the seats, where all three play it
(uniform play: 2.0625). against: its chips a hand by its seat, alone among two players that play at random.
usage: kuhn_three.py AGON RUN [PLAYER ...]   (default main_0), one line of JSON for each"""
import itertools, json, subprocess, sys

PLAYERS, CARDS = 3, 4
DEALS = list(itertools.permutations(range(CARDS), PLAYERS))


def bettor(moves):
    return next((p for p in range(min(PLAYERS, len(moves))) if moves[p]), None)


def is_over(moves):
    first = bettor(moves)
    return len(moves) == (PLAYERS if first is None else PLAYERS + first)


def lines(moves=()):
    """All sequences of moves after which somebody acts."""
    if is_over(moves): return
    yield moves
    for move in (0, 1): yield from lines(moves + (move,))


def pay(deal, moves):
    first = bettor(moves)
    paid = [first is not None and moves[p + (PLAYERS if p < first else 0)] == 1 for p in range(PLAYERS)]
    chips = [2 if p else 1 for p in paid]
    winner = max((p for p in range(PLAYERS) if first is None or paid[p]), key=lambda p: deal[p])
    return [sum(chips) - chips[p] if p == winner else -chips[p] for p in range(PLAYERS)]


def value(deal, moves, act):
    """Expected chips of all, where act(player, card, moves) is the probabilities of pass and bet."""
    if is_over(moves): return pay(deal, moves)
    player, sums = len(moves) % PLAYERS, [0.0] * PLAYERS
    for move, probability in enumerate(act(player, deal[player], moves)):
        if probability:
            sums = [a + probability * b for a, b in zip(sums, value(deal, moves + (move,), act))]
    return sums


def ask(agon, run, player):
    """The policy: {(card, moves): probabilities}."""
    keys, text = [], ""
    for moves in lines():
        for card in range(CARDS):
            rest = [c for c in range(CARDS) if c != card]
            deal = [card if p == len(moves) % PLAYERS else rest.pop() for p in range(PLAYERS)]
            text += " ".join(map(str, deal)) + "".join(" bet" if move else " pass" for move in moves) + "\n"
            keys.append((card, moves))
    out = subprocess.run([agon, "query", run, "--player", player, "--json"], input=text, capture_output=True, text=True)
    rows = [json.loads(line)["agents"][0] for line in out.stdout.splitlines()] if out.returncode == 0 else []
    if len(rows) != len(keys): sys.exit(out.stderr or "agon query answered otherwise than it was asked")
    return {key: row["probabilities"] for key, row in zip(keys, rows)}


def best_response(seat, policy):
    """Expected chips of who knows the policy of the other two: the best plan for each card."""
    places, total = [moves for moves in lines() if len(moves) % PLAYERS == seat], 0.0
    for card in range(CARDS):
        hands = [deal for deal in DEALS if deal[seat] == card]
        total += max(
            sum(value(deal, (), lambda p, c, m: ((1, 0), (0, 1))[plan[places.index(m)]] if p == seat else policy[c, m])[seat]
                for deal in hands)
            for plan in itertools.product((0, 1), repeat=len(places)))
    return total / len(DEALS)


def mean(act):
    return [sum(chips) / len(DEALS) for chips in zip(*(value(deal, (), act) for deal in DEALS))]


agon, run, *players = sys.argv[1:]
for player in players or ["main_0"]:
    policy = ask(agon, run, player)
    values = mean(lambda p, c, m: policy[c, m])
    alone = [mean(lambda p, c, m: policy[c, m] if p == seat else (0.5, 0.5))[seat] for seat in range(PLAYERS)]
    conv = sum(best_response(seat, policy) - values[seat] for seat in range(PLAYERS))
    print(json.dumps({"player": player, "nash_conv": round(conv, 4), "values": [round(v, 4) for v in values],
                      "against_random": [round(v, 4) for v in alone]}), flush=True)
