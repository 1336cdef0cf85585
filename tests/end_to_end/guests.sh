#!/usr/bin/env bash
# Players from outside: programs that are asked (exec:COMMAND) and exported files, in eval, match, play and query; what goes
# wrong with them is one sentence, and none of them is left behind.
. "$(dirname "$0")/common.sh"
engine="exec:exec $python $here/guests.py"

# a perfect player is one: no game lost, also against another perfect one; the same games again are the same
expect 0 "L: 0 " "$AGON" match "$engine perfect" random --env tic_tac_toe --games 60 --replays one.jsonl
grep -q '"line"' one.jsonl || fail "no games"
"$AGON" match "$engine perfect" random --env tic_tac_toe --games 60 --replays two.jsonl > /dev/null
cmp one.jsonl two.jsonl || fail "the same games are not the same"
$python - << 'P' || fail "the perfect player lost, or played itself another way"
import json
for line in open("one.jsonl"):
    game = json.loads(line)
    assert len(game["line"].split()) >= 5, game
P
"$AGON" match "$engine perfect" minimax --env tic_tac_toe --games 40 > drawn.txt
grep -q "W: 0 *L: 0 *D: 40" drawn.txt || { cat drawn.txt; fail "a perfect player against minimax is drawn"; }

# several in a tournament, on ranks too, filed under the name that they give themselves
"$AGON" eval --env tic_tac_toe --players "$engine perfect,$engine first,random" --games 20 --csv games.csv --quiet > table.txt
grep -q "exec:perfect@" table.txt || { cat table.txt; fail "its name"; }
mpi 2 "$AGON" eval --env tic_tac_toe --players "$engine perfect,$engine first,random" --games 20 --csv ranks.csv --quiet > /dev/null
cut -d, -f1-12 games.csv | sort > alone.txt
cut -d, -f1-12 ranks.csv | sort | cmp - alone.txt || fail "another tournament on two ranks"
# of several components, of numbers, of teams
"$AGON" match "exec:$python $root/deploy/python/engine.py" random --env goofspiel cards=4 --games 20 > /dev/null
expect 0 "mean" "$AGON" eval --env simple_spread --players "exec:$python $root/deploy/python/engine.py,random" --games 4
expect 0 "mean" "$AGON" eval --env simple_spread env.actions=box --players "exec:$python $root/deploy/python/engine.py" --games 4
expect 0 "exec:perfect.* \(agent 1\)" bash -c "printf '?\n4\n' | '$AGON' play tic_tac_toe --player '$engine perfect'"
printf '4\n4 0\n' | "$AGON" query --env tic_tac_toe --player "$engine perfect" --json > asked.json
[ "$(grep -c '"best"' asked.json)" = 2 ] || fail "a program that is queried"

# what goes wrong: what was sent, what came, and code 7
bad() { # HOW PATTERN
  expect 7 "$2" "$AGON" match "${engine/exec:/exec${3:-}:} $1" random --env tic_tac_toe --games 20
  [ "$(grep -c "exec:" out.txt)" = 1 ] || { cat out.txt; fail "$1: more than one error"; }
}
bad rubbish 'answered what is no JSON object on a line. Sent: \{"id":3,"agent":[01],"observation":\[.* Came: e2e4'
bad illegal 'answered an action that is not legal. .* Came: \{"id":3,"action":77\}'
bad astray 'without the id of the question, or with another one'
bad empty 'answered without an action'
bad two 'an action of another number of components'
bad real 'an action that is no whole number'
bad dies 'ended with exit code 9 before it answered. Sent: \{"id":4,.* Came: nothing'
bad never 'did not answer within 0.5 s .*Sent: \{"id":1,.* Came: nothing' @0.5
bad refuses 'does not want to play. Sent: \{"agon":.* Came: \{"error":"this is not chess"\}'
bad old 'did not answer \{"protocol":1\} to the hello'
expect 7 "ended with exit code 127 before it answered" "$AGON" match exec:/nowhere/engine random --env tic_tac_toe
expect 2 "'exec:' is no program" "$AGON" match "exec: " random --env tic_tac_toe
expect 2 "'exec@x:true' is no program" "$AGON" match exec@x:true random --env tic_tac_toe
expect 7 "ended with exit code 0 before it answered" "$AGON" match exec:true random --env tic_tac_toe
expect 2 "the built-in 'exec' has no exact probabilities" "$AGON" exploit --env kuhn_poker --player "$engine first"

# one that does not go is ended, with what it has started
"$AGON" match "$engine stays" random --env tic_tac_toe --games 4 > /dev/null
living() { ps -eo pgid=,stat= | awk -v group="$1" '$1 == group && $2 !~ /^Z/' | wc -l; }
[ "$(living "$(ps -o pgid= $$ | tr -d ' ')")" -gt 0 ] || fail "the processes of a group are not seen"
[ "$(living "$(cat stays.txt)")" = 0 ] || fail "a program was left behind"

# exported files play as who was exported does
"$AGON" train tic_tac_toe frames=12k pace=lockstep actors.slots=32 actors.lanes=8 league.end_games=0 --run-dir run --quiet
"$AGON" export run --output main.agon > /dev/null
expect 0 "main_0.agon" "$AGON" match main.agon random --env tic_tac_toe --games 40
"$AGON" eval run --players main_0,main.agon,random --games 20 --csv none --quiet > table.txt
grep -q "main_0.agon@" table.txt || { cat table.txt; fail "an exported file in a tournament"; }
printf '\n4\n4 0\n' | "$AGON" query run --player main_0 --json > own.json
printf '\n4\n4 0\n' | "$AGON" query --env tic_tac_toe --player main.agon --json > exported.json
$python - << 'P' || fail "an exported file decides otherwise"
import json
for a, b in zip(open("own.json"), open("exported.json"), strict=True):
    a, b = (json.loads(x)["agents"][0]["probabilities"] for x in (a, b))
    assert max(abs(x - y) for x, y in zip(a, b)) < 1e-5, (a, b)
P
"$AGON" match main.agon run:main_0 --greedy > /dev/null
expect 0 "main_0.agon.* \(agent 1\)" bash -c "printf '?\n4\n' | '$AGON' play tic_tac_toe --player main.agon"
"$AGON" exploit run --player main_0 --json > own.json
"$AGON" exploit --env tic_tac_toe --player main.agon --json > exported.json
$python - << 'P' || fail "an exported file is beaten by something else"
import json, re
a, b = (float(re.search(r'"nash_conv": *([-0-9.e]+)', open(f).read()).group(1)) for f in ("own.json", "exported.json"))
assert abs(a - b) < 1e-4, (a, b)
P
expect 2 "main.agon: main_0 plays tic_tac_toe, not connect_four" "$AGON" match main.agon random --env connect_four
head -c 2000 main.agon > torn.agon
expect 4 "torn.agon: .*it has 2000 bytes of" "$AGON" match torn.agon random --env tic_tac_toe
expect 5 "nowhere.agon" "$AGON" match nowhere.agon random --env tic_tac_toe
"$AGON" train kuhn_poker frames=3k net.memory=gru net.memory_size=8 pace=lockstep actors.slots=32 actors.lanes=8 league.end_games=0 --run-dir gru --quiet
"$AGON" export gru --output gru.agon > /dev/null
expect 2 "remembers what it saw" "$AGON" match gru.agon random --env kuhn_poker
