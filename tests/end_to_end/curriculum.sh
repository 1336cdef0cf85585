#!/usr/bin/env bash
# A curriculum: stages follow one another, a run that is stopped in the middle of one goes on to the same bytes, on other numbers of
# ranks, too; what people see of it; and what it is judged by is the task itself.
. "$(dirname "$0")/common.sh"
cat > two_then_three.yaml << 'Y'
game: skirmish
frames: 240k
env: {units: 3, enemy: scripted}
net: {hidden: [32], memory: gru, memory_size: 16}
curriculum:
  measure: won
  episodes: 50
  stages:
    - {units: 1, promote_at: 0.3, frames: 100k}
    - {units: 2, frames: 60k}
actors: {slots: 32, lanes: 8, unroll: 16}
metrics: {evaluation_episodes: 20, seconds: 0.1}
Y
for pace in lockstep pipelined; do
  mpi 2 "$AGON" train two_then_three.yaml --run-dir "whole_$pace" pace=$pace checkpoint.ticks=20 checkpoint.keep=1000 > log.txt || fail "$pace"
  grep -Eq "^\[.*stage 2 of 3 begins, after .* frames in the one before: units=2" log.txt || fail "stage 2 is not told"
  grep -Eq "^\[.*stage 3 of 3 begins, after .* frames in the one before: the task itself" log.txt || fail "stage 3 is not told"
  grep -Eq "tick [0-9]+, stage 3 of 3, " log.txt || fail "the line of progress does not say the stage"
  # from a checkpoint in the second stage it comes to the same
  cp -r "whole_$pace" "again_$pace"
  $python - "again_$pace" << 'P' || fail "no checkpoint in the second stage"
import glob, h5py, os, sys
kept = False
for path in sorted(glob.glob(sys.argv[1] + "/checkpoints/*.h5"), reverse=True):
    stage = int(h5py.File(path)["league/curriculum_counts"][:].ravel()[0])
    if stage == 1 and not kept:
        kept = True
    elif stage >= 1:
        os.remove(path)
assert kept
P
  mpi 2 "$AGON" train --resume "again_$pace" --quiet || fail "$pace: resume"
  same "whole_$pace" "again_$pace" league/curriculum_counts league/curriculum_began league/curriculum_measure
done
# who is there is not what decides: stages begin at the same frames on one rank
"$AGON" train two_then_three.yaml --run-dir one pace=lockstep checkpoint.ticks=20 --quiet || fail "one rank"
$python - one whole_lockstep << 'P'
import glob, h5py, sys
one, two = (h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1]) for run in sys.argv[1:])
began = [list(f["league/curriculum_began"][:].ravel()[:3]) for f in (one, two)]
assert began[0] == began[1] and began[0][0] == 0 < began[0][1] < began[0][2], began
assert began[0][2] - began[0][1] >= 60000, began
P
# what people see
$python - << 'P'
import json
status = json.load(open("whole_lockstep/status.json"))["curriculum"]
assert status["stage"] == 3 and status["stages"] == 3 and status["is"] == "the task itself" and status["measure"] == "won", status
assert len(status["began"]) == 3, status
rows = [json.loads(line) for line in open("whole_lockstep/metrics.jsonl")]
stages = [row["curriculum/stage"] for row in rows]
assert stages == sorted(stages) and stages[-1] == 3, stages
P
"$AGON" report whole_lockstep > /dev/null || fail "report"
grep -q "stage of the curriculum" whole_lockstep/report.html || fail "the report does not show the curriculum"
expect 0 "^curriculum: stage 3 of 3 \(the task itself\), since [0-9.]+ k frames" "$AGON" status whole_lockstep
expect 0 "stage 3 of 3: the task itself" "$AGON" watch whole_lockstep --times 1
# episodes of agon eval are of the task itself: three units on each side have 13 hit points, two have 9
"$AGON" eval whole_lockstep --games 100 --json > eval.json || fail "eval"
$python -c "
import json
noop = next(p for p in json.load(open('eval.json'))['players'] if p['player'] == 'noop')
assert noop['metrics']['damage_team_1'] > 12, noop" || fail "eval is not of the task itself"
# begun by a run that has come some way without: the first stage is played, from here on
"$AGON" train skirmish env.units=2 env.enemy=scripted frames=20k 'net.hidden=[8]' actors.slots=16 actors.lanes=4 --run-dir later --quiet || fail "later"
"$AGON" train --resume later frames=60k 'curriculum.stages[0].units=1' 'curriculum.stages[0].frames=15k' > later.txt || fail "a curriculum on resume"
grep -Eq "stage 2 of 2 begins, after 1[5-9][.0-9]* k frames in the one before" later.txt || { cat later.txt; fail "the first stage was not played"; }
expect 2 "curriculum.stages\[0\].unit: skirmish has no knob 'unit'; a stage may say units, promote_at and frames" \
  "$AGON" train two_then_three.yaml 'curriculum.stages[0].unit=1' --run-dir bad
echo "curriculum: all passed"
