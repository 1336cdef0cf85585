"""What the (coarse) correlated equilibrium of a run's past players is worth in the whole game, exactly: joint_gap.py AGON RUN
[ce|cce [welfare|gini]]. `agon rate` has the distribution over pairs of players, `agon exploit` walks the tree for each piece of
advice: what both sides earn, and what a best response of any kind, not only a past player, would earn instead."""
import json, subprocess, sys

agon, run = sys.argv[1:3]
concept = sys.argv[3] if len(sys.argv) > 3 else "ce"
select = ["--select", sys.argv[4]] if len(sys.argv) > 4 else []  # else the run's own


def ask(*words):
    return json.loads(subprocess.check_output([agon, *words, "--json"], stderr=subprocess.DEVNULL))


def walk(own, others):
    """Values and best responses by seat where the two sides are mixtures: {name: weight}."""
    both = {**own, **others}
    return ask("exploit", run, "--player", ",".join(f"{name}={weight:.9g}" for name, weight in both.items()))


rated = ask("rate", run, "--equilibrium", concept, *select)["equilibrium"]
joint = {tuple(row["players"]): row["probability"] for row in rated["joint"] if row["probability"] > 1e-7}
part = [{}, {}]
for pair, probability in joint.items():
    for side in (0, 1):
        part[side][pair[side]] = part[side].get(pair[side], 0) + probability
value, advice = [0, 0], [0, 0]
for side in (0, 1):
    for name, told in part[side].items():
        met = {pair[1 - side]: probability / told for pair, probability in joint.items() if pair[side] == name}
        found = walk({name: 1}, met)
        value[side] += told * found["value"][side]
        advice[side] += told * (found["best_response"][side] - found["value"][side])
apart = walk(part[0], part[1])
best = apart["best_response"]
print(json.dumps({
    "equilibrium": concept, "select": rated["select"], "players": [len(part[0]), len(part[1])], "measured_welfare": rated["welfare"],
    "welfare": sum(value), "returns": value, "ce_gap": sum(advice), "cce_gap": sum(max(b - v, 0) for b, v in zip(best, value)),
    "nash_gap": apart["nash_conv"]}, indent=2))
