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
expect 0 "Elo +\| >= \+" "$AGON" match alphabeta-6 random --env connect_four --games 30 --openings 2 --seed 2
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

expect 0 "0.2500 random" "$AGON" exploit run --player main_0=3,random=1
expect 2 "the weight of random is a number" "$AGON" exploit run --player main_0=3,random=x
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
"$AGON" exploit kuhn --player main_0.average --json > kuhn.json
"$AGON" probe kuhn --player main_0 --budget 60k --games 2000 --json > probe.json
expect 2 "cannot be walked" "$AGON" train skirmish frames=1k metrics.exploitability=1 --run-dir never --quiet
expect 2 "needs a player of the run" "$AGON" probe kuhn --player random

# random openings while training; more of them than the game has steps is said clearly
"$AGON" train "$smoke" frames=5k actors.openings=4 --run-dir opened --quiet
expect 2 "openings of [0-9]+ random steps end the game" "$AGON" train "$smoke" frames=5k actors.openings=1000 --run-dir never-opened --quiet

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
one, several = (json.load(open(f)) for f in ("one.json", "several.json"))
assert one["nash_conv"] == several["nash_conv"] and one["histories"] == 549946 and one["information_sets_are"] == "equal positions"
k, p = json.load(open("kuhn.json")), json.load(open("probe.json"))
tracked = [row["main_0/exploitability"] for row in map(json.loads, open("kuhn/metrics.jsonl")) if "main_0/exploitability" in row]
assert tracked and abs(tracked[-1] - k["exploitability"]) < 0.02, (tracked, k["exploitability"])
assert p["nash_conv_low"] <= p["nash_conv_bound"] <= p["nash_conv_high"] and p["games"] == 2000
d = json.load(open("dice.json"))
assert abs(d["exploitability"] - 0.780744) < 1e-5, d
assert [level["decisions"] for level in json.load(open("tree.json"))["by_depth"]] == [1, 7, 49, 0]

margins = open("kuhn/report.html").read()
assert "Returns are the game here" in margins and "mean return" in margins and not re.search(r"\bnan\b", re.sub(r"<style>.*?</style>", "", margins, flags=re.S))

# the page: well formed, nothing to fetch
page = open("run/report.html").read()
assert not re.search(r"(src|href)=\"?(http|//)|url\(", page)
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
