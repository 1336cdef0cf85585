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
echo passed
