#!/usr/bin/env bash
# A population for each side: trained on several ranks, stopped, gone on with, judged. Nobody sits on the other side.
. "$(dirname "$0")/common.sh"
train() { # RANKS FOLDER KEY=VALUE...
  local n=$1 run=$2; shift 2
  mpi "$n" "$AGON" train simple_tag league.sides=separate --run-dir "$run" pace=lockstep actors.slots=32 actors.lanes=16 \
    'net.hidden=[16]' league.frame_scale=1 league.memory=400 league.min_games=10 league.main_snapshot_min=4k \
    league.main_snapshot_max=8k league.exploiter_snapshot_max=8k league.league_snapshot_max=8k league.end_games=4 \
    frames=40k "$@" || fail "$run"
}
train 2 tag > banner.txt
grep -q "of each side" banner.txt && grep -q "two populations: predator and prey" banner.txt || fail "the banner: $(cat banner.txt)"
grep -q "predator_main_0,random" banner.txt || fail "the last line: $(tail -1 banner.txt)"
# from a checkpoint half way it comes to the same, on as many ranks: whole, then halved
halve() { # KEY=VALUE...
  rm -rf whole halved
  train 2 whole checkpoint.ticks=4 checkpoint.keep=1000 --quiet "$@"
  cp -r whole halved
  half=$(ls halved/checkpoints/*.h5 | tail -4 | head -1)
  for file in halved/checkpoints/*.h5; do if [[ $file > $half ]]; then rm "$file"; fi; done
  train 2 halved --resume auto checkpoint.ticks=4 checkpoint.keep=1000 --quiet "$@"
}
halve
same whole halved league/side payoff/raw players/predator_main_0/policy players/prey_main_0/policy || fail "a resumed run differs"
$python - "$(ls whole/checkpoints/*.h5 | tail -1)" << 'P' || fail "who met whom"
import sys, h5py
a = h5py.File(sys.argv[1])
side, frozen = a["league/side"][:], a["league/frozen"][:]
assert set(side) == {1, 2} and sum(side[frozen == 0] == 1) == 3
home, away = a["payoff/home"][:], a["payoff/away"][:]
assert len(home) > 20 and (side[home] != side[away]).all()
P
# a replay is filled from the one team that its player plays, also where it has to be full before anything is learned
halve league.main_exploiters=0 league.league_exploiters=0 learner.algorithm=vdn replay.size=64 replay.warmup=64 replay.batch=4 \
  replay.ratio=2
same whole halved replay/predator_main_0/id replay/prey_main_0/id || fail "a resumed run differs in what is kept"
$python - << 'P' || fail "the replay: $(tail -1 whole/metrics.jsonl)"
import json
last = [json.loads(line) for line in open("whole/metrics.jsonl")][-1]
for main in ("predator_main_0", "prey_main_0"):
    assert last[main + "/replay_items"] >= 64 and last[main + "/updates"] > 0, main
P
# a run keeps its sides, and on other ranks it goes on
expect 2 "league.sides is separate in tag, and together is asked for \(command line\): that may not change on resume" \
  "$AGON" train simple_tag league.sides=together --run-dir tag --resume auto
train 3 tag --resume auto frames=60k --quiet
# each meets the other side only, and sits on its own
"$AGON" eval tag --players predator_main_0,prey_main_0,predator_main_0-000000,random --games 20 --json > eval.json || fail "eval"
$python - << 'P' || fail "the tournament: $(cat eval.json)"
import json
pairs = json.load(open("eval.json"))["pairs"]
met = {frozenset((pair["a"], pair["b"])) for pair in pairs}
assert len(pairs) == 5 and frozenset(("predator_main_0", "predator_main_0-000000")) not in met, met
for pair in pairs:
    seat = 0 if pair["a"].startswith("predator") else 1
    assert pair["seats"][seat]["games"] == 20 and pair["seats"][1 - seat]["games"] == 0, pair
P
expect 2 "predator_main_0 always plays team 0 .* name players of the other side, or random" \
  "$AGON" eval tag --players predator_main_0 --versus predator_main_0-000000 --games 10
snapshot=$(echo tag/players/predator_main_0-000000-*.h5)
expect 2 "cannot meet: both always play team 0" "$AGON" match "$snapshot" tag:predator_main_0 --games 10
expect 0 "Seats \| first .*, second \+0 =0 -0" "$AGON" match "$snapshot" tag:prey_main_0 --games 10
# two populations: each from random of its own side, and the equilibrium between the two
expect 0 "^random of each side at 0" "$AGON" rate tag
grep -q "random as prey  *+0 " out.txt && grep -q "random as predator  *+0 " out.txt || fail "no zero of each side: $(cat out.txt)"
grep -qE "^a predator of Elo x scores .* against a prey of Elo y" out.txt || fail "nothing between the sides"
"$AGON" rate tag --json > rate.json || fail "rate --json"
$python - << 'P' || fail "the rating: $(cat rate.json)"
import json
rate = json.load(open("rate.json"))
players = rate["players"]
assert {player["side"] for player in players} == {"predator", "prey"} and rate["side_gap"] is not None
for side in ("predator", "prey"):
    nash = [player["nash"] for player in players if player["side"] == side and player["nash"] is not None]
    assert len(nash) > 2 and abs(sum(nash) - 1) < 1e-6, (side, nash)
assert all(player["alpha_rank"] is None for player in players)
P
expect 0 "^random of each side at 0" "$AGON" rate tag/games.csv
expect 0 "^prey_main_0 +against [0-9]+ players, .* at worst .* against predator_main_0-" "$AGON" eval tag \
  --players predator_main_0,prey_main_0 --versus snapshots --games 4 --quiet
expect 2 "yours is --seat 1" "$AGON" play tag --seat 0
expect 0 "prey_main_exploiter_0 +main_exploiter" "$AGON" league show tag
"$AGON" league show tag --json | grep -q '"side": "predator"' || fail "league show --json names no side"
expect 0 "predator_main_0" "$AGON" league dryrun tag
expect 0 "report.html" "$AGON" report tag
grep -q "Rows are players of the side predator, columns of the side prey" tag/report.html || fail "the payoff map has no sides"
grep -q "predator_main_0 and prey_main_0 play, each time" tag/report.html || fail "an episode in pictures, of one main on both sides"
# best responses where the tree can be walked: of the other side, and of both against a profile
mpi 2 "$AGON" train kuhn_poker league.sides=separate --run-dir cards --quiet frames=20k metrics.exploitability=5k || fail "cards"
grep -q '"side1_main_0/best_response"' cards/metrics.jsonl || fail "no best responses while it trains"
expect 0 "side0_main_0,side1_main_0: NashConv" "$AGON" exploit cards
expect 2 "this league has two" "$AGON" exploit cards --player nash
expect 0 "side1_main_0 as second: a best response as first earns" "$AGON" exploit cards --player side1_main_0 --against random
expect 2 "always play one side: they cannot meet" "$AGON" exploit cards --player side1_main_0 --against side1_main_0
expect 2 "always plays team 0 .league.sides separate., and a probe" "$AGON" probe cards --budget 1k
# a league that is only written down
printf 'players: [{name: a, side: 0}, {name: b, side: 1}, {name: c, side: 1, frozen: true}]\npayoff: [[a, c, 9, 0, 0, 9]]\n' > sides.yaml
expect 0 "^   b +self .* live +both learn" "$AGON" league dryrun simple_tag league.sides=separate --scenario sides.yaml
expect 2 "a: it has a side, and league.sides is together" "$AGON" league dryrun simple_tag --scenario sides.yaml
"$AGON" status tag --json | grep -q '"side": "prey"' || fail "status names no side"
