#!/usr/bin/env bash
# Players from outside as frozen members of a league (league.guests): a program, an exported file and alphabeta-4 beside the
# mains, killed and gone on with; who joins and leaves between two jobs; what goes wrong with one is one sentence.
. "$(dirname "$0")/common.sh"
"$AGON" train tic_tac_toe frames=3k pace=lockstep actors.slots=32 actors.lanes=8 league.end_games=0 --run-dir first --quiet
"$AGON" export first --output old.agon > /dev/null
cp "$root/deploy/python/engine.py" "$here/guests.py" .
sed -i "s|sys.path.insert.*|sys.path.insert(0, '.')|" guests.py
engine="exec:exec $python engine.py"
set -- tic_tac_toe frames=14k pace=lockstep checkpoint.ticks=3 checkpoint.seconds=0 actors.slots=48 actors.lanes=12 actors.lane_episodes=4 actors.eval_share=0.25 league.end_games=2 \
  "league.guests.engine=$engine" league.guests.ab=alphabeta-4 league.guests.old=old.agon

# without a break, and killed and gone on with: the same run
mpi 3 "$AGON" train "$@" --run-dir whole --quiet
kill_in_the_middle parts "$@"
mpi 3 "$AGON" train parts --accept-guests --quiet
same whole parts league/guest
sort whole/games.csv | cut -d, -f1-12 > one.txt
sort parts/games.csv | cut -d, -f1-12 | cmp - one.txt || fail "other games at the end"
"$AGON" league show whole --json > show.json
"$AGON" checkpoint verify whole > verify.txt
"$AGON" report whole --out page.html > /dev/null
"$AGON" rate whole > rate.txt
for name in engine ab old; do
  grep -q " $name " rate.txt || { cat rate.txt; fail "$name is not rated"; }
  grep -q "$name" page.html || fail "$name is not in the report"
done
$python - << 'P2' || fail "guests are not what they should be"
import json
show, status = json.load(open("show.json")), json.load(open("whole/status.json"))
guests = {p["name"]: p for p in show["players"] if p["role"] == "guest"}
assert set(guests) == {"engine", "ab", "old"} and guests["ab"]["guest"] == "alphabeta-4", guests
assert all(p["frozen"] and p["frames"] == 0 for p in guests.values()), guests
assert {p["name"] for p in status["players"] if "guest" in p} == set(guests), status["players"]
for home in ("main_0", "league_exploiter_0"):  # both meet them by PFSP over all frozen players
    met = {p["away"]: p["raw"]["games"] for p in show["payoff"] if p["home"] == home}
    assert all(met.get(name, 0) > 0 for name in guests), (home, met)
assert not any(p["home"] == "main_exploiter_0" and p["away"] in guests for p in show["payoff"])
assert any(guests.keys() & {p["home"], p["away"]} and p["eval"]["games"] > 0 for p in show["payoff"])
P2

# the run has copies of files, and is asked for its guests like for other players; programs of a run are started by no file's word
mv old.agon moved.agon
"$AGON" eval whole --players old,ab,random --games 4 --csv none --quiet > table.txt
grep -q "old@" table.txt || { cat table.txt; fail "a guest's file is not played from the run"; }
expect 2 "engine of whole is a program, exec:exec .*name that itself as the player" "$AGON" eval whole --players engine,random --games 2
expect 2 "names a guest, engine, whose program would be started: exec:exec .*--accept-guests" "$AGON" train whole frames=15k --quiet

# one that has changed is another player
echo "# changed" >> engine.py
expect 2 "guest engine is not who it was in whole: .*league.guests.OTHER=" "$AGON" train whole frames=15k --accept-guests --quiet
sed -i '$d' engine.py
"$AGON" train first frames=4k --quiet
"$AGON" export first --output old.agon > /dev/null
expect 2 "guest old is not who it was" "$AGON" train whole frames=15k --accept-guests --quiet
mv moved.agon old.agon

# others join, one leaves: what it has played stays, and it is met no more
"$AGON" train whole frames=22k league.guests.engine= league.guests.new=alphabeta-1 league.guest_share=0.5 --quiet
"$AGON" league show whole --json > more.json
"$AGON" league show whole > show.txt
grep -q "guest engine leaves" show.txt && grep -q "guest new joins: alphabeta-1" show.txt || { cat show.txt; fail "it is not in the lineage"; }
$python - << 'P2' || fail "who leaves and who joins"
import json
def games(file):
    show = json.load(open(file))
    return show, {(p["home"], p["away"]): p["raw"]["games"] for p in show["payoff"]}
then, before = games("show.json")
now, after = games("more.json")
assert {p["name"]: p["reason"] for p in now["players"] if p["role"] == "guest"} == {"engine": "away", "ab": "guest", "old": "guest", "new": "guest"}
assert after["main_0", "engine"] == before["main_0", "engine"] > 0
assert after["main_0", "new"] > 0
share = sum(after["main_0", g] - before.get(("main_0", g), 0) for g in ("ab", "old", "new"))
total = sum(n - before.get(k, 0) for k, n in after.items() if k[0] == "main_0")
assert .1 < share / total < .6, (share, total)
P2
"$AGON" train whole frames=23k "league.guests.engine=$engine" --quiet > /dev/null
"$AGON" league show whole > show.txt
grep -q "guest engine is back" show.txt || { cat show.txt; fail "it does not come back"; }

# what cannot be a guest is said before a folder is made
bad() { # CODE PATTERN KEY=VALUE...
  expect "$1" "$2" "$AGON" train tic_tac_toe frames=10k --run-dir bad "${@:3}"
  [ ! -e bad ] || fail "a folder was made for what cannot begin"
}
bad 2 "guest who: 'nobody' is no player from outside" league.guests.who=nobody
bad 2 "guest who in tic_tac_toe: the built-in 'scripted' cannot play" league.guests.who=scripted
bad 5 "guest who: .*nowhere.agon" league.guests.who=nowhere.agon
bad 7 "guest who in tic_tac_toe: the player exec:/nowhere/engine ended with exit code 127" league.guests.who=exec:/nowhere/engine
bad 2 "'main_0' is the name of a player that learns" league.guests.main_0=alphabeta-1
bad 2 "'main_0-000001' is the name of a player that learns" league.guests.main_0-000001=alphabeta-1
bad 2 "'random' is the name of a built-in player" league.guests.random=random
bad 2 "is no name of a guest" "league.guests.a b=random"
expect 2 "guest who in connect_four: old.agon: .* plays tic_tac_toe, not connect_four" "$AGON" train connect_four --run-dir bad league.guests.who=old.agon
expect 2 "has one team" "$AGON" train simple_spread --run-dir bad league.guests.who=random

# one that fails: which guest, in which game, where in it; all ranks end, by code 7
for how in rubbish dies; do
  for ranks in 1 3; do
    got=0
    mpi $ranks "$AGON" train tic_tac_toe frames=1M pace=lockstep actors.slots=48 actors.lanes=12 seed=5 --run-dir "bad-$how-$ranks" --quiet \
      "league.guests.who=exec:exec $python guests.py $how" > out.txt 2>&1 || got=$?
    [ $got = 7 ] || { cat out.txt; fail "$how on $ranks ranks: $got"; }
    grep -qE "guest who in tic_tac_toe, seed 5, slot [0-9]+, episode [0-9]+, step [0-9]+, agent [01]: the player exec:.*Came: " out.txt || { cat out.txt; fail "$how"; }
    [ "$(grep -c 'guest who in' out.txt)" = 1 ] || { cat out.txt; fail "$how: more than one error"; }
    # the league is saved by then, and goes on without it
    "$AGON" checkpoint verify "bad-$how-$ranks" > verify.txt || fail "$how: the league is not saved"
    grep -q '"reason": "a guest has failed"' "bad-$how-$ranks/status.json" || { cat "bad-$how-$ranks/status.json"; fail "$how: the state"; }
  done
done

mpi 3 "$AGON" train bad-dies-3 league.guests.who= frames=4k --quiet
"$AGON" league show bad-dies-3 | grep -q "guest who leaves" || fail "a run whose guest has died does not go on"

# populations for each side have one each
"$AGON" train tic_tac_toe frames=4k league.sides=separate league.guests.ab=alphabeta-2 actors.slots=32 actors.lanes=8 league.end_games=2 --run-dir sides --quiet
"$AGON" league show sides > show.txt
grep -q "^side0_ab " show.txt && grep -q "^side1_ab " show.txt || { cat show.txt; fail "a guest for each side"; }
