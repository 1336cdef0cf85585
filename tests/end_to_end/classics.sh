#!/usr/bin/env bash
# The classic learners: tables that are learned, written, and opened as players; rules of two players as numbers and pictures.
. "$(dirname "$0")/common.sh"

# rock-paper-scissors: both learners of stage games come to a third each, exactly
for algorithm in minimax-q nash-q; do
  expect 0 "plays [a-z0-9]+ 0.333 [a-z0-9]+ 0.333 [a-z0-9]+ 0.333" "$AGON" tabular rps --algorithm $algorithm --steps 5000 --epsilon 0.3 --out $algorithm.h5
  "$AGON" exploit --env matrix_game env.preset=rps --player $algorithm.h5 --json > $algorithm.json
done
# one player, whoever opens it: a tournament, a match, a person, a query, a learner against it
expect 0 "nash-q@[0-9a-f]{8}" "$AGON" eval --env matrix_game env.preset=rps --players nash-q.h5,minimax-q.h5,random --games 20 --csv none --quiet
expect 0 "Games \| N: 20 " "$AGON" match nash-q.h5 random --env matrix_game env.preset=rps --games 20
expect 0 "nash-q would .value" bash -c "printf '?\n0\n' | '$AGON' play matrix_game preset=rps --player nash-q.h5"
expect 0 '"probabilities":\[0.333' bash -c "printf '\n' | '$AGON' query --env matrix_game env.preset=rps --player nash-q.h5 --json"
expect 0 "the challenger's return in 2000 games" "$AGON" tabular rps --against nash-q.h5 --steps 5000 --games 2000
"$AGON" tabular climbing --algorithm hysteretic --steps 4000 --epsilon 1 --epsilon-end 0.01 --out team.h5 > /dev/null
expect 0 "^team +11 " "$AGON" eval --env matrix_game env.preset=climbing --players team.h5,random --games 20
"$AGON" tabular rps --against nash-q.h5 --steps 5000 --games 20000 --json > even.json

# a Q-learner's table is the best answer to one that always plays the same
printf '[[1,1],[0,0]]' > payoff
"$AGON" tabular matrix_game "env.payoff=$(cat payoff)" --steps 3000 --out first.h5 > /dev/null
expect 0 "NashConv 0.000000" "$AGON" exploit --env matrix_game "env.payoff=$(cat payoff)" --player first.h5

# turns, hidden cards and chance: by own decisions. What was learned beats random moves, greedily and with equals alike
"$AGON" tabular tic_tac_toe --steps 120000 --epsilon 0.2 --out toe.h5 --csv toe.csv > /dev/null
"$AGON" match toe.h5 random --env tic_tac_toe --games 400 --json > toe.json
"$AGON" match toe.h5 random --env tic_tac_toe --games 400 --greedy --json > greedy.json
"$AGON" tabular kuhn_poker --steps 20000 --temperature 0.5 --json > kuhn.json

# the same seed learns the same, another one does not
"$AGON" tabular climbing --algorithm hysteretic --steps 3000 --json > one.json
"$AGON" tabular climbing --algorithm hysteretic --steps 3000 --json > two.json
"$AGON" tabular climbing --algorithm hysteretic --steps 3000 --seed 2 --json > three.json
cmp one.json two.json || fail "the same learning twice"
! cmp -s one.json three.json || fail "another seed"
for algorithm in q lenient joint-action; do
  expect 0 "team 0's return in 1000 games of what was learned: .* 4 seeds" "$AGON" tabular climbing --algorithm $algorithm --steps 2000 --repeats 4
done

# rules: pennies settle by three, and not by two; LOLA cooperates where naive learners defect
for rule in "replicator" "q --epsilon 0.01 --rate 0.5" "q --epsilon 0.1 --rate 0.01 --steps 40000" "q --temperature 1 --rate 0.0002 --steps 200000" \
            "policy-gradient --entropy 0.1" "fictitious --steps 100000"; do
  name=${rule//[^a-z0-9]/_}
  "$AGON" dynamics matching_pennies --rule $rule --repeats 3 --svg "$name.svg" --csv "$name.csv" --json > "$name.dynamics"
done
ipd=("env.payoff=[[-1,-3],[0,-2]]" "env.payoff_column=[[-1,0],[-3,-2]]")
"$AGON" dynamics matrix_game "${ipd[@]}" --rule lola --repeats 5 --svg lola.svg --json > lola.dynamics
expect 0 "not settled" "$AGON" dynamics rps --svg rps.svg
expect 0 " 1.000; paid 1.0000 \| 1.0000; settled" "$AGON" dynamics prisoners_dilemma
$python - <<'P'
import csv, glob, json, xml.dom.minidom
load = lambda name: json.load(open(name))
for name in ("minimax-q.json", "nash-q.json"): assert load(name)["nash_conv"] < 1e-6, name
assert abs(load("even.json")["returns"][0]["mean"]) < .05
assert load("toe.json")["score"] > .65 and load("greedy.json")["score"] > .65, (load("toe.json"), load("greedy.json"))
rows = list(csv.DictReader(open("toe.csv")))
assert len(rows) == 100 and list(rows[0]) == ["seed", "step", "episodes", "rows", "flips", "return_0", "return_1"]
assert int(rows[-1]["step"]) == 120000 and 1000 < int(rows[-1]["rows"]) < 8000
assert load("kuhn.json")["seeds"][0]["agents"][0]["rows"] == 6 # information sets of a seat
settled = {}
for name in glob.glob("*.dynamics"):
    for told in load(name)["rules"]: settled[name, told["rule"]] = told
pennies = lambda word: [t for (n, _), t in settled.items() if n.startswith(word)]
assert all(t["settled"] == 3 for t in pennies("policy") + pennies("fictitious") + pennies("q___temperature"))
assert all(t["settled"] == 0 for t in pennies("replicator") + pennies("q___epsilon"))
quick, slow = (settled[n, "q"]["flips"]["mean"] for n in ("q___epsilon_0_01___rate_0_5.dynamics", "q___epsilon_0_1___rate_0_01___steps_40000.dynamics"))
assert quick / 20000 > 1.4 * slow / 40000 > 0, (quick, slow)
lola = {t["rule"]: t["paid_0"]["mean"] for t in load("lola.dynamics")["rules"]}
assert lola["lola"] > -1.3 and lola["naive"] < -1.7, lola
for name in glob.glob("*.svg"): xml.dom.minidom.parse(name)
points = list(csv.DictReader(open("replicator.csv")))
assert len(points) == 3 * 1001 and abs(float(points[7]["x_0"]) + float(points[7]["x_1"]) - 1) < 1e-8
P

# what is wrong is said in one sentence, before anything is learned
expect 2 "'sarsa' is none of q, hysteretic, lenient, joint-action, minimax-q, nash-q" "$AGON" tabular rps --algorithm sarsa
expect 2 "is no game for minimax-q: both agents must act at once" "$AGON" tabular tic_tac_toe --algorithm minimax-q
expect 2 "is no game for minimax-q: what one agent is paid the other must pay" "$AGON" tabular climbing --algorithm minimax-q
expect 2 "is no game for nash-q: it is for two agents" "$AGON" tabular kuhn_poker env.players=3 --algorithm nash-q
expect 2 "is no game for nash-q: it takes at most 6 choices, and there are 7" "$AGON" tabular goofspiel env.cards=7 --algorithm nash-q
expect 2 "is no game for q: a table needs actions of one choice" "$AGON" tabular simple_spread env.actions=box
expect 2 "there is nobody to be against" "$AGON" tabular climbing --against random
expect 2 "has no opponent" "$AGON" tabular rps --algorithm minimax-q --against random
expect 2 "--down is of --algorithm hysteretic, not of q" "$AGON" tabular rps --down 0.1
expect 2 "--epsilon or --temperature" "$AGON" tabular rps --epsilon 0.1 --temperature 1
expect 2 "minimax-q explores by --epsilon" "$AGON" tabular rps --algorithm minimax-q --temperature 1
expect 2 "a player's file ends in .h5" "$AGON" tabular rps --out here
expect 2 "no environment 'chess'" "$AGON" tabular chess
expect 2 "a game is needed" "$AGON" dynamics
expect 2 "'momentum' is none of replicator, q, policy-gradient, fictitious, lola, naive" "$AGON" dynamics rps --rule momentum
expect 2 "--entropy is of --rule policy-gradient, not of q" "$AGON" dynamics rps --rule q --entropy 1
expect 2 "lola is of games of two choices each, not of 3 and 3" "$AGON" dynamics rps --rule lola
expect 2 "no game in normal form for two: it goes on after one choice" "$AGON" dynamics rps env.rounds=2
expect 2 "no game in normal form for two: chance has a part in it" "$AGON" dynamics kuhn_poker
expect 2 "no game in normal form for two: both must act at once" "$AGON" dynamics tic_tac_toe
expect 2 "a phase picture is of games of two choices each" "$AGON" dynamics climbing "env.payoff=[[1,2,3],[0,1,2],[2,2,2]]" --svg no.svg
[ ! -e no.svg ] || fail "a picture of what none can be drawn of"
# files of tables: of another game, and damaged
expect 2 "nash-q.h5 is a player of matrix_game, and kuhn_poker is played" "$AGON" exploit --env kuhn_poker --player nash-q.h5
expect 2 "is a player of matrix_game, and matrix_game preset=matching_pennies is played" "$AGON" match nash-q.h5 random --env matrix_game env.preset=matching_pennies --games 2
cp nash-q.h5 bent.h5
printf 'x' | dd of=bent.h5 bs=1 seek=3000 conv=notrunc 2> /dev/null
expect 4 "bent.h5" "$AGON" match bent.h5 random --env matrix_game env.preset=rps --games 2
