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
# a path in a file opens nothing: whoever plays names the plug-in
for play in "eval coin --players main_0,random --games 20" "exploit coin --player main_0"; do
  expect 2 "names the plug-in .*libplugin_coin.so, whose code would run.*AGON_PLUGINS=" "$AGON" $play
done
expect 2 "AGON_PLUGINS" env AGON_PLUGINS=/dev/null:./x "$AGON" eval coin --players main_0,random --games 20
export AGON_PLUGINS=/dev/null:$coin
expect 0 "main_0" "$AGON" eval coin --players main_0,random --games 20
expect 0 "main_0" "$AGON" league show coin
unset AGON_PLUGINS
# whoever looks needs none of its code, not even the file: the run knows what there is to know of the game
cp "$coin" ./gone.so
"$AGON" train ./gone.so env.rounds=5 net.hidden=[8] frames=20k actors.slots=32 actors.lanes=8 actors.eval_share=.5 league.frame_scale=1 \
  league.main_snapshot_max=4k league.main_snapshot_min=4k --run-dir gone --quiet
AGON_PLUGINS=./gone.so "$AGON" eval gone --players main_0,main_0-000000,random --games 40 > /dev/null
mv gone.so moved.so
expect 0 "main_0-000001" "$AGON" league show gone
expect 0 "coin" "$AGON" league show gone
expect 0 "random " "$AGON" rate gone
expect 0 "report.html" "$AGON" report gone
grep -q "<code>env.rounds</code></td><td><code>5<" gone/report.html || fail "the report lacks the game's options"
"$AGON" league dryrun gone --json > dry.json
"$AGON" league dryrun gone --preset alphastar-paper > /dev/null
"$AGON" rate gone --json > looked.json
mv moved.so gone.so
$python - "$AGON" <<'P'
import json, os, subprocess, sys
dry, looked = json.load(open("dry.json")), json.load(open("looked.json"))
row = {p["player"]: p for p in looked["players"]}
games = json.loads(subprocess.run([sys.argv[1], "rate", "gone/games.csv", "--json"], capture_output=True, text=True, check=True).stdout)
sampled = {p["player"].split("@")[0]: p["games"] for p in games["players"]}
# those of games.csv under this game's own title count among the run's
assert row["main_0-000000"]["games"] >= sampled["main_0-000000"] > 0, (row, sampled)
assert sorted(dry["law"]) == ["league_exploiter_0", "main_0", "main_exploiter_0"], dry
P
expect 2 "cannot load the plug-in" env AGON_PLUGINS=./moved.so "$AGON" train ./moved.so --run-dir none
expect 2 "names the plug-in ./gone.so, whose code would run" "$AGON" eval gone --players main_0,random --games 20
echo '{"env":"'"$coin"'","players":["a","b"],"seed":1,"game":0,"line":"","outcome":[0.5,0.5]}' > made_up.jsonl
expect 2 "the recorded game names the plug-in" "$AGON" replay made_up.jsonl
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
# a box of actions: the env fails whoever acts outside, and near the target one must be to beat random
aim=$PLUGINS/libplugin_aim.so
expect 0 "all passed" "$AGON" env check "$aim"
"$AGON" train "$aim" net.hidden=[32] frames=60k actors.slots=64 actors.unroll=8 learner.rate=0.003 learner.rate_end=0.001 --run-dir aim --quiet
AGON_PLUGINS=$aim "$AGON" eval aim --players main_0,random --games 200 --json > aim.json
$python -c "import json; p=json.load(open('aim.json'))['pairs'][0]; assert p['score'] >= .97 or p['score'] <= .03, p"
# one team plays by itself: no exploiters, no evaluation, nobody loses to somebody absent; three cannot be trained
crowd=$PLUGINS/libplugin_crowd.so
expect 0 "all passed" "$AGON" env check "$crowd" teams=3
mpi 2 "$AGON" train "$crowd" --run-dir alone frames=60k actors.slots=32 league.main_snapshot_min=2e8 league.main_snapshot_max=2e8 > alone.txt
grep -q "self-play: 1 main, 0 main exploiter, 0 league exploiter" alone.txt || fail "one team has opponents"
AGON_PLUGINS=$crowd "$AGON" league show alone --json > alone.json
$python - <<'P'
import json
league = json.load(open("alone.json"))
assert league["payoff"] == [] and len(league["players"]) >= 3, league
assert all(p["name"].startswith("main_0") for p in league["players"])
P
mpi 1 "$AGON" train "$crowd" --run-dir alone frames=80k --resume must --quiet
# how well it goes is what its episodes return: exactly Binomial(4, 1/2) at random, with mean 2 and variance 1
export AGON_PLUGINS=$crowd # to play is to run its code: the user names it
"$AGON" eval alone --players main_0,random,main_0-000000 --games 500 --json > returns.json
expect 0 "^random +mean return [0-9.]+ \\[.*\\]  deviation [0-9.]+, 300 episodes of 4 steps, from 0 to 4" mpirun --oversubscribe --bind-to none -n 2 "$AGON" eval --env "$crowd" --players random --games 300
expect 0 "main_0 .*mean return .*nothing was random" "$AGON" eval alone --players main_0 --greedy
expect 2 "one team plays here: --versus" "$AGON" eval alone --players main_0 --versus random
expect 0 "report.html" "$AGON" report alone
"$AGON" watch alone --times 1 > watch.txt
$python - <<'P'
import json, re
p = {x["player"]: x for x in json.load(open("returns.json"))["players"]}
r, m = p["random"], p["main_0"]
assert r["episodes"] == 500 and r["mean_return_low"] < 2 < r["mean_return_high"] and abs(r["deviation"] - 1) < 0.1, r
half = 1.96473 * r["deviation"] / 500 ** 0.5  # Student's t, 499 degrees of freedom
assert abs(r["mean_return_high"] - r["mean_return"] - half) < 1e-5, (r, half)
assert m["mean_return_low"] > r["mean_return_high"], p
status = json.load(open("alone/status.json"))
main = status["players"][0]
assert status["teams"] == 1 and main["rating"] is None and main["return"]["episodes"] > 0
last = [json.loads(l) for l in open("alone/metrics.jsonl")][-1]
assert r["mean_return"] < last["main_0/mean_return"] <= 4 and last["main_0/return_deviation"] < 1.1 and "main_0/rating/elo" not in last
line = re.search(r"players, return main_0 ([0-9.]+), deviation ([0-9.]+), [0-9.]+( k)? episodes;", open("alone.txt").read())
assert line and 2 < float(line[1]) <= 4, line
page = open("alone/report.html").read()
assert "One team plays" in page and re.search(r"main_<wbr>0: mean return|main_0: mean return", page), "report"
assert re.search(r"main_0 .*deviation", open("watch.txt").read()), "watch"
P
expect 2 "one team, so there is nobody to be matched with: league.main_exploiters 1" "$AGON" train "$crowd" league.main_exploiters=1 --run-dir none
expect 2 "one team.* league.main_rule alphastar" "$AGON" train "$crowd" league.main_rule=alphastar --run-dir none
expect 2 "has 3 teams: .* only envs with one or two teams" "$AGON" train "$crowd" env.teams=3 --run-dir none
[ ! -e none ] || fail "a refused job left a folder"
echo passed
