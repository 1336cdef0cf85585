#!/usr/bin/env bash
# Environments from shared objects: checked, trained with truncation, resumed; other ABIs and other files are refused.
. "$(dirname "$0")/common.sh"
coin=${PLUGINS:?}/libplugin_coin.so
expect 0 "all passed" "$AGON" env check "$coin" rounds=5
expect 0 "call the coin" "$AGON" env info "$coin"
# the whole plug-in of include/README.md is one
sed -n '/^```c$/,/^```$/p' "$root/include/README.md" | grep -v '^```' > pennies.c
cc -std=c11 -Wall -Wextra -Werror -shared -fPIC -I "$root/include" pennies.c -o pennies.so
expect 0 "all passed" "$AGON" env check pennies.so
mpi 2 "$AGON" train pennies.so --run-dir pennies net.hidden=[8] frames=5k > pennies.txt
# what is said to be typed next can be typed
next=$(sed -n 's/^.* next: .*; \(AGON_PLUGINS=.*\)agon eval/\1"$AGON" eval/p' pennies.txt)
eval "$next --games 20" | grep -q "^main_0  *vs random" || fail "what is said to come next: $next"
mkdir "two pennies"
cp pennies.so "two pennies/it's.so"
mpi 2 "$AGON" train "two pennies/it's.so" --run-dir "two pennies/run" net.hidden=[8] frames=5k > pennies.txt
next=$(sed -n 's/^.* next: .*; \(AGON_PLUGINS=.*\)agon eval/\1"$AGON" eval/p' pennies.txt)
eval "$next --games 20" | grep -q "^main_0  *vs random" || fail "what is said to come next: $next"
expect 2 "say so with AGON_PLUGINS='.*two pennies/it'.*s.so', or where" "$AGON" eval "two pennies/run" --players main_0,random --games 20
expect 7 "was built for env ABI 1, this program has ABI 2: change it as CHANGELOG.md says under 'Env ABI 2'" "$AGON" env check "$PLUGINS/libplugin_old.so"
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
expect 0 "gone: finished" "$AGON" status gone
expect 0 "main_0" "$AGON" watch gone --times 1
# a plug-in that was built anew shows by its bytes: what it left before is not mixed with it, unless somebody says so
mkdir lib
cp "$coin" lib/coin.so
"$AGON" train lib/coin.so env.rounds=5 net.hidden=[8] frames=20k actors.slots=32 actors.lanes=8 actors.eval_share=.5 league.frame_scale=1 \
  league.main_snapshot_max=4k league.main_snapshot_min=4k --run-dir kept --quiet
grep -qE "^# plug-in $PWD/lib/coin.so, XXH3 [0-9a-f]{32}, version 0 of its rules$" kept/config.yaml || fail "config.yaml does not say which plug-in"
export AGON_PLUGINS=lib/coin.so
"$AGON" eval kept --players main_0-000000,random --games 40 > /dev/null
"$AGON" eval kept --players main_0,random --games 20 --csv shared.csv --replays coins.jsonl > /dev/null
$python - <<'P'
import csv, glob, h5py, re
build = re.search("XXH3 ([0-9a-f]{32})", open("kept/config.yaml").read())[1]
for path in glob.glob("kept/checkpoints/*.h5") + glob.glob("kept/players/*.h5"):
    f = h5py.File(path, "r")
    text = {k: f["env/" + k][0].decode().rstrip("\0") for k in ("build", "plugin")}
    assert text["build"] == build and text["plugin"].endswith("/lib/coin.so") and "env/accepted" not in f, (path, text)
rows = list(csv.DictReader(open("kept/games.csv")))
assert rows and all(row["build"] == build for row in rows), rows
P
cp lib/coin.so first.so
printf x >> lib/coin.so
changed="kept was made with another build of the plug-in $PWD/lib/coin.so \(XXH3 [0-9a-f]{12} then, [0-9a-f]{12} now\): .*--accept-env"
for command in "train kept" "train lib/coin.so --run-dir kept --resume" "eval kept --players main_0,random" "match kept:main_0 random" "query kept" \
  "exploit kept --player main_0" "play kept" "probe kept --budget 1k" "eval --env lib/coin.so env.rounds=5 --players kept:main_0,random"; do
  expect 2 "$changed" "$AGON" $command
done
expect 2 "main_0-000000-.*.h5 was made with another build" "$AGON" eval --env lib/coin.so env.rounds=5 --players "$(ls kept/players/main_0-000000-*.h5),random"
"$AGON" train lib/coin.so env.rounds=5 net.hidden=[8] frames=4k actors.slots=32 actors.lanes=8 --run-dir fresh --quiet
expect 2 "shared.csv holds 1 lines of this game that another build of its plug-in played .*--accept-env takes them together" \
  "$AGON" eval fresh --players main_0,random --games 20 --csv shared.csv
[ "$(wc -l < shared.csv)" = 2 ] || fail "a refused evaluation wrote"
expect 0 "^20 games played now" "$AGON" eval fresh --players main_0,random --games 20 --csv shared.csv --accept-env --quiet
expect 2 "by two builds of its plug-in .*--accept-env" "$AGON" rate shared.csv
expect 0 " random .* 40 " "$AGON" rate shared.csv --accept-env
# once said at a resume it is written down: the run is of both builds, and the games of the first one count
expect 0 "main_0" "$AGON" eval kept --players main_0-000000,random --games 60 --accept-env
expect 0 "lines of games.csv are left out: another build of the plug-in played them" "$AGON" rate kept
"$AGON" rate kept --accept-env > rated.txt 2>&1
if grep -q "left out: another build" rated.txt; then fail "--accept-env leaves games out"; fi
first=$(sed -n 's/^# plug-in .*XXH3 //; s/, version 0 of its rules$//p' kept/config.yaml)
"$AGON" train kept frames=40k --accept-env --quiet 2> accepted.txt
grep -qE "warning: the plug-in .*/lib/coin.so is another build than before \(XXH3 .*\), taken for the same game" accepted.txt || { cat accepted.txt; fail "another build is taken silently"; }
expect 0 "^0 games played now" "$AGON" eval kept --players main_0-000000,random --games 60
"$AGON" rate kept > rated.txt 2>&1
if grep -q "left out: another build" rated.txt; then fail "accepted games are left out"; fi
$python - "$first" <<'P'
import glob, h5py, re, sys
f = h5py.File(sorted(glob.glob("kept/checkpoints/*.h5"))[-1], "r")
now = re.search("XXH3 ([0-9a-f]{32})", open("kept/config.yaml").read())[1]
text = {k: f["env/" + k][0].decode().rstrip("\0") for k in ("build", "accepted")}
assert text == {"build": now, "accepted": sys.argv[1]} and now != sys.argv[1], (text, now)
P
# a game that counts its rules is believed: another build of one version is the same game, another version is not
cp "$PLUGINS/libplugin_coin_v1.so" counted.so
(
  export AGON_PLUGINS=counted.so
  "$AGON" train counted.so env.rounds=5 net.hidden=[8] frames=4k actors.slots=32 actors.lanes=8 --run-dir counted --quiet
  "$AGON" eval counted --players main_0,random --games 20 --csv counted.csv > /dev/null
  grep -qE ",[0-9a-f]{32}/1," counted.csv || { cat counted.csv; fail "games.csv does not say which version"; }
  printf x >> counted.so
  expect 0 "^20 games played now" "$AGON" eval counted --players main_0,random --games 40 --csv counted.csv --quiet
  expect 0 "warning: the plug-in .*/counted.so is another build .*: the version of its rules is the same" "$AGON" train counted frames=9k --quiet
  cp "$PLUGINS/libplugin_coin_v2.so" counted.so
  for command in "train counted frames=20k" "eval counted --players main_0,random"; do
    expect 2 "counted was made under version 1 of the rules of .*/counted.so, this is version 2: .*--accept-env" "$AGON" $command
  done
  "$AGON" train counted frames=20k --accept-env --quiet 2> /dev/null
  grep -q "version 2 of its rules" counted/config.yaml || fail "the new version is not kept"
  expect 0 "main_0-000000" "$AGON" eval counted --players main_0-000000,main_0,random --games 20 --csv counted.csv
)
# run and plug-in have moved, each by itself: the file is known by its bytes, and its new place is the game's name from then on
mkdir -p elsewhere/lib
mv kept elsewhere/run
mv lib/coin.so elsewhere/lib/heads.so
(
  cd elsewhere
  expect 2 "names the plug-in lib/coin.so, whose code would run" "$AGON" eval run --players main_0,random --games 20
  export AGON_PLUGINS=/dev/null:lib/heads.so
  expect 0 "main_0" "$AGON" eval run --players main_0,main_0-000000,random --games 20
  expect 0 "report.html" "$AGON" report run
  mpi 2 "$AGON" train run frames=60k --quiet
  grep -q "^game: lib/heads.so  # AGON_PLUGINS" run/config.yaml || fail "the new place of a plug-in is not kept"
  unset AGON_PLUGINS
  mpi 2 "$AGON" train lib/heads.so --run-dir run --resume must frames=80k --quiet
  expect 0 "main_0-000001" "$AGON" league show run
)
# recorded games of a plug-in name it as it names itself; a file of this folder needs no ./ before its name
expect 2 "is of 'coin', which is no built-in game: name its plug-in" env AGON_PLUGINS=/dev/null:none.so "$AGON" replay coins.jsonl
expect 0 "^game 2: coin rounds=5, random against main_0" env AGON_PLUGINS=/dev/null:first.so "$AGON" replay coins.jsonl
expect 0 "all passed" "$AGON" env check first.so
expect 2 "cannot load the plug-in: ./none.so" "$AGON" env check none.so
unset AGON_PLUGINS
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
# one team plays by itself: no exploiters, no evaluation, nobody loses to somebody absent
crowd=$PLUGINS/libplugin_crowd.so
expect 0 "all passed" "$AGON" env check "$crowd" teams=3
mpi 2 "$AGON" train "$crowd" --run-dir alone frames=60k actors.slots=32 league.main_snapshot_min=2e8 league.main_snapshot_max=2e8 > alone.txt
grep -q "team .* one interest: no opponents" alone.txt || fail "one team has opponents"
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
expect 0 "^random +[0-9.]+ +\\[.*\\] +[0-9.]+ +0 +4 +4$" mpirun --oversubscribe --bind-to none -n 2 "$AGON" eval --env "$crowd" --players random --games 300
expect 0 "main_0, greedy .*nothing was random" "$AGON" eval alone --players main_0 --greedy
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
line = re.findall(r"to go, team return main_0 ([0-9.]+)|, team return main_0 ([0-9.]+)", open("alone.txt").read())[-1]
assert 2 < float(line[0] or line[1]) <= 4, line
page = open("alone/report.html").read()
assert "One team plays" in page and re.search(r"main_(<wbr>)?0: team return", page), "report"
assert re.search(r"main_0 return +[0-9.]+", open("watch.txt").read()), "watch"
P
expect 2 "one team, so there is nobody to be matched with: league.main_exploiters 1" "$AGON" train "$crowd" league.main_exploiters=1 --run-dir none
expect 2 "one team.* league.main_rule alphastar" "$AGON" train "$crowd" league.main_rule=alphastar --run-dir none
[ ! -e none ] || fail "a refused job left a folder"
echo passed
