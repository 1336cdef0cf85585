#!/usr/bin/env bash
# By hand: deploy/sweeps/rps.yaml, 5 seeds of 4 configurations, whole and once more killed with kill -9 over and over (with all
# that it has started, or the sweep alone, in turns) until it is through: no run is lost or repeated, and each has the bytes
# and the score of the one that nothing happened to. usage: sweep_killed.sh [SECONDS between two kills, default 4] [frames=60k ...]
AGON=${AGON:-$(cd "$(dirname "$0")/.." && pwd)/build/agon}
. "$(dirname "$0")/end_to_end/common.sh"
pause=${1:-4}
[ $# = 0 ] || shift
file=$root/deploy/sweeps/rps.yaml
"$AGON" sweep "$file" pace=lockstep "$@" --folder whole --quiet
kills=0
until grep -q '"open": 0' killed/sweep.json 2> /dev/null; do
  "$AGON" sweep "$file" pace=lockstep "$@" --folder killed --quiet > sweep.txt 2>&1 & job=$!
  for i in $(seq $((pause * 10))); do kill -0 "$job" 2> /dev/null || break; sleep 0.1; done
  kill -9 "$job" 2> /dev/null || { wait "$job"; break; }
  wait "$job" 2> /dev/null || true
  kills=$((kills + 1))
  if [ $((kills % 2)) = 0 ]; then continue; fi # its runs stay at work, and the next one waits for them
  for proc in /proc/[0-9]*; do
    if [ "$(readlink "$proc/cwd" 2> /dev/null)" = "$work" ] && tr '\0' '\n' < "$proc/cmdline" 2> /dev/null | grep -q '^killed/'; then
      kill -9 "${proc#/proc/}" 2> /dev/null || true
    fi
  done
done
$python - <<'P'
import json, os
whole, killed = (json.load(open(folder + "/sweep.json")) for folder in ("whole", "killed"))
names = [run["run"] for run in killed["runs"]]
assert len(names) == 20 == len(set(names)) and sorted(names) == sorted(os.listdir("killed/runs")), names
for folder in (whole, killed): assert folder["done"] == 20 and folder["open"] == folder["failed"] == folder["dropped"] == 0, folder
for a, b in zip(whole["runs"], killed["runs"]):
    assert (a["run"], a["frames"], a["score"]) == (b["run"], b["frames"], b["score"]), (a, b)
for name in names:
    frames = [json.loads(line)["global_step"] for line in open("killed/runs/%s/metrics.jsonl" % name)]
    assert frames == sorted(frames), name
P
for run in whole/runs/*; do same "$run" "killed/runs/${run##*/}"; done
echo "20 runs, killed $kills times: none lost, none repeated, the same bytes"
