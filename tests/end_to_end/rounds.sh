#!/usr/bin/env bash
# usage: AGON=build/agon tests/end_to_end/rounds.sh [ROUNDS [SEED]]   (default 2 rounds, seed 1)
# Pace free: a run is killed with -9, gone on with on other numbers of ranks, stopped, brought to its end, and resumed beyond it.
# No job may hang, and what is left at the end is whole. ROUNDS 100 and more is for people, a few are for every day.
. "$(dirname "$0")/common.sh"
rounds=${1:-2}
RANDOM=${2:-1}
limit=60 # seconds that a job may take which nobody kills
killed=0 ended=0 beyond=0 stopped=0
job() { # ranks, then arguments of train
  local n=$1; shift
  timeout -k 5 $limit mpirun --oversubscribe --bind-to none -n "$n" "$AGON" train "$smoke" --run-dir run --resume auto --quiet \
    pace=free checkpoint.ticks=3 "$@" > job.txt 2>&1
}
ends() { # the same, and it must end by itself
  local code=0
  job "$@" || code=$?
  [ $code = 0 ] || { cat job.txt; tail -5 run/log.txt; fail "round $round: exit code $code (124: it hung) of: $*"; }
}
for round in $(seq "$rounds"); do
  rm -rf run
  for life in 1 2; do # killed at any moment, also while it starts
    n=$((RANDOM % 5 + 1)) delay=0.$((RANDOM % 9))
    setsid mpirun --oversubscribe --bind-to none -n $n "$AGON" train "$smoke" --run-dir run --resume auto --quiet \
      pace=free checkpoint.ticks=3 frames=60k > job.txt 2>&1 &
    pid=$!
    for i in $(seq 250); do
      if [ -e run/status.json ] || ! kill -0 $pid 2> /dev/null; then break; fi
      sleep 0.02
    done
    sleep $delay
    pkill -9 -s $pid || true
    code=0
    wait $pid 2> /dev/null || code=$?
    [ $code = 0 ] || killed=$((killed + 1))
  done
  if [ $((RANDOM % 2)) = 1 ]; then
    ends $((RANDOM % 5 + 1)) frames=60k max_seconds=0.1
    stopped=$((stopped + 1))
  fi
  # its frames may be done before this job begins: the end is at once
  if [ $((RANDOM % 2)) = 1 ]; then target=1; else target=60k; fi
  ends $((RANDOM % 5 + 1)) frames=$target
  ended=$((ended + 1))
  for n in $((RANDOM % 5 + 1)) $((RANDOM % 5 + 1)); do
    ends $n frames=$target
    grep -q "run is finished: " job.txt || { cat job.txt; fail "round $round: a finished run does not say so"; }
    beyond=$((beyond + 1))
  done
  "$AGON" checkpoint verify run > verify.txt 2>&1 || { cat verify.txt; fail "round $round: the last checkpoint is not whole"; }
  expect 0 "^run: finished" "$AGON" status run
done
echo "passed: $rounds rounds, $killed jobs killed, $stopped stopped, $ended runs brought to their end, $beyond resumed beyond it; none hung"
