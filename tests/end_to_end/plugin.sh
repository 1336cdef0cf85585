#!/usr/bin/env bash
# Environments from shared objects: checked, trained with truncation, resumed; other ABIs and other files are refused.
. "$(dirname "$0")/common.sh"
coin=${PLUGINS:?}/libplugin_coin.so
expect 0 "all passed" "$AGON" env check "$coin" rounds=5
expect 0 "call the coin" "$AGON" env info "$coin"
expect 7 "was built for env ABI 2, this program has 1" "$AGON" env check "$PLUGINS/libplugin_old.so"
expect 2 "cannot load the plug-in" "$AGON" env check ./nothing.so
expect 7 "exports no function 'agon_env'" "$AGON" env check "$(ldconfig -p | awk '/libz\.so|libm\.so/ {print $NF; exit}')"
mpi 2 "$AGON" train "$smoke" game="$coin" --run-dir coin frames=10k --quiet
mpi 3 "$AGON" train "$smoke" game="$coin" --run-dir coin frames=20k --resume must --quiet
expect 0 "main_0" "$AGON" eval coin --players main_0,random --games 20
# walks of games that are deep, come back to a position, or are not what they say
track=$PLUGINS/libplugin_track.so
expect 0 "all passed" "$AGON" env check "$track" kind=counted
expect 0 "^60001 histories without chance" "$AGON" env tree "$track" length=60000
expect 0 "value by seat -1.000000 \+1.000000" "$AGON" exploit --env "$track" length=60000
expect 2 "deeper than 65535 moves" "$AGON" env tree "$track" length=70000
expect 0 "^101 histories without chance" "$AGON" env tree "$track" length=70000 --depth 100
for command in "env tree" "exploit --env"; do
  expect 2 "a position comes again on its own path \([0-9]+ moves down\)" "$AGON" $command "$track" kind=dice
  expect 7 "goes on beyond its step_limit of 15 steps" "$AGON" $command "$track" kind=endless length=30
done
expect 0 "^3171 histories without chance" "$AGON" env tree "$track" kind=counted
expect 2 "what is seen of a position comes again on its own path" "$AGON" exploit --env "$track" kind=counted
# one team plays by itself: no exploiters, no evaluation, nobody loses to somebody absent; three cannot be trained
crowd=$PLUGINS/libplugin_crowd.so
expect 0 "all passed" "$AGON" env check "$crowd" teams=3
mpi 2 "$AGON" train "$crowd" --run-dir alone frames=60k actors.slots=32 league.main_snapshot_min=2e8 league.main_snapshot_max=2e8 > alone.txt
grep -q "self-play: 1 main, 0 main exploiter, 0 league exploiter" alone.txt || fail "one team has opponents"
"$AGON" league show alone --json > alone.json
$python - <<'P'
import json
league = json.load(open("alone.json"))
assert league["payoff"] == [] and len(league["players"]) >= 3, league
assert all(p["name"].startswith("main_0") for p in league["players"])
P
mpi 1 "$AGON" train "$crowd" --run-dir alone frames=80k --resume must --quiet
expect 2 "one team, so there is nobody to be matched with: league.main_exploiters 1" "$AGON" train "$crowd" league.main_exploiters=1 --run-dir none
expect 2 "one team.* league.main_rule alphastar" "$AGON" train "$crowd" league.main_rule=alphastar --run-dir none
expect 2 "has 3 teams: .* only envs with one or two teams" "$AGON" train "$crowd" env.teams=3 --run-dir none
[ ! -e none ] || fail "a refused job left a folder"
echo passed
