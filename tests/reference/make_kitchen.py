#!/usr/bin/env python3
"""Makes kitchen_numbers.h: episodes of overcooked_ai (MIT) with given actions, and what it says of them. Run by hand when the
rules change, with that package's sources (github.com/HumanCompatibleAI/overcooked_ai) and NumPy to be imported from:
python3 make_kitchen.py > kitchen_numbers.h

The kitchens are played with its older dynamics, in which a pot with three onions cooks by itself, from the places in which
JaxMARL's cooks begin. Cooks walk at random, and mostly use what they face where that brings a soup nearer, or hardly one would
be made."""
import random

from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld, OvercookedState, PlayerState

LAYOUTS = [  # name there, name here, where the cooks begin
    ("cramped_room", "cramped_room", ((1, 1), (3, 1))),
    ("asymmetric_advantages", "asymmetric_advantages", ((2, 3), (5, 3))),
    ("coordination_ring", "coordination_ring", ((2, 1), (1, 2))),
    ("forced_coordination", "forced_coordination", ((1, 2), (3, 1))),
    ("counter_circuit_o_1order", "counter_circuit", ((2, 1), (6, 3))),
]
STEPS, EVERY, SEEDS = 600, 6, 60
WAYS = [(0, -1), (0, 1), (1, 0), (-1, 0)]  # up, down, right, left
ACTIONS = dict(zip("udrlsi", WAYS + [(0, 0), "interact"]))
HELD = {None: "-", "onion": "o", "dish": "p", "soup": "s"}


def cell(mdp, at):
    return at[1] * mdp.width + at[0]


def held(player):
    return HELD[player.held_object.name if player.held_object else None]


def told(mdp, state):
    """Cooks as cell, way and what they hold; then what lies or cooks in cells, by their order."""
    words = [f"{cell(mdp, p.position)}{'udrl'[WAYS.index(p.orientation)]}{held(p)}" for p in state.players]
    for at, thing in sorted(state.objects.items(), key=lambda item: cell(mdp, item[0])):
        if mdp.get_terrain_type_at_pos(at) == "P":
            left = 0 if thing.is_idle else thing.cook_time - thing._cooking_tick
            words.append(f"{cell(mdp, at)}P{len(thing.ingredients)},{left}")
        else:
            words.append(f"{cell(mdp, at)}{HELD[thing.name]}")
    return " ".join(words)


def useful(mdp, state, player, way):
    """Whether what is beside a cook brings a soup nearer."""
    at = tuple(a + b for a, b in zip(player.position, way))
    tile, thing = mdp.get_terrain_type_at_pos(at), held(player)
    pots = [pot.ingredients for where, pot in state.objects.items() if mdp.get_terrain_type_at_pos(where) == "P"]
    full = any(len(onions) == 3 for onions in pots)
    return {"P": thing in "op", "O": thing == "-" and not full, "D": thing == "-" and full, "S": thing == "s",
            "X": state.has_object(at) and thing == "-"}.get(tile, False)


def act(mdp, state, player, dice):
    ways = [way for way in range(4) if useful(mdp, state, player, WAYS[way])]
    if ways and dice.random() < 0.6:
        return "i" if player.orientation in [WAYS[way] for way in ways] else "udrl"[dice.choice(ways)]
    return "i" if dice.random() < 0.05 else dice.choice("udrls")


def play(theirs, starts, seed):
    """An episode: actions, soups served, what both are paid for progress, the kitchen now and then."""
    dice = random.Random(seed)
    mdp = OvercookedGridworld.from_layout_name(theirs, old_dynamics=True)
    state = OvercookedState([PlayerState(at, (0, -1)) for at in starts], {}, all_orders=mdp.start_all_orders)
    actions, served, shaped, kitchens = "", "", ["", ""], []
    for step in range(STEPS):
        both = "".join(act(mdp, state, player, dice) for player in state.players)
        state, info = mdp.get_state_transition(state, [ACTIONS[a] for a in both])
        actions += both
        served += str(sum(info["sparse_reward_by_agent"]) // 20)
        for c in range(2):
            shaped[c] += str(int(info["shaped_reward_by_agent"][c]))
        if (step + 1) % EVERY == 0:
            kitchens.append(told(mdp, state))
    return served.count("1"), actions, served, shaped, kitchens


def main():
    print("/* Made by make_kitchen.py with overcooked_ai (older dynamics). Of each step: two actions; soups that were served; what")
    print(f" * both are paid for progress; of every {EVERY} steps the kitchen after them. */")
    print("typedef struct KitchenEpisode {\n  const char *option, *actions, *served, *shaped[2];\n  const char *const *kitchen;\n} KitchenEpisode;")
    print(f"enum {{ KITCHEN_STEPS = {STEPS}, KITCHEN_EVERY = {EVERY} }};")
    rows = []
    for number, (theirs, ours, starts) in enumerate(LAYOUTS):
        # of some episodes the one with the most soups
        _, actions, served, shaped, kitchens = max((play(theirs, starts, seed) for seed in range(SEEDS)), key=lambda played: played[0])
        print(f"static const char *const kitchen_{number}[] = {{")
        print("\n".join(f'    "{kitchen}",' for kitchen in kitchens) + "\n};")
        pieces = lambda text: "\n     ".join(f'"{text[i:i + 100]}"' for i in range(0, len(text), 100))
        rows.append(f'    {{"layout={ours}",\n     {pieces(actions)},\n     {pieces(served)},\n     {{{pieces(shaped[0])},\n     {pieces(shaped[1])}}},\n     kitchen_{number}}},')
    print("static const KitchenEpisode kitchen_episodes[] = {\n" + "\n".join(rows) + "\n};")


if __name__ == "__main__":
    main()
