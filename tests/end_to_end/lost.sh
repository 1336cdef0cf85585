#!/usr/bin/env bash
# A frozen player whose file is missing or damaged bricks no run: it is marked lost, nobody meets it, and it is met again once its
# file is back.
. "$(dirname "$0")/common.sh"
keys="tic_tac_toe net.hidden=[16] actors.slots=32 actors.lanes=8 actors.eval_share=.25 league.frame_scale=1 league.main_snapshot_min=5k
  league.main_snapshot_max=6k league.end_games=4"
mpi 2 "$AGON" train $keys frames=60k --run-dir run --quiet
players=(run/players/main_0-00000*.h5)
[ ${#players[@]} -ge 5 ] || fail "too few snapshots: ${players[*]}"
cp -r run before
mv "${players[1]}" away.h5
printf x | dd of="${players[2]}" bs=1 seek=2000 conv=notrunc status=none
one=$(basename "${players[1]}" | sed 's/-[0-9a-f]*.h5//') two=$(basename "${players[2]}" | sed 's/-[0-9a-f]*.h5//')
expect 5 "$one" "$AGON" checkpoint verify run
expect 0 "2 would be marked lost, 0 found; nothing was written" "$AGON" checkpoint repair run --dry-run
cp -r run by_hand
expect 0 "^$two is lost: its file is missing or damaged" "$AGON" checkpoint repair by_hand
expect 0 "is whole: .*; 2 players are lost" "$AGON" checkpoint verify by_hand
expect 0 "nothing is to be done" "$AGON" checkpoint repair by_hand
expect 2 "goes with repair" "$AGON" checkpoint verify run --dry-run
# a resume does it by itself, on any number of ranks and in the middle of games against them; the end's games leave them out
mpi 2 "$AGON" train run frames=150k > resumed.txt 2>&1 || { cat resumed.txt; fail "a run is bricked by a lost player"; }
for who in "$one" "$two"; do
  grep -q "warning: $who is lost, and met no more: .*run/players/$who" resumed.txt || { cat resumed.txt; fail "nobody is told of $who"; }
done
expect 0 "is whole: .*; 2 players are lost" "$AGON" checkpoint verify run
expect 0 "^$one .* lost " "$AGON" league show run
grep -q "$one is lost: its file is missing" out.txt || { cat out.txt; fail "the lineage does not say it"; }
expect 0 "report.html" "$AGON" report run
grep -q "reason: lost" run/report.html || fail "the report does not show who is lost"
# it is there again, and met
mv away.h5 "${players[1]}"
mpi 1 "$AGON" train run frames=250k > found.txt 2>&1 || { cat found.txt; fail "a run with a found player does not go on"; }
expect 0 "is whole: .*; 1 player is lost" "$AGON" checkpoint verify run
expect 0 "^$one .* found " "$AGON" league show run
grep -q "$one is there again" out.txt || { cat out.txt; fail "the lineage does not say that it is back"; }
echo passed
