#!/usr/bin/env bash
# players: {NAME: {...}}: who has a rate of 0 learns nothing while the others do, who has no share plays nothing at home;
# in pieces the same as in one; a name that changes takes its settings along.
. "$(dirname "$0")/common.sh"
cat > own.yaml << 'Y'
game: tic_tac_toe
net: {hidden: [16]}
actors: {slots: 16, lanes: 8, unroll: 16}
league: {mains: 2, frame_scale: 1, end_games: 0, main_snapshot_min: 1k, main_snapshot_max: 1k}
players:
  main_exploiter: {rate: 0, rate_end: 0}
  main_1: {share: 0}
  main_0: {snapshot_min: 500, snapshot_max: 500}
Y
expect 0 "main_1.share: 0  # own.yaml:7:" "$AGON" config show own.yaml
expect 2 "no player 'boss' learns" "$AGON" config check own.yaml players.boss.rate=0.1
expect 2 "no player 'boss' learns" "$AGON" train own.yaml --run-dir none players.boss.rate=0.1
[ ! -e none ] || fail "a folder was made for a player that there is not"
for pace in lockstep pipelined; do
  timeout 120 "$AGON" train own.yaml --run-dir $pace frames=4k pace=$pace checkpoint.ticks=3 checkpoint.keep=99 --quiet
  grep -q "main_exploiter.rate: 0  # own.yaml:6:" $pace/config.yaml || { cat $pace/config.yaml; fail "config.yaml does not say it"; }
  for ticks in 1 2 3; do
    timeout 120 "$AGON" train own.yaml --run-dir pieces-$pace --resume auto frames=4k pace=$pace checkpoint.ticks=3 checkpoint.keep=99 max_seconds=0.001 --quiet
  done
  timeout 120 "$AGON" train pieces-$pace frames=4k --quiet
  same $pace pieces-$pace || fail "in pieces it differs ($pace)"
  "$AGON" league show $pace --json > show.json
  $python - $pace << 'P'
import glob, h5py, json, sys
files = sorted(glob.glob(sys.argv[1] + "/checkpoints/*.h5"))
first, last = h5py.File(files[0], "r"), h5py.File(files[-1], "r")
weights = lambda f, name: f[f"players/{name}/policy"][()].tobytes()
assert weights(first, "main_exploiter_0") == weights(last, "main_exploiter_0")
for name in ("main_0", "league_exploiter_0"): assert weights(first, name) != weights(last, name), name
players = {p["name"]: p for p in json.load(open("show.json"))["players"]}
assert players["main_1"]["frames"] == 0 and players["main_0"]["frames"] > 1000
assert players["main_exploiter_0"]["frames"] > 0 # it plays, and is taught nothing
assert sum(name.startswith("main_0-") for name in players) >= 3 # frozen by its own rule
P
done
run=lockstep
expect 0 "rename main_exploiter_0 to hunter" "$AGON" league rename $run main_exploiter_0 hunter
timeout 120 "$AGON" train $run frames=5k players.hunter.rate=0.01 players.hunter.rate_end=0.01 --quiet
grep -q "hunter.rate: 0.01  # command line" $run/config.yaml || fail "a player of the run is not known"
expect 0 "rename hunter to seeker" "$AGON" league rename $run hunter seeker
grep -q "  seeker.rate: 0.01" $run/config.yaml || { cat $run/config.yaml; fail "the settings did not go along"; }
if grep -q "hunter" $run/config.yaml; then fail "the old name is still there"; fi
expect 2 "no player 'hunter' learns" "$AGON" train $run frames=6k players.hunter.rate=0.01
timeout 120 "$AGON" train $run frames=6k --quiet
# a pool of the strongest, matches from which both learn, and more learning players than there could be once
many="league.mains=70 league.main_exploiters=0 league.pool=40 league.pool_rule=strongest league.away_learns=live"
timeout 120 "$AGON" train tic_tac_toe --run-dir many 'net.hidden=[8]' actors.slots=16 actors.lanes=8 league.end_games=0 frames=6k $many \
  checkpoint.ticks=2 checkpoint.keep=99 --quiet
for job in 1 2; do
  timeout 120 "$AGON" train tic_tac_toe --run-dir many-pieces --resume auto 'net.hidden=[8]' actors.slots=16 actors.lanes=8 league.end_games=0 \
    frames=6k $many checkpoint.ticks=2 checkpoint.keep=99 max_seconds=0.001 --quiet
done
timeout 120 "$AGON" train many-pieces frames=6k --quiet
same many many-pieces league/benched players/main_69/policy || fail "with a pool it differs in pieces"
"$AGON" checkpoint verify many > /dev/null || fail "a league of 70 mains is not whole"
echo passed
