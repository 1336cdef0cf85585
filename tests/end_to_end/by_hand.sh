#!/usr/bin/env bash
# A league changed by hand between two jobs: add, fork, retire, reset, rename, import, and more players by the
# configuration. What follows repeats byte for byte, in pieces or in one, and any number of ranks can go on.
. "$(dirname "$0")/common.sh"
small="actors.slots=16 actors.lanes=8 checkpoint.ticks=10 league.end_games=0 league.main_snapshot_min=1k league.main_snapshot_max=1k
  league.exploiter_snapshot_max=2k league.league_snapshot_max=2k"
train() { # RANKS ARGUMENTS...
  local n=$1; shift
  if [ "$n" = 1 ]; then timeout 120 "$AGON" train "$@" --quiet; else mpi "$n" "$AGON" train "$@" --quiet; fi || fail "train $*"
}
for pace in lockstep pipelined; do
  run=by_hand_$pace
  train 1 "$smoke" --run-dir $run frames=5k pace=$pace $small
  newest=$(ls $run/checkpoints/*.h5 | tail -1)
  before=$(sha256sum < "$newest")
  count=$(ls $run/checkpoints/*.h5 | wc -l)
  expect 0 "^$run: add main boss; checkpoint 0000.., 4 of " "$AGON" league add $run main boss
  [ "$(sha256sum < "$newest")" = "$before" ] || fail "the generation before was changed"
  [ "$(ls $run/checkpoints/*.h5 | wc -l)" = $((count + 1)) ] || fail "not one generation more"
  expect 0 "fork main_0 as twin" "$AGON" league fork $run main_0 twin --role main_exploiter
  expect 0 "retire main_exploiter_0" "$AGON" league retire $run main_exploiter_0
  expect 0 "reset league_exploiter_0 to initial weights" "$AGON" league reset $run league_exploiter_0 --to initial
  expect 0 "reset main_0 to main_0-00000" "$AGON" league reset $run main_0
  expect 0 "rename league_exploiter_0 to hunter" "$AGON" league rename $run league_exploiter_0 hunter
  expect 0 "rename main_0-000000 to beginner" "$AGON" league rename $run main_0-000000 beginner
  expect 0 "import $run:boss as guest" "$AGON" league import $run $run:boss guest --role league_exploiter
  expect 0 "add league_exploiter league_exploiter_0 from guest" "$AGON" league add $run league_exploiter --from guest
  "$AGON" checkpoint verify $run > /dev/null || fail "what was written is not whole"
  expect 0 "by .*: retire main_exploiter_0" "$AGON" league show $run
  "$AGON" league show $run --json > $run.json
  cp -r $run $run-pieces; cp -r $run $run-three
  train 1 $run frames=12k
  for job in 1 2; do train 1 $run-pieces frames=12k max_seconds=0.001; done
  train 1 $run-pieces frames=12k
  same $run $run-pieces changes/what league/retired_frames players/boss/policy players/twin/policy || fail "in pieces it differs ($pace)"
  train 3 $run-three frames=8k
  "$AGON" checkpoint verify $run-three > /dev/null
  for which in $run $run-three; do
    "$AGON" league show $which --json > after.json
    $python - $run.json after.json << 'P'
import json, sys
old, new = (json.load(open(f)) for f in sys.argv[1:])
assert [c["what"] for c in new["changes"]][:9] == [c["what"] for c in old["changes"]] and len(new["changes"]) == 9
players = {p["name"]: p for p in new["players"]}
learning = {name for name, p in players.items() if not p["frozen"]}
assert learning == {"main_0", "hunter", "boss", "twin", "league_exploiter_0"}, learning
then = {p["name"]: p for p in old["players"]}
assert all(players[name]["frames"] > then[name]["frames"] for name in learning) # all of them learn
assert players["twin"]["role"] == "main_exploiter" and players["twin"]["parent"] == "main_0"
assert players["main_exploiter_0"]["frozen"] and players["main_exploiter_0"]["reason"] == "retired"
assert players["main_0"]["life"] == 1 and players["main_0"]["parent"].startswith("main_0-0")
assert players["beginner"]["hash"] == then["beginner"]["hash"]
assert players["guest"]["hash"] == players["boss-000000"]["hash"] and players["guest"]["role"] == "league_exploiter"
games = lambda x: {(r["home"], r["away"]): r["raw"]["games"] for r in x["payoff"]}
assert all(games(new)[pair] >= n for pair, n in games(old).items()) # no game is lost
P
  done
done
run=by_hand_lockstep
"$AGON" report $run > /dev/null || fail "no report of a league changed by hand"
expect 0 "beginner" "$AGON" eval $run --players beginner,main_exploiter_0,guest --games 4
# more players by the configuration, recorded like the others; fewer only by name
train 1 $run frames=14k league.mains=3 league.main_exploiters=2
expect 0 "add main main_1, by the configuration" "$AGON" league show $run
expect 0 "^main_exploiter_1 .* learning|add main_exploiter main_exploiter_1" "$AGON" league show $run
grep -q "mains: 3" $run/config.yaml || fail "config.yaml does not know of the new main"
expect 2 "league.mains is 3 in $run, and 1 is asked for \(command line\): .*: agon league retire $run PLAYER" "$AGON" train $run frames=20k league.mains=1
# what cannot be is one error, and changes nothing
cp -r $run untouched
refused() { local says=$1; shift; expect 2 "$says" "$AGON" league "$@"; diff -r $run untouched > /dev/null || fail "it was refused, and changed the run: $*"; }
refused "there is a player 'boss' already" add $run main boss
refused "no role 'mian': a player is one of" add $run mian
refused "'a/b' is no name of a player" add $run main a/b
refused "league.sides is together" add $run main --side 1
refused "has no player 'bos', did you mean 'boss'" retire $run bos
refused "learns no more already" retire $run boss-000000
refused "is frozen, and stays what it is" reset $run guest
refused "twin has no snapshot|cannot begin anew from itself" reset $run twin --to twin
refused "'nobody' is no player of another run" import $run nobody
refused "there is a player 'boss' already" rename $run twin boss
refused "'main_exploiter' cannot be a player's name: it is a role's" rename $run twin main_exploiter
refused "too long for a player that learns: fewer than 33 letters" add $run main_exploiter a23456789_123456789_123456789_123
refused "retire has no use for --role" retire $run twin --role main
refused "usage|RUN PLAYER NAME" rename $run twin
expect 3 "nowhere holds no run" "$AGON" league retire nowhere main_0
[ ! -e nowhere ] || fail "a folder was made"
train 1 "$smoke" --run-dir other frames=2k 'net.hidden=[16]' $small
refused "net.hidden is \[16\] in other, and \[32\] is asked for" import $run other:main_0
train 1 kuhn_poker --run-dir cards frames=2k $small
refused "cards is of another game, kuhn_poker, not of tic_tac_toe" import $run cards:main_0
# one team has nobody to exploit
train 1 simple_spread --run-dir team frames=2k 'net.hidden=[16]' $small
expect 2 "has one team, and nobody to exploit" "$AGON" league add team main_exploiter
# whoever learns by how the other player does can have no third
train 1 coin_game --run-dir two frames=1k $small league.preset=self-play learner.algorithm=lola 'net.hidden=[8]'
expect 2 "goes by how the other player learns, and needs one learning player" "$AGON" league add two main
# a path of any letters and length is told in plain text, and the run goes on
odd="$(printf 'r\303\274n %0180d' 0)"
cp -r cards "$odd"
"$AGON" league import cards "$odd:main_0" stranger > /dev/null
expect 0 "import r\?\?n 0+\.\.\.0+:main_0 as stranger" "$AGON" league show cards
train 1 cards frames=4k
# killed at any moment, a change is there in whole or not at all
cp -r $run killed
for after in 0.02 0.04 0.06 0.08 0.1 0.12; do
  timeout -s KILL $after "$AGON" league fork killed main_0 > /dev/null 2>&1 || true
  "$AGON" checkpoint verify killed > /dev/null || fail "a change that was killed after $after s has spoilt the run"
done
"$AGON" league rename killed main_0 old > /dev/null
train 1 killed frames=20k
# a run that is being trained is left alone
"$AGON" train $run frames=100M checkpoint.ticks=0 --quiet > running.txt 2>&1 &
job=$!
for i in $(seq 1200); do grep -q '"state": "running"' $run/status.json && break; sleep 0.05; done
expect 3 "another job is running in this folder" "$AGON" league retire $run twin
"$AGON" stop $run > /dev/null
wait $job || { cat running.txt; fail "the job that ran meanwhile"; }
echo passed
