#!/usr/bin/env bash
# Population-based training: who loses goes on as the winner, and what follows repeats byte for byte in pieces,
# killed, and with players of two learner groups; it is told by metrics, status, league show and the report.
. "$(dirname "$0")/common.sh"
small="$smoke actors.unroll=8 league.end_games=0 checkpoint.ticks=10 tune.every=1k tune.min_games=10 tune.errors=1
  tune.rate.low=1e-5 tune.rate.high=0.1 metrics.seconds=0.1"
mains="league.preset=population league.mains=4 tune.entropy.low=1e-3 tune.entropy.high=0.1"
# pieces NAME RANKS KEYS...: at one go and in three jobs
pieces() {
  local name=$1 ranks=$2 frames; shift 2
  mpi "$ranks" "$AGON" train $small "$@" --run-dir "$name" --quiet || fail "train $*"
  mpi "$ranks" "$AGON" train $small "$@" --run-dir "$name-pieces" job_frames=4k --quiet || fail "the first piece: $*"
  for frames in 8k 0; do mpi "$ranks" "$AGON" train "$name-pieces" job_frames=$frames --quiet || fail "a piece: $*"; done
  same "$name" "$name-pieces" tune/value tune/copy_players || fail "in pieces it differs: $*"
}
pieces one 1 $mains frames=20k pace=lockstep
pieces groups 2 $mains frames=20k pace=pipelined learner.ranks=2 learner.groups=2
$python - one groups << 'P'
import glob, h5py, json, sys
for run in sys.argv[1:]:
    f = h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1], "r")
    names = [n.decode() for n in f["league/name"][()]]
    who, numbers, value = f["tune/copy_players"][()], f["tune/copy_numbers"][()], f["tune/value"][()]
    assert len(who) > 0, run
    for (player, source), row in zip(who, numbers):
        assert player < 4 and source < 4 and player != source
        assert row[0] < .45 and row[1] >= 10 # the chance, and the games
        assert all(1e-5 <= v <= .1 for v in (row[2], row[8])) and row[4] == row[10] == 0
    last = {p: numbers[i][8:14] for i, (p, _) in enumerate(who)}
    for p, row in last.items(): assert (value[p] == row).all() # by what it learns now
    lines = [json.loads(line) for line in open(run + "/metrics.jsonl")]
    final = [line for line in lines if "main_0/tuned/rate" in line][-1]
    assert final["league/copies"] == len(who) and final["main_0/tuned/entropy"] == value[0][1]
    rates = [line["main_1/learning_rate"] for line in lines if "main_1/learning_rate" in line]
    assert any(abs(rates[-1] - v) < 1e-6 * v for v in [value[1][0]] + list(numbers[:, 2])), rates[-1]
    status = {p["name"]: p for p in json.load(open(run + "/status.json"))["players"]}
    assert abs(status["main_2"]["tuned"]["rate"] - value[2][0]) < 1e-4 * value[2][0]
P
expect 0 "as a copy of main_[0-3], chance 0\.[0-4]" "$AGON" league show one
"$AGON" league show one --json | $python -c 'import json, sys; d = json.load(sys.stdin); assert d["copies"][0]["after"]["rate"] > 0'
"$AGON" report one > /dev/null && grep -q "id=tuned" one/report.html && grep -q "learner.entropy" one/report.html || fail "the report says nothing of it"
# each side has a population of its own, whose players never meet
pieces sides 1 league.preset=self-play league.sides=separate league.mains=2 frames=20k pace=lockstep
# killed in the middle, in pace free, and with players that are added and forked by hand
kill_ranks=2; kill_in_the_middle killed $small $mains frames=30k pace=free
mpi 2 "$AGON" train killed frames=30k --quiet || fail "what was killed does not go on"
"$AGON" league fork killed main_1 twin > /dev/null
"$AGON" league add killed main > /dev/null
mpi 1 "$AGON" train killed frames=34k --quiet || fail "a changed league does not go on"
"$AGON" checkpoint verify killed > /dev/null
# one team: by what players earn; and kept experience
for more in "learner.algorithm=mappo" "learner.algorithm=iql replay.size=2k replay.warmup=50 replay.batch=16"; do
  rm -rf team team-pieces
  small="two_step league.mains=3 actors.slots=16 actors.lanes=8 net.hidden=[16] checkpoint.ticks=10 tune.every=500 tune.min_games=20 tune.errors=1
    tune.exploit_below=.5 tune.rate.low=1e-5 tune.rate.high=0.1 metrics.evaluation_episodes=0"
  pieces team 1 frames=10k pace=lockstep $more
done
# what cannot be
expect 2 "what can be tuned is what a learner reads anew" "$AGON" train tic_tac_toe tune.gamma.low=.9
echo passed
