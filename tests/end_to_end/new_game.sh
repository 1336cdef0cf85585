#!/usr/bin/env bash
# agon env new: each template as a plug-in is built as it says, keeps its contract, trains, is played by a person and by rule; as a
# built-in game it compiles and is listed. Nothing that is there is written over, and wrong names are refused.
. "$(dirname "$0")/common.sh"
for kind in board cards simultaneous team; do
  expect 0 "^written: my_$kind/my_$kind.c, my_$kind/CMakeLists.txt$" "$AGON" env new "my_$kind" --template "$kind"
  (
    cd "my_$kind"
    # a program that was built elsewhere does not find the headers beside it
    { cmake -S . -B build -D AGON_INCLUDE="$root/include" -D CMAKE_C_FLAGS=-Werror && cmake --build build; } > build.txt 2>&1 ||
      { cat build.txt; fail "$kind does not build"; }
    expect 0 "^my_$kind: 200 episodes, .* all passed" "$AGON" env check "./my_$kind.so"
    expect 0 "^my_$kind: " "$AGON" env info "./my_$kind.so"
    mpi 2 "$AGON" train "./my_$kind.so" --run-dir run net.hidden=[8] frames=4k > train.txt
    # what the job says that may be typed next can be
    next=$(sed -n 's/^.* next: .*; \(AGON_PLUGINS=[^;]*\)agon eval/\1"$AGON" eval/p' train.txt | sed 's/;.*//')
    eval "$next --games 20" > eval.txt || { cat eval.txt; fail "what is said to come next: $next"; }
    grep -q "^main_0" eval.txt || { cat eval.txt; fail "nothing of main_0 ($next)"; }
    [ "$kind" = team ] || expect 0 "^scripted " "$AGON" eval --env "./my_$kind.so" --players scripted,random --games 20
  )
  grep -q "my_game" "my_$kind/my_$kind.c" "my_$kind/CMakeLists.txt" && fail "the template's own name is left in $kind"
done
# the rule is better than chance, and chance games are walked exactly
AGON_PLUGINS= $python - "$AGON" << 'P'
import json, subprocess, sys
def agon(*words): return subprocess.run([sys.argv[1], *words], capture_output=True, text=True, check=True).stdout
for kind in ("board", "cards", "simultaneous"):
    out = agon("eval", "--env", f"./my_{kind}/my_{kind}.so", "--players", "scripted,random", "--games", "400", "--json")
    score = json.loads(out)["pairs"][0]["score"]
    assert score > .55, (kind, score)
P
expect 0 "value by seat" "$AGON" exploit --env my_cards/my_cards.so ranks=3
expect 0 "value by seat" "$AGON" exploit --env my_simultaneous/my_simultaneous.so rounds=2 coins=3
# a person plays, without a terminal
printf 'front\nrear\nq\n' | "$AGON" play my_board/my_board.so --player scripted --seed 1 > board.txt
grep -q "x throws" board.txt || { cat board.txt; fail "board: not played"; }
printf 'keep\nbet\nbet\nq\n' | "$AGON" play my_cards/my_cards.so --player scripted --seed 1 > cards.txt
grep -q "you hold" cards.txt && grep -qE "(you won|you lost|drawn); returns" cards.txt || { cat cards.txt; fail "cards: not played"; }
printf '2\n2\n0\nq\n' | "$AGON" play my_simultaneous/my_simultaneous.so --player scripted --seed 1 > bids.txt
grep -qE "(you won|you lost|drawn); returns" bids.txt || { cat bids.txt; fail "bids: not played"; }
"$AGON" play my_team/my_team.so --seat none --player scripted --seed 1 > team.txt < /dev/null
grep -q "step 25 of 25, [1-9]" team.txt || { cat team.txt; fail "team: not played"; }
expect 2 "needed=3 of agents=2: no fire would go out" "$AGON" env check my_team/my_team.so needed=3
# refused, and nothing is changed
cp my_board/my_board.c before.c
expect 2 "^agon env: ./my_board is there already, and nothing was written" "$AGON" env new my_board --template cards
cmp before.c my_board/my_board.c
expect 2 "'connect_four' is a built-in game" "$AGON" env new connect_four
expect 2 "'My-Game' is no name for a game" "$AGON" env new My-Game
expect 2 "'../up' is no name for a game" "$AGON" env new ../up
expect 2 "is no name for a game" "$AGON" env new "$(printf 'a%.0s' $(seq 64))"
expect 2 "no template 'poker': there are board, cards, simultaneous, team" "$AGON" env new other --template poker
expect 2 "new takes one name" "$AGON" env new
expect 2 "not both" "$AGON" env new other --plugin --builtin
expect 2 "other is no checkout of agon|. is no checkout of agon" "$AGON" env new other --builtin
for name in other My-Game up; do [ ! -e "$name" ] || fail "$name was made"; done
mkdir shut
expect 0 "^written: shut/in it/other/other.c" "$AGON" env new other --in "shut/in it"
# as a built-in game: its own file and a line in two others; both compile, and the list names the table that the file has
mkdir -p tree/tests/conformance
cp -r "$root/src" "$root/include" tree
cp "$root/tests/conformance/test_env.c" tree/tests/conformance
for kind in board cards simultaneous team; do
  expect 0 "^written: src/env/games/own_$kind.c, and its lines" "$AGON" env new "own_$kind" --builtin --in tree --template "$kind"
  expect 2 "own_$kind.c is there already" "$AGON" env new "own_$kind" --builtin --in tree
  cc -std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I tree/include -c "tree/src/env/games/own_$kind.c" -o "own_$kind.o"
  nm "own_$kind.o" | grep -q " R env_own_$kind$\| D env_own_$kind$" || { nm "own_$kind.o"; fail "no table env_own_$kind"; }
  nm "own_$kind.o" | grep -q "agon_env" && fail "what only a plug-in has is left"
  grep -q "{\"own_$kind\", {NULL}, 0}," tree/tests/conformance/test_env.c || fail "not among the games that are tested"
done
expect 2 "env_create is a function" "$AGON" env new create --builtin --in tree
cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -I tree/include -I tree/src -I tree -c tree/src/env/env.c -o env.o
for kind in board cards simultaneous team; do nm env.o | grep -q "U env_own_$kind$" || fail "own_$kind is not listed"; done
[ "$(diff "$root/src/env/env.c" tree/src/env/env.c | grep -c '^[<>]')" = 4 ] || fail "more than four lines of env.c have changed"
[ "$(awk '{ if (length > most) most = length } END { print most }' tree/src/env/env.c)" -le 100 ] || fail "a line of env.c is too wide"
sed -i '/any line goes by itself/d' tree/src/env/env.c
expect 4 "has no line '.*', so nothing was written; it needs: *EACH\(late\)" "$AGON" env new late --builtin --in tree
[ ! -e tree/src/env/games/late.c ] || fail "written all the same"
