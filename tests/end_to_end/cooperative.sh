#!/usr/bin/env bash
# One team that plays against nobody: all that people read speaks of what it earns, with an interval, beside players that
# need no training, and of nothing that a league has; and every place says the same numbers.
. "$(dirname "$0")/common.sh"
small="net.hidden=[16] actors.slots=32 frames=20k metrics.seconds=0.2 metrics.progress=0.2"
mpi 2 "$AGON" train simple_spread $small metrics.evaluation_episodes=40 --run-dir spread > spread.txt
"$AGON" train two_step $small --run-dir steps > steps.txt
"$AGON" train foraging $small env.rewards=team metrics.evaluation_episodes=0 --run-dir quiet > quiet.txt
for run in spread steps quiet; do
  "$AGON" status $run > $run.status
  "$AGON" watch $run --times 1 > $run.watch
  "$AGON" league show $run > $run.show
  "$AGON" report $run > /dev/null
  sed 's/<details>.*<\/details>//; s/<style>.*<\/style>//' $run/report.html | tr -d '\n' | sed 's/<details>.*<\/details>//; s/<style>.*<\/style>//' > $run.page
  for text in $run.txt $run.status $run.watch $run.page $run/metrics.jsonl; do
    if grep -iE 'elo|win rate|exploiter|self-play|matchmaking|id=payoff|frozen|against (it|random)|score over' "$text" | grep -v '^nothing'; then
      fail "$text speaks of opponents"
    fi
  done
done
expect 2 "one team plays in spread: there is nobody to be rated against; agon eval spread" "$AGON" rate spread
expect 0 "returns.svg: " "$AGON" report spread --returns returns.svg
expect 2 "quiet has no evaluations" "$AGON" report quiet --returns none.svg
# what was not measured has no table; the page says by what it can be
grep -q "not measured in this run (metrics.evaluation_episodes is 0)" quiet.page || fail "the page does not say that nothing was measured"
grep -q "the newest evaluation" quiet.page && fail "an empty table"
grep -q "the newest evaluation" spread.page || fail "no table"
expect 2 "exclude each other" "$AGON" report spread --returns a.svg --family b.svg
[ ! -e none.svg ] || fail "a picture of nothing"
expect 2 "one team plays simple_spread, so there are no matches: agon eval" "$AGON" match spread:main_0 random
expect 2 "one team plays simple_spread: nobody meets anybody" "$AGON" league dryrun spread
expect 0 "^agents +3 in one team: agent_0" "$AGON" env info simple_spread
expect 3 "no recorded games: agon eval spread --record 2" "$AGON" replay spread
"$AGON" eval spread --json > eval.json
"$AGON" eval spread > eval.txt
"$AGON" eval spread --players main_0,scripted --greedy --games 40 --json > same.json
"$AGON" eval --env simple_spread --json --games 20 > env.json
expect 0 "^main_0, sampling +-" "$AGON" eval spread --players main_0,random --games 10
expect 0 "^main_0, greedy +-" "$AGON" eval spread --players main_0,random --games 10 --greedy
"$AGON" eval spread --record 2 --games 4 > /dev/null
"$AGON" replay spread --game 3 > replay.txt
expect 2 "'noop' cannot play two_step" "$AGON" eval steps --players main_0,noop
# a game that has no such player says so, where nobody was named; in a skirmish to stay is to do nothing
expect 0 "^not in this game: scripted .no rule-based player., noop .no action that does nothing.$" "$AGON" eval steps --games 4
"$AGON" eval steps --games 4 --players random | grep "not in this game" && fail "who was not asked for is missed"
expect 0 "^noop +-1\\.5 " "$AGON" eval --env skirmish env.enemy=scripted --games 50
expect 0 "^random +4\\.[0-9]+ +\\[" "$AGON" eval steps --games 4000
$python - <<'P'
import json, re
lines = [json.loads(l) for l in open("spread/metrics.jsonl")]
last, status = lines[-1], json.load(open("spread/status.json"))
# the run's last evaluation is what agon eval finds in the same episodes; and all places say it
same = {p["player"]: p for p in json.load(open("same.json"))["players"]}
for name in "main_0", "scripted":
    for key in "return", "return_low", "return_high":
        assert abs(same[name][key] - last[f"{name}/eval/{key}"]) < 1e-4 * abs(same[name][key]), (name, key)
    assert abs(same[name]["metrics"]["collisions"] - last[f"{name}/eval/collisions"]) < 1e-5
    assert abs(same[name]["return"] - 3 * same[name]["mean_return"]) < 1e-4
main = status["players"][0]["evaluation"]
assert main["episodes"] == 40 and abs(main["mean"] - same["main_0"]["return"]) < 1e-4 and set(main["metrics"]) == {"collisions", "occupied", "distance"}
assert status["return_is"] == "sum over 3 agents" and set(status["baselines"]) == {"random", "scripted", "noop"}
said = "%.4g [%.4g, %.4g]" % (main["mean"], main["low"], main["high"])
for text in "spread.txt", "spread.status", "spread.watch", "spread.page":
    assert said in open(text).read().replace("<wbr>", ""), (text, said)
assert "-<wbr>" not in said and said in open("spread.page").read(), "a number is torn from its sign"
# watch and status have a table of all who are compared, a column for each metric, on any screen
for table in open("spread.watch").read(), open("spread.status").read():
    assert re.search(r"^player +frames +team return \[95 %\] +collisions occupied distance$", table, re.M), table
    for name, of in [("main_0", main)] + list(status["baselines"].items()):
        row = re.search(rf"^{name} +\S+( [kMG])? +(-\S+ \[.*?\]) +(\S+) +(\S+) +(\S+)$", table, re.M)
        assert row and [float(row[i]) for i in (3, 4, 5)] == [float("%.3g" % v) for v in of["metrics"].values()], (name, row, of)
        assert len(row[0]) <= 80, row[0]
    assert re.search(r"returns are .*the sum over 3 agents", table)
page = open("spread/report.html").read()
assert ">collisions<" in page and "length of an episode" not in page, "the chart of a length that never changes"
assert re.search(r"baseline random +team return -\d+(\.\d+)? \[-", open("spread.txt").read())
# the curve alone is a picture: XML that stands by itself, with a line and a name for each, and a band for the player
import xml.dom.minidom
picture = xml.dom.minidom.parse("returns.svg").documentElement
names = [t.firstChild.data for t in picture.getElementsByTagName("text") if "style" in t.attributes]
assert sorted(names) == ["main_0", "noop", "random", "scripted"], names
heights = sorted(float(t.getAttribute("y")) for t in picture.getElementsByTagName("text") if "style" in t.attributes)
assert all(b - a >= 12.9 for a, b in zip(heights, heights[1:])), heights
paths = [p.getAttribute("class") for p in picture.getElementsByTagName("path")]
assert paths.count("l c0") == 1 and paths.count("b c0") == 1 and sum(c.startswith("l ") for c in paths) == 4, paths
assert "sum over 3 agents, greedy" in open("returns.svg").read()
# random, nothing and the rule in between, as published: 2,000 episodes stand behind these bands
full = json.load(open("eval.json"))
assert [p["player"] for p in full["players"]] == ["main_0, greedy", "main_0, sampling", "random", "scripted", "noop"], full
ladder = {p["player"]: p["return"] for p in full["players"]}
assert abs(ladder["random"] + 79.4) < 4 and abs(ladder["noop"] + 72.6) < 4 and abs(ladder["scripted"] + 23.1) < 2, ladder
assert full["return_is"] == "sum over 3 agents" and full["agents"] == 3
text = open("eval.txt").read()
assert "sum over 3 agents" in text.splitlines()[0] and "mean an agent" in text and "collisions" in text
assert [p["player"] for p in json.load(open("env.json"))["players"]] == ["random", "scripted", "noop"]
# evaluation does not repeat what nobody has asked for, and never takes the name of a league's numbers
assert not any(k.startswith(("league/", "matchmaking/")) or "rating" in k for l in lines for k in l)
games = [json.loads(l) for l in open("spread/replays/games.jsonl")]
assert len(games) == 10 and games[2]["players"] == ["main_0, sampling"], [g["players"] for g in games]
assert "the team earned %.4g, sum over 3 agents" % (3 * games[2]["returns"][0]) in open("replay.txt").read()
# the report shows the first of these in pictures: from its begin to its end, where the team has earned what is recorded
film = re.search(r"<section id=episode>.*?</section>", open("spread/report.html").read(), re.S).group(0)
frames = re.findall(r"<figcaption>step (\d+) of 25(?:; (?:return so far|the team earned) (-[\d.]+))?</figcaption><pre>(.*?)</pre>", film, re.S)
assert [int(f[0]) for f in frames] == [0, 5, 10, 15, 20, 25] and "the team earned" in film and "<a href=#episode>" in open("spread.page").read(), film
assert games[0]["players"] == ["main_0, greedy"] and abs(float(frames[-1][1]) - 3 * games[0]["returns"][0]) < 0.02, (frames[-1][1], games[0])
for step, _, picture in frames:
    lines = picture.strip("\n").splitlines()
    assert len(lines) == 28 and lines[0] == "\u250c" + 50 * "\u2500" + "\u2510" and lines[27] == f"step {step} of 25; agent A B C; landmarks 1 2 3", lines
    assert {len(line) for line in lines[:27]} == {52}, lines
# a common payoff is the team's, whoever tells it
step = json.load(open("steps/status.json"))
assert step["return_is"] == "mean over 2 agents" and 0 <= step["players"][0]["evaluation"]["mean"] <= 8
assert step["players"][0]["evaluation"]["low"] is None and "%.4g" % step["players"][0]["evaluation"]["mean"] in open("steps.status").read()
quiet = json.load(open("quiet/status.json"))
assert quiet["players"][0]["evaluation"] is None and quiet["return_is"].startswith("mean over") and quiet["baselines"] == {}
assert "no evaluation" in open("quiet.txt").read() and "in training" in open("quiet.txt").read()
P
# to play is to be one of the team: the player moves the others, all of them, or none; and the team's return is the end
printf 'left\nu\nq\n' | LC_ALL=C "$AGON" play spread --seed 1 --seat 1 > one.txt
[ "$(grep -c 'you (agent 1)' one.txt)" = 3 ] && [ "$(grep -c 'step 0 of 25; agent A B C; landmarks 1 2 3' one.txt)" = 2 ] || { cat one.txt; fail "one agent"; }
grep -qE "reward (-[0-9.]+ each|s? ?-).*the team's return so far -[0-9.]+, sum over 3 agents" one.txt || { cat one.txt; fail "rewards on the way"; }
"$AGON" play spread --seed 1 --seat none < /dev/null > none.txt
[ "$(grep -c 'main_0 (agent [012]): ' none.txt)" = 75 ] && grep -q "truncated; the team earned -[0-9.]*, sum over 3 agents" none.txt || { cat none.txt; fail "watching"; }
grep -qE "won|lost|drawn" none.txt one.txt && fail "one team wins against nobody"
yes a | "$AGON" play two_step --seat both --seed 1 > both.txt || true
grep -q "terminated; the team earned 7, mean over 2 agents" both.txt || { cat both.txt; fail "all by hand"; }
expect 2 "the number of yours from 0 to 2" "$AGON" play spread --seat 3
expect 2 "seat is 0, 1 or both" "$AGON" play tic_tac_toe --seat none
# agents by their names; the moves of many stand in one paragraph
"$AGON" eval --env simple_tag --players random,scripted --games 2 --replays tag.jsonl > /dev/null
expect 0 "^agent 3, prey: " "$AGON" replay tag.jsonl --game 1
"$AGON" eval --env skirmish env.enemy=scripted env.units=12 env.height=12 --players random --games 2 --record 1 --replays units.jsonl > units.txt
grep -q "^the first episode of each is in units.jsonl" units.txt || { cat units.txt; fail "one episode"; }
COLUMNS=100 LC_ALL=C "$AGON" replay units.jsonl > units.txt
grep -qE "^agent 0: [^;]+; agent 1: " units.txt && [ "$(awk 'length > 100' units.txt | wc -l)" = 0 ] || { cat units.txt; fail "moves of many"; }
# a word may be as long as an action of many numbers
numbers=$(printf '/0.%018d' $(seq 15)); numbers=${numbers#/}
[ ${#numbers} -gt 300 ] && printf '%s\nq\n' "$numbers" | "$AGON" play simple_reference env.actions=box --seed 1 > long.txt
grep -q "step 1 of 25" long.txt || { cat long.txt; fail "a long word"; }
# what has very many actions lists them when asked
printf 'l\nq\n' | "$AGON" play simple_reference > many.txt
[ "$(grep -o 'up,_say_J' many.txt | wc -l)" = 1 ] && grep -q "(50; l lists them)" many.txt || { cat many.txt; fail "many actions"; }
# each game has a picture, and what its signs mean stands below it
picture() { local says=$1; shift; expect 0 "$says" bash -c "echo q | COLUMNS=200 LC_ALL=C '$AGON' play $* --seed 1"; }
for map in "agent A B C; landmarks 1 2 3=simple_spread" "predator P; prey o; landmarks #; touches so far 0=simple_tag" \
  "adversary x; good A B; landmarks .*; the goal is .=simple_adversary" \
  "speaker S; listener L; landmarks 1 2 3; L is to go to [123]; speaker says -=simple_speaker_listener" \
  "agent A B; landmarks 1 2 3; B is to go to [123], A to [123]; agent_0 says -=simple_reference"; do
  picture "step 0 of 25; ${map%=*}" "${map#*=}"
  [ "$(grep -cE '^ *(you.*> )? *\|.{50}\|$' out.txt)" = 25 ] || { cat out.txt; fail "the map of ${map#*=}"; }
done
picture "levels of 0 of [0-9]+ loaded; players A\.\. with their levels" foraging
picture "0 delivered; robots A\.\. point to where they go" warehouse
picture "0 caught, 0 lone catches; predators A\.\., prey \*" predator_prey
picture "0 soups; cooks 1 and 2 look where they point" kitchen env.layout=counter_circuit
picture "second 0 of 1800, 0 cars came, 0 left, each stood 0\.0 s so far; | north-south" traffic
picture "first step: agent 0's a leads to table A" two_step
picture "round 0 of 1; rows are agent 0's choices, columns agent 1's; paid so far 0" matrix_game env.preset=climbing
picture "^  . (. )*A (. )*a (. )*.$" skirmish env.enemy=scripted
grep -q "step 0 of 60; hit points" out.txt && grep -q "a 6 of 6, b 3 of 3, c 4 of 4" out.txt || { cat out.txt; fail "hit points"; }
# the largest field is drawn whole
picture "small letters: 64 of 64 units with 279 of 279 hit points" skirmish env.units=64 env.width=64 env.height=64
[ "$(grep -c '^ *|.\{65\}|$' out.txt)" -ge 63 ] || { cat out.txt; fail "a large field"; }

# what stands below is broken between words where the screen ends, and rows of cells are not
echo q | COLUMNS=60 LC_ALL=C "$AGON" play simple_reference --seed 1 > narrow.txt
[ "$(grep -v '^you' narrow.txt | awk '{ if (length > 60) n++ } END { print n + 0 }')" = 0 ] && grep -q "^    .*agent_1 says -$" narrow.txt || { cat narrow.txt; fail "a narrow screen"; }
echo q | COLUMNS=20 LC_ALL=C "$AGON" play warehouse --seed 1 | grep -qE "^  ( [A-Zx.. ][<>^vx ]? ?){9,}" || fail "a row of cells is broken"

# what a return is does not change within a run, and is asked for where the game has no custom
expect 2 "returns is sum in spread, and mean is asked for" "$AGON" train spread returns=mean frames=40k --quiet
"$AGON" train spread frames=24k --quiet
"$AGON" train two_step $small returns=sum --run-dir sum > sum.txt
grep -q "sum over 2 agents" sum.txt || fail "returns=sum"
players=$(cd spread/tb && ls -d */ | tr "\n" " ")
[ "$players" = "main_0/ noop/ random/ scripted/ team/ " ] || fail "TensorBoard: $players"
echo passed
