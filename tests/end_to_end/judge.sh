#!/usr/bin/env bash
# The commands that judge: tournaments alone and on ranks, match, rate, probe, query, play, replay, report, watch, TensorBoard
# files, exploitability while training, and the Python reader.
. "$(dirname "$0")/common.sh"
"$AGON" train "$smoke" --run-dir run --quiet metrics.seconds=0.1

# a tournament that is stopped and gone on with plays what one on three ranks plays
players=main_0,main_0-000000,random,minimax
"$AGON" eval run --players $players --games 100 --csv alone.csv --quiet > /dev/null
expect 0 "600 games played now" "$AGON" eval run --players $players --games 200 --csv alone.csv --quiet
expect 0 "1200 games played now" mpirun --oversubscribe --bind-to none -n 3 "$AGON" eval run --players $players --games 200 --csv ranks.csv --quiet
expect 0 "0 games played now" "$AGON" eval run --players $players --games 200 --csv alone.csv --quiet
"$AGON" rate alone.csv --json > alone.json
"$AGON" rate ranks.csv --json > ranks.json
expect 0 "players +vs versus" "$AGON" eval run --players main_0,random --versus minimax --format teams --games 20 --csv none
expect 0 "warning: the players fall into 2 groups" "$AGON" eval run --players main_0,random --versus minimax --format gauntlet --games 20 --csv none --anchor minimax --budget 20
expect 0 "H1 accepted" "$AGON" match minimax random --env tic_tac_toe --sprt elo0=0 elo1=50
expect 0 "H0 accepted" "$AGON" match random run:main_0-000000 --sprt elo0=60 elo1=120
expect 0 "Elo +\| >= \+" "$AGON" match alphabeta-8 random --env connect_four --games 30 --openings 2 --seed 2
expect 2 "elo1 must be above elo0" "$AGON" match minimax random --env tic_tac_toe --sprt elo0=5 elo1=1
expect 0 "two distinct games, one for each seat" "$AGON" match run:main_0 run:main_0-000000 --greedy --sprt elo0=0 elo1=50
expect 0 "undecided" "$AGON" match run:main_0 run:main_0-000000 --greedy --sprt elo0=0 elo1=50
expect 0 "Games \| N: 64 " "$AGON" match run:main_0 run:main_0-000000 --greedy --games 64 --openings 2
expect 0 "2 games played now" "$AGON" eval run --players main_0,main_0-000000 --greedy --games 256 --csv fixed.csv --quiet
expect 0 "0 games played now" "$AGON" eval run --players main_0,main_0-000000 --greedy --games 512 --csv fixed.csv --quiet
expect 0 "Nash and alpha-rank: n/a, in this format" "$AGON" eval run --players main_0,random --versus minimax --format gauntlet --games 20 --csv none
printf 'a,b\n' > bad.csv
expect 4 "bad.csv is no table of games" "$AGON" rate bad.csv
expect 2 "cannot play connect_four" "$AGON" match minimax random --env connect_four
expect 2 "is named twice" "$AGON" eval run --players random,random
# who names nobody asks about the mains, beside those who need no training
expect 0 "^main_0 +vs random +8 games" "$AGON" eval run --games 8 --csv none --quiet
expect 0 "^random +vs scripted +8 games" "$AGON" eval --env connect_four --games 8
expect 2 "at least two players are needed" "$AGON" eval --env matrix_game
expect 2 "versus needs --players" "$AGON" eval run --versus random

expect 0 "0.2500 random" "$AGON" exploit run --player main_0=3,random=1
expect 2 "the weight of random is a number" "$AGON" exploit run --player main_0=3,random=x
# of a mixture, all members meet the other player
for mix in main_0=1,random=3 main_0 random; do "$AGON" exploit run --player $mix --against minimax --json > against-${mix%%=*}-${#mix}.json; done
"$AGON" exploit run --player snapshots --json > one.json
mpirun --oversubscribe --bind-to none -n 3 "$AGON" exploit run --player snapshots --json > several.json
"$AGON" eval run --players main_0 --versus random --games 8 --record 3 --csv none > /dev/null
[ "$(wc -l < run/replays/games.jsonl)" = 3 ] || fail "recorded games"

# lines of play
"$AGON" match random scripted --env goofspiel cards=4 --games 6 --replays games.jsonl > /dev/null
expect 0 "game 6: goofspiel cards=4" "$AGON" replay games.jsonl
"$AGON" replay games.jsonl --lines | "$AGON" query --env goofspiel cards=4 --player scripted > ends.txt
[ "$(grep -c terminated ends.txt)" = 6 ] || fail "lines of replays"
sed 's/"line":"[0-9 ]*"/"line":"0 1"/' games.jsonl > cut.jsonl
expect 4 "ends before the game is over" "$AGON" replay cut.jsonl
seq 3000 | sed 's/.*/4 0 8/' | "$AGON" query run --player main_0 --json > answers.json
expect 2 "1 of 2 lines could not be played" bash -c "printf '4\n4 4\n' | '$AGON' query run"
expect 0 "minimax \(agent 1\)" bash -c "printf '?\n4\n' | '$AGON' play tic_tac_toe --player minimax"
expect 0 "you hold a" bash -c "printf 'q\n' | '$AGON' play kuhn_poker --player random"

# exploitability while training is what the walk says afterwards
"$AGON" train kuhn_poker frames=60k metrics.exploitability=1 metrics.seconds=0.1 learner.average=0.9 league.preset=self-play league.by_return=true --run-dir kuhn --quiet
expect 0 "players" "$AGON" report kuhn
"$AGON" train "$smoke" game=kuhn_poker league.by_return=true frames=40k actors.lanes=16 --run-dir margins --quiet
"$AGON" report margins > /dev/null
"$AGON" league show margins --json > margins.json
expect 0 "40 games  mean return [+-][0-9.]+ \+- [0-9.]+  " "$AGON" eval margins --players main_0,random --games 40 --csv none --quiet
"$AGON" exploit kuhn --player main_0.average --json > kuhn.json
"$AGON" probe kuhn --player main_0 --budget 60k --games 2000 --json > probe.json
"$AGON" probe kuhn --player main_0 --budget 60k --games 2000 --json > again.json # its run is finished: judged anew
cmp probe.json again.json || fail "a probe made twice"
expect 2 "cannot be walked" "$AGON" train skirmish frames=1k metrics.exploitability=1 --run-dir never --quiet
expect 2 "needs a player of the run" "$AGON" probe kuhn --player random
# frozen players that never met: in a small game what they return is computed, on any number of ranks, and the mixture is
# an equilibrium of that
"$AGON" train kuhn_poker frames=20k net.hidden=[16] actors.eval_share=0 league.end_games=0 league.frame_scale=1 league.main_snapshot_max=8k \
  league.main_snapshot_min=8k league.main_exploiters=0 league.league_exploiters=0 --run-dir unmet --quiet
"$AGON" exploit unmet --player nash --json > unmet.json 2> unmet.txt
grep -qE "^([0-9]+) of \\1 pairs of frozen players had not met: what they return is computed exactly" unmet.txt || fail "$(cat unmet.txt)"
mpi 2 "$AGON" exploit unmet --player nash --json > unmet2.json 2> /dev/null
$python - "$AGON" <<'P'
import json, subprocess, sys
mix, two = json.load(open("unmet.json")), json.load(open("unmet2.json"))
assert mix["mixture"] == two["mixture"], two
players = [p["name"] for p in json.loads(subprocess.run([sys.argv[1], "league", "show", "unmet", "--json"], capture_output=True, text=True, check=True).stdout)["players"] if p["frozen"]]
assert len(players) >= 3 and {m["player"] for m in mix["mixture"]} <= set(players)
for p in players:  # nobody does better than 0 against the mixture
    value = 0
    for m in mix["mixture"]:
        if m["player"] == p: continue
        text = subprocess.run([sys.argv[1], "exploit", "unmet", "--player", p, "--against", m["player"], "--json"], capture_output=True, text=True, check=True).stdout
        value += m["weight"] * sum(seat["return"] for seat in json.loads(text)["against"]["seats"]) / 2
    assert value < 1e-6, (p, value)
P

# random openings while training; more of them than the game has steps is said clearly
"$AGON" train "$smoke" frames=5k actors.openings=4 --run-dir opened --quiet
expect 2 "openings of [0-9]+ random steps end the game" "$AGON" train "$smoke" frames=5k actors.openings=1000 --run-dir never-opened --quiet

# strength on the screen: the line, status.json, metrics, TensorBoard, Prometheus, watch, summary and report say what agon rate
# says, to the last digit; after a resume too, and with random's games from games.csv
rated="actors.lanes=16 metrics.seconds=0.2 metrics.progress=0.2"
"$AGON" train "$smoke" --run-dir rated $rated > rated.txt
"$AGON" rate rated --json > rated1.json
cp rated/status.json status1.json
"$AGON" train "$smoke" --run-dir rated $rated frames=90k --resume must > rated2.txt
cp rated/status.json status2.json
"$AGON" rate rated --json > rated2.json
"$AGON" report rated > /dev/null
"$AGON" watch rated --times 1 > watched.txt
cp rated/report.html report2.html
newest=$($python -c "import json; print([p['rating']['as'] for p in json.load(open('status2.json'))['players'] if p['name'] == 'main_0'][0])")
"$AGON" eval rated --players "$newest,random" --games 100 --seed 2 --quiet > /dev/null
"$AGON" eval rated --players "$newest,random" --games 500 --greedy --quiet > /dev/null # other terms: not of the lanes
"$AGON" rate rated --json > rated3.json
$python - "$newest" <<'P'
import json, re, sys
def load(name): return {p["player"]: p for p in json.load(open(name))["players"]}
learners = ("main_0", "main_exploiter_0", "league_exploiter_0")
for n in "1", "2":
    rate, status = load(f"rated{n}.json"), {p["name"]: p for p in json.load(open(f"status{n}.json"))["players"]}
    assert rate["random"]["elo"] == 0 and rate["random"]["games"] > 0
    for name in learners:
        r, s = rate[name], status[name]["rating"]
        assert s["as"].startswith(name + "-") and (r["as"], r["elo"], r["elo_low"], r["elo_high"]) == (s["as"], s["elo"], s["low"], s["high"]), (r, s)
        assert r["elo"] == rate[s["as"]]["elo"] and r["elo_low"] < r["elo"] < r["elo_high"]
lows = [p["elo_low"] for p in json.load(open("rated2.json"))["players"] if p["elo_low"] is not None]
assert lows == sorted(lows, reverse=True)
last = [json.loads(line) for line in open("rated/metrics.jsonl")][-1]
prom, line, end = open("rated/metrics.prom").read(), open("rated2.txt").read(), open("rated2.txt").read().split("Elo of its newest")[1]
page, watched = open("report2.html").read(), open("watched.txt").read()
for name in learners:
    r = rate[name]
    assert (last[name + "/rating/elo"], last[name + "/rating/low"], last[name + "/rating/high"]) == (r["elo"], r["elo_low"], r["elo_high"])
    assert 'agon_player_rating_elo{player="%s"} %.9g\n' % (name, r["elo"]) in prom
    text = ("%s %+.0f" % ((">=", r["elo_low"]) if r["bound"] > 0 else ("<=", r["elo_high"]))) if r["bound"] else "%+.0f [%+.0f, %+.0f]" % (r["elo"], r["elo_low"], r["elo_high"])
    assert name + " " + text in [l for l in line.splitlines() if " frames/s, tick " in l][-1], (name, text)
    assert text in end and text in watched, text
    assert "<tr><td>%s (learning, as %s)<td class=r>%+.0f<td class=r>%+.0f &ndash; %+.0f<td" % (name, r["as"], r["elo"], r["elo_low"], r["elo_high"]) in re.sub(" class=dim", "", page) or r["bound"], name
with_csv = load("rated3.json")
assert with_csv["random"]["games"] == rate["random"]["games"] + 100 and with_csv[sys.argv[1]]["games"] == rate[sys.argv[1]]["games"] + 100
P
grep -q "rating/elo" rated/tb/main_0/* && grep -q "rating/high" rated/tb/main_0/* && grep -q "charts/episodic_return" rated/tb/main_0/* || fail "tags of strength and returns"

# a run's own end: what it froze last, and who else lacks games, meets all others and random in both seats. The same games however
# often, and on whatever number of ranks, its jobs were ended on the way; none is played twice
for variant in "" "actors.openings=3" "pace=lockstep"; do
  rm -rf closed closed2
  mpi 3 "$AGON" train "$smoke" --run-dir closed --quiet actors.lanes=16 $variant
  mpi 3 "$AGON" train "$smoke" --run-dir closed2 --quiet actors.lanes=16 $variant
  cmp closed/games.csv closed2/games.csv || fail "games at the end of two runs with one seed ($variant)"
  head -8 closed2/games.csv > closed/games.csv
  truncate -s -4 closed/games.csv
  expect 0 "closed is finished: .*, and [0-9]+ evaluation games that its end lacked were played" mpirun --oversubscribe --bind-to none -n 2 "$AGON" train "$smoke" --run-dir closed --resume auto actors.lanes=16 $variant
  expect 0 "closed is finished: .*, and nothing was changed" "$AGON" train "$smoke" --run-dir closed --resume auto actors.lanes=16 $variant
  cmp closed/games.csv closed2/games.csv || fail "games at an end that was reached in two jobs ($variant)"
  "$AGON" rate closed --json > closed.json
  "$AGON" exploit closed --player nash > nash.txt 2>&1
  "$AGON" report closed > /dev/null
  $python - <<'P'
import csv, json, re
rate, nash, page = json.load(open("closed.json")), open("nash.txt").read(), open("closed/report.html").read()
players = {p["player"]: p for p in rate["players"]}
frozen = [name for name in players if re.search(r"-\d+$", name)]
last = max(name for name in frozen if name.startswith("main_0-"))
status = {p["name"]: p for p in json.load(open("closed/status.json"))["players"]}
assert len(frozen) >= 8 and rate["meta_players"] == len(frozen) and not set(rate["meta_left_out"]) & set(frozen), rate["meta_left_out"]
assert all(players[name]["elo"] is not None and players[name]["nash"] is not None for name in frozen) and rate["met_in_one_seat"] == 0
assert players["main_0"]["as"] == last == status["main_0"]["rating"]["as"] and players[last]["elo"] == status["main_0"]["rating"]["elo"]
assert players[last]["games"] == 20 * len(frozen), players[last]  # the others, and random
assert "left out" not in nash and "NashConv" in nash, nash
assert re.search(r"<title>%s against main_0-000000: [.\d]+ \[[.\d]+, [.\d]+\], 20 games" % last, page)
rows = list(csv.DictReader(open("closed/games.csv")))
assert len({frozenset((r["a"], r["b"])) for r in rows}) == len(rows) and all(r["pairs"] == "10" for r in rows)
P
done
"$AGON" train "$smoke" --run-dir open --quiet actors.lanes=16 league.end_games=0
expect 0 "left out: .*main_0-" "$AGON" rate open
[ ! -e open/games.csv ] || fail "league.end_games=0"

# liar's dice: OpenSpiel's exploitability of uniform play
"$AGON" exploit --env liars_dice --json > dice.json
expect 0 "^54 histories without chance nodes" "$AGON" env tree kuhn_poker
"$AGON" env tree connect_four --depth 3 --json > tree.json

# a resumed run voids what it had written beyond its checkpoint
"$AGON" train "$smoke" --run-dir run frames=120k --resume must --quiet metrics.seconds=0.1
expect 0 "report.html: .* players" "$AGON" report run
NO_COLOR=1 "$AGON" watch run --times 1 > watch.txt
if grep -q $'\033' watch.txt; then fail "watch dresses a pipe"; fi
grep -q "events" watch.txt || fail "watch shows no events"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$root/deploy/python" $python - <<'P'
import csv, glob, html.parser, json, math, re, struct
import agon_run

a, b = (json.load(open(f))["players"] for f in ("alone.json", "ranks.json"))
assert {p["player"]: (p["games"], round(p["score"], 9)) for p in a} == {p["player"]: (p["games"], round(p["score"], 9)) for p in b}
assert all(math.isfinite(v) for p in a for v in p.values() if isinstance(v, float))
assert a[0]["player"] == "minimax" and [p for p in a if p["player"] == "random"][0]["elo"] == 0
answers = [json.loads(line) for line in open("answers.json")]
assert len(answers) == 3000 and abs(sum(answers[0]["agents"][0]["probabilities"]) - 1) < 1e-5
assert answers[0]["agents"][0]["agent"] == 1 and answers[0]["agents"][0]["probabilities"][4] == 0
mixed, first, second = (json.load(open("against-" + x + ".json"))["against"] for x in ("main_0-17", "main_0-6", "random-6"))
assert abs(first["loss"] - second["loss"]) > .01
for key in ("win", "draw", "loss"): assert abs(mixed[key] - (first[key] + 3 * second[key]) / 4) < 1e-8, (mixed, first, second)
one, several = (json.load(open(f)) for f in ("one.json", "several.json"))
assert abs(one["nash_conv"] - several["nash_conv"]) < 1e-9  # ranks add in another order
assert one["histories"] == 549946 and one["information_sets_are"] == "equal positions"
k, p = json.load(open("kuhn.json")), json.load(open("probe.json"))
tracked = [row["main_0/exploitability"] for row in map(json.loads, open("kuhn/metrics.jsonl")) if "main_0/exploitability" in row]
assert tracked and abs(tracked[-1] - k["exploitability"]) < 0.02, (tracked, k["exploitability"])
assert p["nash_conv_low"] <= p["nash_conv_bound"] <= p["nash_conv_high"] and p["games"] == 2000
d = json.load(open("dice.json"))
assert abs(d["exploitability"] - 0.780744) < 1e-5, d
assert [level["decisions"] for level in json.load(open("tree.json"))["by_depth"]] == [1, 7, 49, 0]

margins = open("kuhn/report.html").read()
# the heat map's numbers are the league's
shown = json.load(open("margins.json"))
frozen = {p["name"] for p in shown["players"] if p["frozen"]}
cells = {(a, b): (float(mean), float(half), float(n)) for a, b, mean, half, n in
         re.findall(r"<title>(\S+) against (\S+): mean return ([-+.\d]+) \+- ([.\d]+), (\d+) games", open("margins/report.html").read())}
listed = {(p["home"], p["away"]): p["eval" if p["home"] in frozen and p["away"] in frozen else "decayed"] for p in shown["payoff"]}
at_end = {}  # what the lanes had left open
for row in csv.DictReader(open("margins/games.csv")):
    a, b, games, gain = row["a"].split("@")[0], row["b"].split("@")[0], 2 * int(row["pairs"]), float(row["return_sum"])
    if a != "random":
        at_end[a, b], at_end[b, a] = {"games": games, "mean_return": gain / games}, {"games": games, "mean_return": -gain / games}
assert at_end and all(not listed[p]["games"] for p in at_end if p in listed)
listed.update(at_end)
checked = 0
for pair, t in listed.items():
    if t["games"] < 1: continue
    mean, half, n = cells[pair]
    assert abs(mean - t["mean_return"]) < 1e-4 and abs(n - t["games"]) <= 0.5 + 1e-9, (pair, mean)
    assert abs(mean) <= 2 and half <= 1.96 * 2 / math.sqrt(t["games"]) + 1e-4
    checked += 1
assert checked >= 20 and checked == len(cells), (checked, len(cells))
assert "Returns are the game here" in margins and "mean return" in margins and not re.search(r"\bnan\b", re.sub(r"<style>.*?</style>", "", margins, flags=re.S))

# the page: well formed, nothing to fetch
page = open("run/report.html").read()
assert not re.search(r"(src|href)=\"?(http|//)|url\((?!#)", page)  # url(#...) is of the page itself
for word in ("Ratings", "Payoff", "Family", "Forgotten", "Matchmaking", "Learning", "Rates", "learner.rate", "main_exploiter_0", "smoke.yaml:"):
    assert word in page, word
assert not re.search(r"\b(nan|inf)\b", re.sub(r"<style>.*?</style>", "", page, flags=re.S))
class Nesting(html.parser.HTMLParser):
    void, stack = {"meta", "br", "wbr", "circle", "rect", "i"}, []
    def handle_starttag(self, tag, attributes):
        if tag in ("table", "svg", "figure", "section", "details", "main", "div"): self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag in ("table", "svg", "figure", "section", "details", "main", "div"): assert self.stack.pop() == tag, tag
nesting = Nesting(); nesting.feed(page); assert not nesting.stack, nesting.stack

# event files, read without our code: records, checksums, tags, the session mark of the resumed job
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
def masked(data):
    crc = crc32c(data); return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
assert crc32c(b"123456789") == 0xe3069283
def records(path):
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        size, check = struct.unpack_from("<QI", data, at)
        assert check == masked(data[at:at + 8])
        body = data[at + 12:at + 12 + size]
        assert struct.unpack_from("<I", data, at + 12 + size)[0] == masked(body)
        yield body
        at += 16 + size
files = sorted(glob.glob("run/tb/main_0/events.out.tfevents.*"))
assert len(files) == 2, files
first, second = (list(records(f)) for f in files)
assert b"brain.Event:2" in first[0] and any(b"losses/entropy" in r and b"charts/learning_rate" in r for r in first[1:])
assert second[1][-4:] == b"\x3a\x02\x08\x01", second[1]  # Event.session_log = {status: START}
assert any(b"charts/SPS" in r for f in glob.glob("run/tb/league/*") for r in records(f))
prom = open("run/metrics.prom").read()
assert 'agon_player_entropy{player="main_0"}' in prom and prom.count("# TYPE agon_player_entropy gauge") == 1

run = agon_run.Run("run")
names, games, scores, returns = run.payoff("raw")
assert games.shape == (len(names),) * 2 and games.sum() > 0 and names[0] == "main_0"
assert list(run.players()["name"]) == names
assert run.policy("main_0")["policy.weight"].shape[0] == 9 and run.policy("main_0-000000").keys() == run.policy("main_0").keys()
steps = list(run.metrics()["global_step"])
assert steps == sorted(steps) and len(steps) > 1
P
echo passed
