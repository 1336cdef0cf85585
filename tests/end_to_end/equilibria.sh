#!/usr/bin/env bash
# Equilibria of games in which one does not lose what the other earns: of a file, of a run, and where there are none.
. "$(dirname "$0")/common.sh"
header=env,greedy,openings,seed,a,b,first_pair,first_wins,first_draws,first_losses,second_wins,second_draws,second_losses
header=$header,pairs_0,pairs_1,pairs_2,pairs_3,pairs_4,return_sum,return_squares,pairs,pair_squares,build,b_return_sum
header=$header,b_return_squares,teams
line() { # A B RETURN RETURN: ten games of a on the first seat
  echo "chicken,0,0,1,$1,$2,0,0,10,0,0,0,0,0,0,0,0,0,$((10 * $3)),$((10 * $3 * $3)),5,-1,,$((10 * $4)),$((10 * $4 * $4)),${teams:-2}"
}
{ echo "$header"; line dare dares 0 0; line dare yields 7 2; line yield dares 2 7; line yield yields 6 6; } > chicken.csv
# worked by hand: tests/unit/test_equilibrium.c
expect 0 "^correlated equilibrium of the largest welfare of the game by mean returns, 2 x 2 players .* at least 10 games" \
  "$AGON" rate chicken.csv --equilibrium ce
grep -qE "welfare \+10.5 \(first team \+5.25, second team \+5.25\), Gini impurity 0.625" out.txt || fail "the welfare: $(cat out.txt)"
grep -qE "CE gap 0, CCE gap 0; Nash gap 0.375," out.txt || fail "the gaps: $(cat out.txt)"
grep -qE "0.500000  yield +yields +\+6 +\+6" out.txt || fail "the distribution: $(cat out.txt)"
grep -q "Nash and alpha-rank: n/a, the game is general-sum (two earn from 0 to 12 together)" out.txt || fail "a Nash equilibrium"
"$AGON" rate chicken.csv --equilibrium cce --select gini --json > even.json || fail "rate --json"
$python - << 'P' || fail "the most even: $(cat even.json)"
import json
e = json.load(open("even.json"))["equilibrium"]
assert (e["equilibrium"], e["select"], e["fewest_games"]) == ("cce", "gini", 10)
joint = {tuple(row["players"]): row["probability"] for row in e["joint"]}
for pair, share in {("dare", "dares"): 5, ("dare", "yields"): 10, ("yield", "dares"): 10, ("yield", "yields"): 9}.items():
    assert abs(joint[pair] - share / 34) < 1e-8, joint
assert abs(e["gini"] - 25 / 34) < 1e-8 and abs(sum(e["returns"]) - e["welfare"]) < 1e-8 and e["cce_gap"] < 1e-8
P
expect 2 "no Nash equilibrium: the game is general-sum" "$AGON" rate chicken.csv --equilibrium nash
expect 2 "--equilibrium is one of ce|cce|nash, not 'core'" "$AGON" rate chicken.csv --equilibrium core
expect 2 "--select chooses among the correlated equilibria" "$AGON" rate chicken.csv --select gini
# by who wins it is a game like any other
expect 0 "^ +[0-9]+ dares? .* [01]\.[0-9]{3} +n/a$" "$AGON" rate chicken.csv
# of more than two teams there is nothing of the kind
{ echo "$header"; teams=3 line dare dares 0 0; teams=3 line dare yields 7 2; teams=3 line yields dares 2 7; } > crowd.csv
expect 0 "Nash and alpha-rank: n/a, Nash equilibria and alpha-rank are of games between two teams" "$AGON" rate crowd.csv
expect 2 "no equilibrium: Nash equilibria and alpha-rank are of games between two teams" "$AGON" rate crowd.csv --equilibrium cce
# a file of an older program has one side's returns
cut -d, -f1-23 chicken.csv > old.csv
expect 2 "no equilibrium: of some of these games only one side's returns are known" "$AGON" rate old.csv --equilibrium ce
# nor how many teams play: a built-in game does
sed 's/^chicken,/kuhn_poker players=3,/' old.csv > three.csv
expect 0 "Nash and alpha-rank: n/a, Nash equilibria and alpha-rank are of games between two teams" "$AGON" rate three.csv
sed 's/^chicken,/kuhn_poker,/' old.csv > two.csv
expect 0 "^correlated equilibrium of the largest welfare" "$AGON" rate two.csv --equilibrium ce
expect 0 "^correlated equilibrium of the largest welfare" "$AGON" rate two.csv --equilibrium ce --env kuhn_poker

# JPSRO between two populations, stopped and gone on with: to the byte as without a stop
train() { # FOLDER KEY=VALUE...
  local run=$1; shift
  mpi 2 "$AGON" train kuhn_poker env.jackpot=1 league.preset=jpsro league.main_rule=ce league.equilibrium=welfare \
    --run-dir "$run" pace=lockstep actors.slots=64 actors.lanes=16 actors.eval_share=0.25 'net.hidden=[16]' league.frame_scale=1 \
    league.main_snapshot_min=4k league.main_snapshot_max=4k league.main_reset=1 frames=40k checkpoint.ticks=4 \
    checkpoint.keep=1000 --quiet "$@" || fail "$run"
}
train whole
cp -r whole halved
half=$(ls halved/checkpoints/*.h5 | tail -4 | head -1)
for file in halved/checkpoints/*.h5; do if [[ $file > $half ]]; then rm "$file"; fi; done
train halved --resume auto
same whole halved league/side payoff/eval players/side0_main_0/policy players/side1_main_0/policy || fail "a resumed run differs"
"$AGON" rate whole --equilibrium ce --json > ce.json || fail "rate --equilibrium of a run"
$python - << 'P' || fail "the run's equilibrium: $(cat ce.json)"
import json
e = json.load(open("ce.json"))["equilibrium"]
assert len(e["joint"]) > 0 and abs(sum(row["probability"] for row in e["joint"]) - 1) < 1e-8 and e["ce_gap"] < 1e-6
assert all(row["players"][0].startswith("side0_main_0-") and row["players"][1].startswith("side1_main_0-") for row in e["joint"])
assert -4 < e["welfare"] < 1 and e["fewest_games"] > 0
P
# of a run that draws opponents by an equilibrium that one is shown, unless another is asked for
expect 0 "^correlated equilibrium of the largest welfare" "$AGON" rate whole --equilibrium ce
train even league.equilibrium=gini frames=20k
expect 0 "^correlated equilibrium of the largest Gini impurity" "$AGON" rate even --equilibrium ce
expect 0 "^correlated equilibrium of the largest welfare" "$AGON" rate even --equilibrium ce --select welfare
$python "$root/tests/bench/joint_gap.py" "$AGON" whole ce welfare > exact.json || fail "its value in the whole game"
$python - << 'P' || fail "its value in the whole game: $(cat exact.json)"
import json
e = json.load(open("exact.json"))
assert e["ce_gap"] >= e["cce_gap"] - 1e-6 and abs(sum(e["returns"]) - e["welfare"]) < 1e-6 and abs(e["welfare"]) < 1
P
# one population: what copies earn against each other is not known
"$AGON" train matrix_game env.preset=prisoners_dilemma --run-dir dilemma actors.slots=64 actors.lanes=16 actors.eval_share=0.25 \
  'net.hidden=[8]' league.preset=fictitious league.frame_scale=1 league.main_snapshot_min=4k league.main_snapshot_max=4k \
  frames=20k --quiet || fail "a dilemma"
expect 2 "the game is general-sum: a Nash mixture is found of zero-sum games only" "$AGON" exploit dilemma --player nash
expect 2 "players of one population meet only others" "$AGON" rate dilemma --equilibrium cce
expect 0 "n/a, the game is general-sum" "$AGON" rate dilemma --returns
expect 2 "they need league.sides separate" "$AGON" train kuhn_poker league.main_rule=cce --run-dir none
expect 2 "kuhn_poker players=3 has 3 teams|keeps a population for each of two teams" "$AGON" train kuhn_poker env.players=3 \
  league.preset=jpsro --run-dir none
