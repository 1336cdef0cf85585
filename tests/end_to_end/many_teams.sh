#!/usr/bin/env bash
# Three players at a table, on several ranks, stopped and gone on with; judged, rated, reported, watched and played.
. "$(dirname "$0")/common.sh"
train() { # RANKS FOLDER KEY=VALUE...
  local n=$1 run=$2; shift 2
  mpi "$n" "$AGON" train kuhn_poker env.players=3 --run-dir "$run" --quiet pace=lockstep actors.slots=64 actors.lanes=16 \
    actors.unroll=16 'net.hidden=[32]' league.main_snapshot_min=40k league.main_snapshot_max=40k league.frame_scale=1 \
    league.by_return=true frames=120k "$@" || fail "$run"
}
last() { ls "$1"/checkpoints/*.h5 | tail -1; }
train 2 whole checkpoint.ticks=60 checkpoint.keep=1000
train 2 again checkpoint.ticks=60 checkpoint.keep=1000
# from a checkpoint half way it comes to the same
ls again/checkpoints/*.h5 | tail -n +3 | xargs rm
train 2 again --resume must
$python - "$(last whole)" "$(last again)" << 'P'
import sys, h5py
whole, again = map(h5py.File, sys.argv[1:])
for path in ("players/main_0/policy", "payoff/raw", "payoff/eval", "anchors/random"):
    assert whole[path][:].tobytes() == again[path][:].tobytes(), f"a run that was gone on with went another way: {path}"
raw, evaluated, anchors = whole["payoff/raw"][:], whole["payoff/eval"][:], whole["anchors/random"][:]
assert raw[:, 0].sum() > 0 and evaluated[:, 0].sum() > 0 and anchors[:, 0].sum() > 0
episodes = int(whole["run/counters"][4])
# games of whoever came first; both rows of a pair are there, so that every game is once on either seat
trained, judged, met = raw[:, 0].sum(), evaluated[:, 0].sum(), anchors[:, [0, 6]].sum()
with_itself = whole["run/ledger"][3] - met
assert trained + with_itself == 2 * (episodes - judged - met), (trained, with_itself, judged, met, episodes)
P
# a game of training is two comparisons, and weighs as one in intervals
"$AGON" league show whole > show.txt || fail "league show"
grep -q "an episode of training is 2 games here" show.txt || fail "league show does not say what a game is"
grep -Eq "^the first seat scores .* over all [0-9]+ comparisons of two teams$" show.txt || fail "league show: first seat"
"$AGON" league show whole --json > show.json || fail "league show --json"
"$AGON" report whole > /dev/null || fail "report"
$python - << 'P'
import json, math, re
def wilson(share, n, z=1.959964):
    centre, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max((centre - half) / (1 + z * z / n), 0), min((centre + half) / (1 + z * z / n), 1)
def check(tally, n):
    low, high = wilson(tally["score"], n)
    assert abs(tally["low"] - low) < 1e-6 and abs(tally["high"] - high) < 1e-6, (tally, n)
show, judged = json.load(open("show.json")), 0
assert show["teams"] == 3
for pair in show["payoff"]:
    for part, share in ("raw", 1 / 2), ("decayed", 1 / 2), ("eval", 1):
        for tally in [pair[part], *pair[part]["seats"]]:
            if tally["games"]:
                check(tally, tally["games"] * share)
                judged += 1
assert judged > 10, judged
trained = sum(pair["raw"]["seats"][0]["games"] for pair in show["payoff"])
first = show["first_seat"]
assert 0 < trained < first["games"], (trained, first)
check(first, first["games"] - trained / 2)
text = re.findall(r"The first seat scores ([0-9.]+) \[([0-9.]+), ([0-9.]+)\]", open("whole/report.html").read())
assert text == [tuple(f"{first[key]:.3f}" for key in ("score", "low", "high"))], (text, first)
row = re.search(r"main_0-000000 +([0-9]+) games .* ([0-9.]+) \[([0-9.]+), ([0-9.]+)\]", open("show.txt").read())
pair = next(p for p in show["payoff"] if p["home"] == "main_0" and p["away"] == "main_0-000000")
games = pair["raw"]["games"] + pair["eval"]["games"]
assert games == float(row[1]), (games, row[0])
low, high = wilson(float(row[2]), pair["raw"]["games"] / 2 + pair["eval"]["games"])
assert abs(low - float(row[3])) < .002 and abs(high - float(row[4])) < .002, (low, high, row[0])
P
# on one rank only, and further
mpi 1 "$AGON" train whole --quiet frames=150k || fail "on another number of ranks"
# everybody sits everywhere; what a wins b loses
mpi 2 "$AGON" eval whole --players main_0,random --games 1200 --record 1200 --json > eval.json || fail "eval"
$python - << 'P'
import collections, json
pair = json.load(open("eval.json"))
assert pair["teams"] == 3
pair = pair["pairs"][0]
games = [json.loads(line) for line in open("whole/replays/games.jsonl")]
assert len(games) == 1200 == pair["games"], (len(games), pair["games"])
alone = collections.Counter()
for game in games:
    who = [player.split("@")[0] for player in game["players"]]
    lone = next(i for i in range(3) if who.count(who[i]) == 1)
    alone[who[lone], lone] += 1
    assert sum(game["returns"]) == 0 and max(game["outcome"]) == 1, game
assert set(alone.values()) == {200}, alone
assert pair["seats"][0]["games"] == pair["seats"][1]["games"] == 600
main = [sum(g["returns"][i] for i in range(3) if g["players"][i] != "random") for g in games]
lone = [m for m, g in zip(main, games) if sum(p != "random" for p in g["players"]) == 1]
assert sum(lone) / len(lone) > 0.1, sum(lone) / len(lone)  # chips a hand, against two that play at random
P
"$AGON" rate whole > rate.txt || fail "rate"
grep -q "n/a, Nash equilibria and alpha-rank are of games between two teams" rate.txt || fail "rate has a Nash equilibrium of three"
grep -Eq "main_0 .*[+-][0-9]+ to [+-][0-9]+" rate.txt || fail "no rating"
expect 0 "report.html" "$AGON" report whole
grep -q "3 teams play: scores compare two of them" whole/report.html || fail "the report does not say how many play"
expect 0 "main_0" "$AGON" watch whole --times 1
expect 0 "main_0" "$AGON" status whole
expect 0 "self .*both learn" "$AGON" league dryrun whole
"$AGON" replay whole > replay.txt || fail "replay"
[ "$(grep -c "^game" replay.txt)" = 1200 ] || fail "games that were recorded are not replayed"
grep -Eq "^terminated: team [012] \((main_0@[0-9a-f]+|random)\) won" replay.txt || fail "nobody won a replayed game"
printf 'pass\nbet\npass\n' | "$AGON" play whole --seat 2 --seed 3 > play.txt || fail "play"
grep -Eq "^you (won|lost); returns" play.txt && grep -q "you are third" play.txt || { cat play.txt; fail "a game at the third seat"; }
# three learn: after seconds the recipe's main is ahead of random play, in both orders; before it learns it is not
"$AGON" train "$root/deploy/runs/kuhn_poker_three.yaml" frames=300k seed=1 league.end_games=0 --run-dir learned --quiet || fail "recipe"
"$AGON" eval learned --players main_0,random --games 6000 --json > learned.json || fail "eval of the recipe"
"$AGON" train "$root/deploy/runs/kuhn_poker_three.yaml" frames=2k seed=1 league.end_games=0 --run-dir begun --quiet || fail "recipe"
"$AGON" eval begun --players main_0,random --games 6000 --json > begun.json || fail "eval of the recipe's beginning"
$python - << 'P'
import json
begun, learned = (json.load(open(name + ".json"))["pairs"][0] for name in ("begun", "learned"))
assert learned["a"] == "main_0" and learned["b"] == "random" and learned["games"] == 6000, learned
assert learned["score_low"] > .52 and all(seat["score_low"] > .5 for seat in learned["seats"]), learned
assert learned["mean_return"] - learned["mean_return_error"] > .1, learned
assert begun["score_high"] < learned["score_low"], (begun, learned)
P
# what is of two teams says so
expect 2 "has 3 teams, and exploitability is of games between two" "$AGON" exploit whole
expect 2 "zero-sum games of two teams; kuhn_poker players=3 is none" "$AGON" probe whole
expect 2 "3 teams play kuhn_poker players=3: the number of yours from 0 to 2" "$AGON" play whole --seat 3
echo passed
