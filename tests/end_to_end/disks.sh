#!/usr/bin/env bash
# Disks that refuse: what people look at is not worth a job; what must be saved is tried again, and then the job ends, with what was
# saved before as it was.
. "$(dirname "$0")/common.sh"
cc -shared -fPIC -O1 -o refuse.so "$root/tests/end_to_end/refuse.c" -ldl
keys="connect_four net.hidden=[16] actors.slots=32 actors.lanes=8 checkpoint.ticks=10 metrics.seconds=0.1"
# status.json, metrics and their kin, full (/dev/full) or broken
mkdir -p people
ln -s /dev/full people/metrics.jsonl
REFUSE_PATH=status.json REFUSE_WHILE=/ REFUSE_ERRNO=5 LD_PRELOAD=$PWD/refuse.so "$AGON" train $keys frames=40k --run-dir people > people.txt 2>&1 ||
  { cat people.txt; fail "a job ends over status.json"; }
[ "$(grep -c "warning: .*status.json: Input/output error; the job goes on without its status.json" people.txt)" = 1 ] || { cat people.txt; fail "status.json"; }
[ "$(grep -c "warning: .*metrics.jsonl: No space left on device; the job goes on without its metrics" people.txt)" = 1 ] || { cat people.txt; fail "metrics"; }
grep -q "charts_SPS" people/metrics.prom || fail "what can be written of the metrics is not"
expect 0 "is whole" "$AGON" checkpoint verify people
# a checkpoint, and a player's file: written when the disk is well again
for path in checkpoints/ players/main_0-000001; do
  rm -rf waits waits.txt
  touch broken
  REFUSE_PATH=$path REFUSE_WHILE=$PWD/broken REFUSE_ERRNO=5 LD_PRELOAD=$PWD/refuse.so "$AGON" train $keys frames=40k league.frame_scale=1 league.main_snapshot_min=8k \
    league.main_snapshot_max=12k --run-dir waits > waits.txt 2>&1 &
  job=$!
  for i in $(seq 600); do grep -q "could not be written" waits.txt && break; sleep 0.1; done
  for i in $(seq 100); do grep -q '"unsaved_seconds": 0.0' waits/status.json || break; sleep 0.1; done
  "$AGON" status waits > seen.txt
  rm broken
  wait "$job" || { cat waits.txt; fail "a job ends over a disk that was well again: $path"; }
  grep -qE "warning: .* could not be written: .*; it is tried again for 60 s \(checkpoint.patience\)" waits.txt || { cat waits.txt; fail "nobody is told: $path"; }
  grep -q "^NOT SAVED for [0-9]* s: the disk refuses" seen.txt || { cat seen.txt; fail "status does not show it: $path"; }
  grep -q "could be written after" waits.txt || { cat waits.txt; fail "nobody is told that it is well: $path"; }
  expect 0 "is whole" "$AGON" checkpoint verify waits
done
# when there is no end of it: the documented code, and the newest generation is whole; then it goes on from there
for number in 5 28 30; do
  rm -rf ends
  "$AGON" train $keys frames=20k --run-dir ends --quiet
  touch broken
  REFUSE_PATH=ends/checkpoints/ REFUSE_WHILE=$PWD/broken REFUSE_ERRNO=$number LD_PRELOAD=$PWD/refuse.so \
    expect 5 "checkpoint [0-9]{6}: .*; tried for 1 s \(checkpoint.patience\): what was saved before is whole" "$AGON" train ends frames=80k checkpoint.patience=1
  rm broken
  expect 0 "is whole" "$AGON" checkpoint verify ends
done
"$AGON" train ends frames=40k --quiet || fail "a run does not go on from what was saved"
# a file system without locks: those of flock do; without any, whoever says so goes on
tiny="tic_tac_toe net.hidden=[8] actors.slots=16 actors.lanes=8 frames=2k --quiet"
unlocked() { REFUSE_LOCKS=$1 LD_PRELOAD=$PWD/refuse.so "$AGON" train $tiny "${@:2}"; }
unlocked fcntl --run-dir flocked || fail "flock does not stand in"
lock_of() { "$@" env REFUSE_LOCKS=fcntl LD_PRELOAD=$PWD/refuse.so "$AGON" doctor --part lock flocked/lock; }
[ "$(lock_of)" = free ] || fail "a lock by flock outlives its job"
[ "$(lock_of flock flocked/lock)" = held ] || fail "a lock by flock is not seen"
unlocked all --run-dir unlocked 2> unlocked.txt && fail "no lock, and nobody is told"
grep -q "cannot lock unlocked/lock: No locks available: .* agon train --no-lock goes on without" unlocked.txt || { cat unlocked.txt; fail "no way round is named"; }
unlocked all --run-dir unlocked --no-lock 2> unlocked.txt || { cat unlocked.txt; fail "--no-lock"; }
grep -q "warning: unlocked/lock: this file system has no locks" unlocked.txt || { cat unlocked.txt; fail "nobody is warned"; }
# a lock file that somebody removes lets no second job in, and is put back
"$AGON" train connect_four net.hidden=[16] frames=900M --run-dir held --quiet > held.txt 2>&1 &
job=$!
for i in $(seq 600); do [ -e held/status.json ] && break; sleep 0.1; done
rm held/lock
expect 3 "another job is running in (held, though its lock file has been removed|this folder)" "$AGON" train connect_four --run-dir held --resume
for i in $(seq 600); do grep -q "held/lock was removed while the job runs; it is there again" held.txt && break; sleep 0.1; done
expect 3 "another job is running" "$AGON" train connect_four --run-dir held --resume
"$AGON" stop held > /dev/null
wait "$job" || { cat held.txt; fail "a job ends over its lock file"; }
# what goes to a terminal can tell it nothing
mkdir replays
printf '%s\n' '{"env":"tic_tac_toe","players":["a\u001b]0;x\u0007","b"],"seed":1,"game":0,"line":"0","outcome":[0.5,0.5]}' > replays/bad.jsonl
expect 4 "game 1 is not a recorded game: there are control characters in it" "$AGON" replay replays/bad.jsonl
sed -i 's/"reason": "[^"]*"/"reason": "\\u001b[2J"/; s/"state": "[^"]*"/"state": "\\u001b[31mfinished\\u0007"/' held/status.json
printf 'x\033]0;title\007\n' >> held/log.txt
for command in "status held" "watch held --times 1"; do
  "$AGON" $command > shown.txt
  if grep -qaP '\x1b(\[2J|\[31mfin|\])|\x07' shown.txt; then fail "$command hands escape codes on"; fi
done
grep -q "?\[31mfinished?" shown.txt || { cat shown.txt; fail "the state is not shown plainly"; }
echo passed
