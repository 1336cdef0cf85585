#!/usr/bin/env bash
# The commands that look: help, version, config, env, league dryrun, eval, exploit, watch.
. "$(dirname "$0")/common.sh"
for c in train eval exploit league env config status watch stop checkpoint version help; do expect 0 "usage: agon $c" "$AGON" help $c; done
expect 0 '"mpi": "Open MPI' "$AGON" version --json
expect 0 'rate: 0.25  # command line' "$AGON" config show tic_tac_toe learner.rate=0.25
"$AGON" config show "$smoke" > resolved.yaml
expect 0 "is good" "$AGON" config check resolved.yaml
expect 0 '`league.win_threshold`' "$AGON" config schema
"$AGON" config schema goofspiel --json | $python -c "import json,sys; k={o['key'] for o in json.load(sys.stdin)}; assert {'env.cards','ppo.clip','league.preset'} <= k"
for f in "$root"/deploy/runs/*.yaml; do expect 0 "is good" "$AGON" config check "$f"; done
# each game that a file of src/env/games gives is listed, and no other
"$AGON" env list | cut -d' ' -f1 | sort > listed.txt
grep -lE '^const AgonEnv ' "$root"/src/env/games/*.c | xargs -n1 basename -s .c | sort | diff - listed.txt || fail "env list"
expect 0 "simultaneous moves" "$AGON" env info skirmish units=2
expect 0 "all passed" "$AGON" env check goofspiel cards=4 --episodes 50
"$AGON" train "$smoke" --run-dir run --quiet
"$AGON" eval run --players main_0,main_0-000000,random,minimax --games 40 --json > eval.json
"$AGON" train "$smoke" --run-dir other --quiet seed=2 'net.hidden=[16]' frames=20k
expect 0 "other:main_0 .*vs random" "$AGON" eval run --players other:main_0,random --games 20 --greedy
expect 0 "main_0-000000 .*vs random" "$AGON" eval run --players "$(ls run/players/main_0-000000-*.h5)",random --games 20
expect 2 "has no player 'main_9', did you mean 'main_0'" "$AGON" eval run --players main_9,random
"$AGON" exploit --env kuhn_poker --player uniform --json > kuhn.json
expect 0 "NashConv" "$AGON" exploit run --player snapshots --greedy
expect 0 "both seats: wins" "$AGON" exploit run --against random
cat > scenario.yaml <<'Y'
players:
  - {name: main_0, role: main, frozen: false}
  - {name: main_0-000001, role: main, frozen: true, parent: main_0}
  - {name: main_0-000002, role: main, frozen: true, parent: main_0}
  - {name: main_exploiter_0-000000, role: main_exploiter, frozen: true}
payoff:
  - [main_0, main_0-000001, 10, 9, 0, 1]
  - [main_0, main_0-000002, 10, 5, 0, 5]
  - [main_0, main_exploiter_0-000000, 10, 1, 0, 9]
Y
"$AGON" league dryrun tic_tac_toe --preset alphastar-paper --scenario scenario.yaml --matches 200000 --seed 3 --json > dry.json
expect 0 "law" "$AGON" league dryrun run --preset fictitious --matches 1000
expect 0 "main_0 " "$AGON" league dryrun "$smoke" league.mains=2
expect 2 "unknown key" "$AGON" league dryrun tic_tac_toe --scenario "$smoke"
# the mixture of biased rock-paper-scissors, .0625 .625 .3125 of three past players; a fourth has not met all others
cat > psro.yaml <<'Y'
players:
  - {name: main_0, frozen: false}
  - {name: rock, frozen: true, parent: main_0}
  - {name: paper, frozen: true, parent: main_0}
  - {name: scissors, frozen: true, parent: main_0}
  - {name: newcomer, frozen: true, parent: main_0}
payoff:
  - [rock, paper, 100, 25, 0, 75]
  - [rock, scissors, 100, 100, 0, 0]
  - [rock, newcomer, 10, 0, 0, 10]
  - [paper, scissors, 100, 45, 0, 55]
Y
"$AGON" league dryrun tic_tac_toe --preset psro --scenario psro.yaml --json > psro.json
expect 0 "left out .* newcomer" "$AGON" league dryrun tic_tac_toe --preset alpharank --scenario psro.yaml
sed 's/100, 100, 0, 0/.3, .1, .2, 0/' psro.yaml > rounded.yaml
expect 0 "law" "$AGON" league dryrun tic_tac_toe --preset psro --scenario rounded.yaml
echo '  - [paper, scissors, 10, 5, 0, 5]' | cat psro.yaml - > twice.yaml
expect 2 "paper against scissors is given twice" "$AGON" league dryrun tic_tac_toe --scenario twice.yaml
sed 's/100, 100, 0, 0/inf, inf, 0, 0/' psro.yaml > endless.yaml
expect 2 "a payoff row is" "$AGON" league dryrun tic_tac_toe --scenario endless.yaml
expect 2 "actors.eval_share 0 leaves none" "$AGON" train "$smoke" league.preset=psro actors.eval_share=0 --run-dir none
"$AGON" train "$smoke" league.preset=psro actors.lanes=8 frames=60k --run-dir psro > psro.txt
grep -q "meta-game of 1 past players; left out" psro.txt || fail "nobody is left out of the meta-game at first"
$python - <<'P'
import json
runs = json.loads(open("psro/metrics.jsonl").readlines()[-1])
assert runs["league/players"] > 4 and runs["league/unmeasured"] < runs["league/players"] - 2, runs
P
$python - <<'P'
import json, math
pairs = json.load(open("eval.json"))["pairs"]
assert len(pairs) == 6
for p in pairs:
    assert p["games"] == 40 == p["wins"] + p["draws"] + p["losses"] == sum(s["games"] for s in p["seats"])
    assert abs(p["score"] - (p["wins"] + p["draws"] / 2) / 40) < 1e-9
    assert p["elo_low"] <= p["elo"] <= p["elo_high"] and all(math.isfinite(p[k]) for k in ("elo", "elo_low", "elo_high"))
k = json.load(open("kuhn.json"))
assert abs(k["nash_conv"] - 11 / 12) < 1e-6 and k["information_sets"] == [6, 6] and abs(k["best_response"][1] - 5 / 12) < 1e-6
s = json.load(open("dry.json"))["shares"]["main_0"]
# x = .9 .5 .1 against the three: PFSP squared .009346 .233645 .757009 of one half; the exploiter is forgotten (.1 < .3): 15 %;
# self-play 35 %
expected = {"main_0": .35, "main_0-000001": .5 * .009346, "main_0-000002": .5 * .233645, "main_exploiter_0-000000": .5 * .757009 + .15}
for name, p in expected.items(): assert abs(s[name] - p) < .005, (name, s[name], p)
law = json.load(open("dry.json"))["law"]["main_0"]
assert law["share"] == 1
exact = {}
for m in law["matches"]:
    exact[m["opponent"]] = exact.get(m["opponent"], 0) + m["probability"]
    assert m["live"] == (m["opponent"] == "main_0") and m["learns"] == ("both" if m["opponent"] == "main_0" else "home")
    assert m["branch"] in ("pfsp", "verify", "self")
for name, p in expected.items(): assert abs(exact[name] - p) < 1e-6, (name, exact[name], p)
psro = json.load(open("psro.json"))
# payoffs -.5 1 -.1: the equilibrium is (.1, 1, .5) / 1.6
for m, p in zip(sorted(psro["law"]["main_0"]["matches"], key=lambda m: m["opponent"]), (.625, .0625, .3125)):
    assert abs(m["probability"] - p) < 1e-6 and m["branch"] == "meta" and not m["live"], m
assert psro["left_out"] == ["newcomer"]
P
"$AGON" watch run --times 1 > watch.txt
grep -q "main_0" watch.txt || fail "watch"
if grep -q $'\033' watch.txt; then fail "watch writes control codes into a pipe"; fi
expect 0 "players/main_0/policy" "$AGON" checkpoint info run
echo passed
