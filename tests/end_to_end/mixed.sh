#!/usr/bin/env bash
# Games in which what one gains is not what the other loses: all that people read says what each earns and how all fare,
# and every place says the same numbers; a game of more than two such teams trains, too.
. "$(dirname "$0")/common.sh"
small="net.hidden=[16] actors.slots=16 actors.lanes=8 metrics.seconds=0.2 league.preset=self-play league.end_games=2"
mpi 2 "$AGON" train coin_game env.rounds=20 $small frames=16k --run-dir coin > coin.txt
"$AGON" train commons env.agents=3 env.size=6 env.limit=20 $small frames=6k --run-dir field > field.txt
"$AGON" train matrix_game env.preset=rps $small frames=4k --run-dir rps > rps.txt
for run in coin field rps; do
  "$AGON" status $run > $run.status
  "$AGON" watch $run --times 1 > $run.watch
  "$AGON" report $run > /dev/null
done
"$AGON" eval coin --players main_0,scripted,random --games 20 --json > alone.json
mpi 2 "$AGON" eval coin --players main_0,scripted,random --games 20 --csv none --json > both.json
"$AGON" eval --env coin_game env.rounds=20 --players scripted,random --games 10 > eval.txt
"$AGON" eval --env foraging --players random --games 4 > foraging.txt
expect 0 "ratings say who comes out ahead, not who earns most" "$AGON" eval coin --players main_0,scripted,random --games 20
expect 0 "Mean return: its own" "$AGON" eval field --players main_0,random --games 24
expect 0 "^flags .*no rule-based player with these options" "$AGON" env info matrix_game env.preset=rps
expect 2 "'scripted' cannot play matrix_game" "$AGON" eval rps --players main_0,scripted
$python - << 'P'
import json, re
def last(run):
    return [json.loads(line) for line in open(f"{run}/metrics.jsonl")][-1]
def status(run):
    return json.load(open(f"{run}/status.json"))
coin = status("coin")
assert coin["general_sum"] and list(coin["measures"]) == ["own_share", "own_coins", "others_coins", "welfare", "minimum", "gini"], coin["measures"]
m = coin["measures"]
assert m["minimum"] <= m["welfare"] <= 20 and 0 <= m["gini"] <= .5 and 0 <= m["own_share"] <= 1
# every coin brings 1, and another's costs 2 beside: the mean of both players is half of that
assert abs(m["welfare"] - (m["own_coins"] - m["others_coins"]) / 2) < 1e-6, m
for line in (json.loads(l) for l in open("coin/metrics.jsonl")):
    if "env/welfare" in line:
        assert abs(line["env/welfare"] - (line["env/own_coins"] - line["env/others_coins"]) / 2) < 1e-6, line
earned = next(p["return"]["mean"] for p in coin["players"] if p["name"] == "main_0")
for text in "coin.status", "coin.watch":
    table = open(text).read()
    assert re.search(r"^player +frames +return ", table, re.M), table
    assert re.search(r"^main_0 +\S+( k)? +%s" % re.escape("%.4g" % earned), table, re.M), (text, earned, table)
    assert "in training episodes: own_share %.4g" % m["own_share"] in table, table
# the line of progress is of the moment in which it was printed
assert re.search(r"return main_0 [-.0-9e]+; own_share [.0-9]+", open("coin.txt").read())
page = open("coin/report.html").read()
assert "What is counted" in page and "own return of an episode" in page and ">welfare<" in page
field = status("field")
assert field["measures"]["welfare"] >= 0 and {"sustainability", "peace", "gini"} <= set(field["measures"])
# of a game that is zero-sum nothing of the kind is said
rps = status("rps")
assert not rps["general_sum"] and not rps["measures"] and not any(k.startswith("env/") for k in last("rps"))
assert re.search(r"^player +frames +score ", open("rps.status").read(), re.M) and "What is counted" not in open("rps/report.html").read()
# eval: what each earned, what both did, what was measured; the same on two ranks as on one
alone, both = json.load(open("alone.json")), json.load(open("both.json"))
for one, two in zip(alone["pairs"], both["pairs"]):
    assert (one["a"], one["b"]) == (two["a"], two["b"])
    assert abs(one["welfare"] - (one["mean_return"] + one["mean_return_b"]) / 2) < 1e-6
    assert one["measured_games"] == two["measured_games"] == 20
    assert abs(one["measured"]["welfare"] - one["welfare"]) < 1e-6, one
    for key in one["measured"]:
        assert abs(one["measured"][key] - two["measured"][key]) < 1e-6, (key, one, two)
text = open("eval.txt").read()
assert re.search(r"earned: scripted \S+ \+- \S+, random \S+ \+- \S+; welfare \(mean of both\) \S+", text), text
assert re.search(r"measured in 10 games played now: own_share \S+, .* welfare \S+, minimum \S+, gini \S+", text), text
assert re.search(r"food_share +length +minimum +gini$", open("foraging.txt").read(), re.M)
P
echo passed
