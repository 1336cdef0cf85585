#!/usr/bin/env bash
# Runs side by side: groups that are found by themselves, means, intervals and tests against the same formulas in Python.
. "$(dirname "$0")/common.sh"
cp "$root/deploy/runs/rps.yaml" base.yaml
sed -i '/hidden/s/.*/  hidden: [8]/' base.yaml
one() { "$AGON" train base.yaml frames=20k --quiet "${@:2}" --run-dir "$1"; }
for seed in 1 2 3; do one "slow$seed" seed=$seed learner.rate=0.0001; one "fast$seed" seed=$seed checkpoint.keep=2; done
one fast4 seed=4 kernels=plain
one third seed=1 learner.rate=0.0001 learner.entropy=0.3
# how many points a run writes goes by the clock: curves that do not are put in their place
$python - slow? fast? third <<'P'
import json, math, sys
for n, run in enumerate(sys.argv[1:]):
    with open(run + "/metrics.jsonl", "w") as out:
        for k in range(1, 41):
            y = {m: math.sin(1 + n * 1.7 + i) * .1 + (n > 2) * .2 + k / (60 + n) for i, m in enumerate(("entropy", "value_loss", "rating/elo"))}
            out.write(json.dumps({"global_step": 500.0 * k + n, **{"main_0/" + m: v for m, v in y.items()}}) + "\n")
P
# --- two configurations, three seeds each: by seeds
expect 0 "6 runs, 2 configurations, which differ in learner.rate$" "$AGON" compare slow? fast[123]
grep -q "main_0/rating/elo" out.txt || fail "the usual metrics"
grep -q "by seeds: learner.rate=" out.txt || fail "not by seeds"
[ -s compare.html ] || fail "no page"
"$AGON" compare slow? fast[123] --metric main_0/entropy,main_0/value_loss --json --out none --last 0.5 > paired.json
# --- one seed more on one side: as samples; and with a third configuration of one run
"$AGON" compare slow? fast? --metric main_0/entropy --json --out samples.html > samples.json
"$AGON" compare slow? fast? third --metric main_0/entropy --json --out third.html > third.json
$python - <<'P'
import json, math
def load(name): return json.load(open(name))
def series(run, metric):
    out = []
    for line in open(run + "/metrics.jsonl"):
        d = json.loads(line)
        if metric in d: out.append((d["global_step"], d[metric]))
    return out
def end(run, metric, last):
    s = series(run, metric)
    start = s[-1][0] - last * (s[-1][0] - s[0][0])
    v = [y for x, y in s if x >= start] or [s[-1][1]]
    return sum(v) / len(v)
def moments(v):
    m = sum(v) / len(v)
    return m, math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1))
quantile = {2: 4.302652729911275, 3: 3.182446305284263}  # of Student's t, .975
p = load("paired.json")
assert p["differing"] == ["learner.rate"] and p["all_pairs"] and [m["metric"] for m in p["metrics"]] == ["main_0/entropy", "main_0/value_loss"]
for m, falls in zip(p["metrics"], (False, True)):
    assert m["less_is_better"] == falls
    value = {k: [end(k + str(s), m["metric"], .5) for s in (1, 2, 3)] for k in ("slow", "fast")}
    mean = {"learner.rate=0.0001": value["slow"], "learner.rate=0.003": value["fast"]}
    got = [c["mean"] for c in m["configurations"]]
    assert got == sorted(got, reverse=not falls)
    for c in m["configurations"]:
        v = mean[c["configuration"]]
        mu, sd = moments(v)
        half = quantile[2] * sd / math.sqrt(3)
        for key, want in (("mean", mu), ("deviation", sd), ("low", mu - half), ("high", mu + half), ("median", sorted(v)[1]), ("worst", max(v) if falls else min(v))):
            assert abs(c[key] - want) < 1e-9 * max(1, abs(want)), (key, c[key], want)
        assert c["seeds"] == 3
    (pair,) = m["comparisons"]
    d = [a - b for a, b in zip(mean[pair["better"]], mean[pair["worse"]])]
    mu, sd = moments(d)
    t = mu / (sd / math.sqrt(3))
    assert pair["paired"] and pair["freedom"] == 2 and abs(pair["t"] - t) < 1e-6 * abs(t), (pair, t)
    # Student's t of 2 degrees has a closed form
    assert abs(pair["p"] - (1 - abs(t) / math.sqrt(2 + t * t))) < 1e-9, pair
    assert pair["p_holm"] == pair["p"] and pair["p_rank"] in (.25, .5, .75, 1), pair
s = load("samples.json")["metrics"][0]
(pair,) = s["comparisons"]
a, b = ([end(n % i, "main_0/entropy", .1) for i in range(1, k + 1)] for n, k in (("slow%d", 3), ("fast%d", 4)))
va, vb = moments(a)[1] ** 2 / 3, moments(b)[1] ** 2 / 4
t = abs(moments(a)[0] - moments(b)[0]) / math.sqrt(va + vb)
assert not pair["paired"] and abs(abs(pair["t"]) - t) < 1e-6 * t, (pair, t, a, b, s)
assert abs(pair["freedom"] - (va + vb) ** 2 / (va ** 2 / 2 + vb ** 2 / 3)) < 1e-6
third = load("third.json")
assert third["differing"] == ["learner.rate", "learner.entropy"]
pairs = third["metrics"][0]["comparisons"]
assert len(pairs) == 3 and all(q["p_holm"] is None or q["p_holm"] >= q["p"] for q in pairs)
alone = [c for c in third["metrics"][0]["configurations"] if c["seeds"] == 1]
assert len(alone) == 1 and alone[0]["low"] is None
page = open("third.html").read()
assert page.startswith("<!doctype html>") and page.count("<svg") == 1 and "<script" not in page and "nan" not in page.lower().replace("nanos", "")
assert page.count('class="b c') == 2 and page.count('class="l c') == 3, "bands where there are seeds, a line each"
import html.parser
class Balance(html.parser.HTMLParser):
    def __init__(self): super().__init__(); self.open = []
    def handle_starttag(self, tag, attrs):
        if tag in ("svg", "table", "section", "main", "figure", "div"): self.open.append(tag)
    def handle_endtag(self, tag):
        if tag in ("svg", "table", "section", "main", "figure", "div"): assert self.open.pop() == tag, tag
b = Balance(); b.feed(page); assert not b.open, b.open
P
# --- a configuration keeps its colour in all charts, though it has another rank in each; so do those of more than can be told apart
mkdir nine
for i in 1 2 3 4 5 6 7 8 9; do
  one nine/n$i learner.rate=0.00$i frames=2k
  cp fast1/metrics.jsonl nine/n$i
  sed -i "s/\\(entropy\\|value_loss\\)\": [-0-9.e]*/\\1\": 0.$i/g" nine/n$i/metrics.jsonl
done
"$AGON" compare slow? fast? third --metric main_0/entropy,main_0/value_loss --out colours.html > out.txt
"$AGON" compare nine/* --metric main_0/entropy,main_0/value_loss --out nine.html > out.txt
grep -q "9 configurations" out.txt || { cat out.txt; fail "nine configurations"; }
$python - <<'P'
import re
for name, count in (("colours.html", 3), ("nine.html", 8)):
    sections = open(name).read().split("<section>")[1:]
    assert len(sections) == 2
    legend = [dict(re.findall(r'<i class="(c[0-7])"></i>([^<]*)</span>', s)) for s in sections]
    first = [re.search(r'<tr><td style="text-align:left"><code>([^<]*)', s).group(1) for s in sections]
    assert first[0] != first[1], "both metrics put the same one first: this shows nothing"
    assert len(legend[0]) == count and legend[0] == legend[1], (name, legend)
P
grep -q "Drawn are 8 of 9 configurations: the best by main_0/entropy" nine.html || fail "which are drawn"
# --- a sweep's folder stands for its runs, with their scores
cat > sweep.yaml <<'Y'
sweep: {base: base.yaml, seeds: 1-2, folder: swept}
set: {frames: 10k}
grid: {net.hidden: [[8], [4]]}
score: {by: nashconv}
Y
"$AGON" sweep sweep.yaml --quiet > /dev/null
expect 0 "^score \(less is better\)" "$AGON" compare swept --out none
grep -q "4 runs, 2 configurations, which differ in net.hidden" out.txt || { cat out.txt; fail "a sweep's runs"; }
# the score's direction is that of its sweep, however its runs are named
(cd swept/runs; expect 0 "^score \(less is better\)" "$AGON" compare c01-s1 c02-s1 --metric score --out none)
# the same runs, scored by another thing (they are not trained again): two kinds of scores are not mixed
cp -r swept played
expect 0 "4 done" "$AGON" sweep sweep.yaml --folder played score.by=match score.games=20
same swept/runs/c01-s1 played/runs/c01-s1
expect 2 "played/runs/c01-s1 has the score of main_0 against random, 20 games, swept/runs/c01-s1 the NashConv" "$AGON" compare played swept --metric score
for dir in swept played; do cp slow1/metrics.jsonl $dir/runs/c01-s1; done
expect 0 "scores are of different kinds, and are left out" "$AGON" compare played/runs/c01-s1 swept/runs/c01-s1 --out none
grep -q "^score" out.txt && fail "left out, and shown"
# configurations that halving has dropped stand behind the others, and are not compared with them
"$AGON" sweep sweep.yaml --folder halved halving.first=4k score.by=match score.games=20 --quiet > /dev/null
expect 0 "^2 runs were dropped by halving.*behind the others, and are not compared with them" "$AGON" compare halved --out halved.html --metric score
if grep -q "runs have not come to their end" out.txt; then fail "what was dropped is at its end"; fi
grep -q "(dropped by halving)" halved.html || fail "the page does not say it"
# even where what was dropped did better
$python - <<'P'
import json, re
s = json.load(open("halved/sweep.json"))
dropped = [r["run"] for r in s["runs"] if r["state"] == "dropped"]
assert len(dropped) == 2
for run in dropped:
    name = "halved/results/%s.json" % run
    text = re.sub('"score": [-0-9.e]+', '"score": 9.5', open(name).read())
    open(name, "w").write(text)
P
"$AGON" compare halved --json --out none --metric score > halved.json
$python - <<'P'
import json
c, s = json.load(open("halved.json")), json.load(open("halved/sweep.json"))
dropped = {"halved/" + r["folder"] for r in s["runs"] if r["state"] == "dropped"}
assert {r["run"] for r in c["runs"] if r["dropped"]} == dropped, c["runs"]
(m,) = c["metrics"]
g = m["configurations"]
assert [x["dropped"] for x in g] == [False, True] and g[1]["mean"] == 9.5 > g[0]["mean"] and not m["comparisons"], m
P
# --- names that are no UTF-8 are in the JSON, too
cp -r fast1 $'caf\xe9'
"$AGON" compare $'caf\xe9' fast2 --json --out none | $python -c 'import json,sys; assert [r["run"] for r in json.load(sys.stdin)["runs"]] == ["caf?", "fast2"]'
# --- equal runs, runs of one seed, and what cannot be compared
one again seed=1
expect 0 "several runs of one seed" "$AGON" compare fast1 again --out none
grep -q "2 runs, 1 configurations" out.txt || fail "one configuration"
expect 2 "two runs are needed" "$AGON" compare fast1
expect 2 "fast1 is named twice" "$AGON" compare fast1 fast1
expect 2 "./fast1/* is named twice" "$AGON" compare fast1 ./fast1/
expect 2 "which runs" "$AGON" compare
expect 3 "nothing" "$AGON" compare fast1 nothing
expect 2 "no run has a metric 'main_0/entrop', did you mean 'main_0/entropy'" "$AGON" compare fast1 fast2 --metric main_0/entrop
expect 2 "less is for --metric" "$AGON" compare fast1 fast2 --less
"$AGON" train kuhn_poker frames=5k --run-dir kuhn --quiet
expect 2 "fast1 and kuhn are of different games" "$AGON" compare fast1 kuhn
expect 2 "fast1 and kuhn are of different games" "$AGON" compare fast1 fast2 kuhn
expect 5 "no/where.html" "$AGON" compare fast1 fast2 --out no/where.html
echo passed
