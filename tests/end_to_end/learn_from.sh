#!/usr/bin/env bash
# Agents from elsewhere that a run learns from: whom its lives begin as (--init-from), and teachers (learner.teacher).
. "$(dirname "$0")/common.sh"
small="pace=lockstep actors.slots=32 actors.lanes=8 net.hidden=[32] league.end_games=0 --quiet"
train() { "$AGON" train "$@" $small; }
train tic_tac_toe frames=20k --run-dir base
"$AGON" export base --output base.agon > /dev/null

# layer by layer: the first snapshot is who they begin as
train tic_tac_toe frames=1k --run-dir heir --init-from base.agon
grep -q "lives begin as base.agon (.*): 6 of 6 layers$" heir/log.txt || { cat heir/log.txt; fail "what was inherited is not told"; }
"$AGON" league show heir | grep -q "by agon train: lives begin as base.agon" || fail "it is not in the lineage"
for who in base:main_0 heir:main_0-000000 heir:main_0; do
  printf '\n4\n4 0\n' | "$AGON" query "${who%:*}" --player "${who#*:}" --json > "${who#*:}.${who%:*}.json"
done
$python - << 'P2' || fail "the heir does not begin as who it begins as"
import json
def rows(file): return [json.loads(line)["agents"][0]["probabilities"] for line in open(file)]
base, first, later = rows("main_0.base.json"), rows("main_0-000000.heir.json"), rows("main_0.heir.json")
gap = lambda a, b: max(abs(x - y) for u, v in zip(a, b, strict=True) for x, y in zip(u, v))
assert gap(base, first) == 0 and 0 < gap(base, later) < .3, (gap(base, first), gap(base, later))
P2
"$AGON" train tic_tac_toe frames=1k --run-dir wide --init-from base:main_0 $small net.hidden=[32,16]
grep -q "4 of 8 layers; at random: dense1.weight (16x32 here, not there), .*policy.weight (9x16 here, 9x32)" wide/log.txt ||
  { grep begin wide/log.txt; fail "what was not inherited is not told"; }
train simple_spread frames=3k net.normalise_observations=true --run-dir seen
train simple_spread frames=3k net.normalise_observations=true --run-dir further --init-from seen:main_0
grep -q "layers, and what normalises observations" further/log.txt || fail "the normaliser stays behind"
expect 2 "no layer of base.agon fits this network; at random: " "$AGON" train simple_spread --run-dir bad --init-from base.agon $small net.hidden=[8]
expect 2 "'nobody' is no agent to learn from" "$AGON" train tic_tac_toe --run-dir bad --init-from nobody $small
expect 2 "base has no player 'main_7'" "$AGON" train tic_tac_toe --run-dir bad --init-from base:main_7 $small
expect 5 "nowhere.agon" "$AGON" train tic_tac_toe --run-dir bad --init-from nowhere.agon $small
[ ! -e bad ] || fail "a folder was made for what cannot begin"
expect 2 "learner.init_from is base.agon in heir, and base:main_0 is asked for" "$AGON" train heir frames=2k --init-from base:main_0 $small

# a teacher: the players come nearer to it; killed and gone on with, when the file is gone, the same
set -- tic_tac_toe frames=24k pace=lockstep checkpoint.ticks=4 checkpoint.seconds=0 actors.slots=48 actors.lanes=12 net.hidden=[32] league.end_games=0 \
  metrics.seconds=0.1 learner.teacher=base.agon learner.teacher_kl=5 learner.teacher_kl_end=5
mpi 2 "$AGON" train "$@" --run-dir whole --quiet
kill_ranks=2 kill_in_the_middle parts "$@"
mv base.agon elsewhere.agon
mpi 2 "$AGON" train parts --quiet
same whole parts sources/hash
[ "$(ls parts/players/source-*.agon)" ] || fail "the run keeps no copy"
$python - << 'P2' || fail "nobody comes nearer to the teacher"
import json
kl = [r["main_0/kl_teacher"] for r in map(json.loads, open("whole/metrics.jsonl")) if "main_0/kl_teacher" in r]
assert 0 <= kl[-1] < .05, kl
P2
mv elsewhere.agon base.agon

# for one player alone; of numbers; and for whom there is none
train tic_tac_toe frames=2k players.main_0.teacher=base:main_0 --run-dir one
grep -q '"main_0/kl_teacher"' one/metrics.jsonl || fail "no teacher for one player"
! grep -q '"main_exploiter_0/kl_teacher"' one/metrics.jsonl || fail "a teacher for others"
train simple_spread env.actions=box frames=3k --run-dir numbers
train simple_spread env.actions=box frames=3k --run-dir taught learner.teacher=numbers:main_0 learner.algorithm=mappo
grep -q '"main_0/kl_teacher"' taught/metrics.jsonl || fail "a teacher of numbers"
expect 2 "coma .* learns none of that kind: choose ppo" "$AGON" train tic_tac_toe --run-dir bad learner.teacher=base.agon learner.algorithm=coma $small
expect 2 "learner.teacher: base.agon plays tic_tac_toe, not connect_four" "$AGON" train connect_four --run-dir bad learner.teacher=base.agon $small
train kuhn_poker frames=2k net.memory=gru --run-dir gru
expect 2 "gru:main_0 remembers what it saw" "$AGON" train kuhn_poker --run-dir bad learner.teacher=gru:main_0 $small
