#!/usr/bin/env bash
# usage: tests/removable.sh
# What is added by a file and a line goes by the same: in a copy of the tree one algorithm, one game, one command, one
# metrics sink and one rule of matchmaking are taken out, each by itself; what is left builds and passes the unit and
# conformance tests, and lists the name no more. And with a game that 'agon env new --builtin' adds it does, too. It takes some minutes (ccache makes them fewer), so ctest does not run it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
restore() { # FILE...: as they are in the tree; with a new time, so that they are built again
  for file in "$@"; do cp "$root/$file" "$copy/tree/$file"; done
}
drop_line() { # PATTERN FILE: exactly one line goes
  local count
  count=$(grep -cE -- "$1" "$2") || true
  [ "$count" = 1 ] || fail "$2 has $count lines of '$1', not one"
  sed -i -E "/$1/d" "$2"
}
builds() { # WHAT
  if ! { cmake -S "$copy/tree" -B "$copy/build" -G Ninja -DAGON_TESTS=ON -DAGON_CHECKED=ON && cmake --build "$copy/build"; } > "$copy/log" 2>&1; then
    grep -E "error|warning|FAILED" -A4 "$copy/log" | head -40
    fail "without $1 it does not build"
  fi
  (cd "$copy/build" && ctest -j 2 -R '^(unit|conformance_env|conformance_algo)' --output-on-failure) > "$copy/log" 2>&1 ||
    { tail -60 "$copy/log"; fail "a test does not pass without $1"; }
  echo "without $1: builds and passes"
}
gone() { # PATTERN COMMAND...: it is listed no more
  local pattern=$1; shift
  "$copy/build/agon" "$@" > "$copy/said" 2>&1
  if grep -qE -- "$pattern" "$copy/said"; then fail "'agon $*' still has '$pattern'"; fi
}
export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER-$(command -v ccache || true)} CCACHE_BASEDIR=$copy CCACHE_NOHASHDIR=1
mkdir "$copy/tree"
git -C "$root" ls-files -z | tar -C "$root" --null -T - -c | tar -C "$copy/tree" -x
cd "$copy/tree"

files="learner/algos/impala.c learner/algos/algos.c"
rm learner/algos/impala.c
drop_line '^ *EACH\(impala\)' learner/algos/algos.c
builds "the algorithm impala"
gone '^## impala' config schema
restore $files

files="src/env/games/liars_dice.c src/env/env.c"
rm src/env/games/liars_dice.c
drop_line '^ *EACH\(liars_dice\)' src/env/env.c
builds "the game liars_dice"
gone '^liars_dice' env list
restore $files

"$copy/build/agon" env new own_game --builtin --in "$copy/tree" --template cards
builds "nothing, and with own_game"
"$copy/build/agon" env list | grep -q '^own_game ' || fail "a game that was added is not listed"
"$copy/build/agon" train own_game frames=1k 'net.hidden=[4]' --run-dir "$copy/own" --quiet
rm src/env/games/own_game.c
restore src/env/env.c tests/conformance/test_env.c

files="src/cli/cmd_replay.c src/cli/commands.c"
rm src/cli/cmd_replay.c
drop_line '^ *EACH\(replay\)' src/cli/commands.c
builds "the command replay"
gone '^  replay' help
restore $files

files="src/metrics/tensorboard.c src/metrics/sinks.c"
rm src/metrics/tensorboard.c
drop_line '^ *EACH\(tensorboard\)' src/metrics/sinks.c
builds "the sink tensorboard"
"$copy/build/agon" train tic_tac_toe frames=1k 'net.hidden=[4]' --run-dir "$copy/run" --quiet
[ -s "$copy/run/metrics.jsonl" ] && [ ! -e "$copy/run/tb" ] || fail "the sinks that are left"
restore $files

# a rule is a function and its line; the presets that name it go as well
files="league/matchmaking.c league/league.h league/options.c"
sed -i '/^static void offer_alpharank/,/^}/d' league/matchmaking.c
drop_line '^ *EACH\(alpharank\)' league/league.h
sed -i 's/|alpharank//' league/league.h
sed -i '/^    {"alpharank", /d' league/options.c
builds "the rule alpharank"
"$copy/build/agon" train tic_tac_toe league.preset=alpharank --run-dir "$copy/none" > "$copy/said" 2>&1 && fail "a preset that is gone is taken"
grep -q "'alpharank' is not one of" "$copy/said" || fail "$(cat "$copy/said")"
restore $files
echo passed
