#!/usr/bin/env bash
# The same configuration runs to its end alone, under mpirun on 1, 2, 3 and 5 ranks, and in every pace; what it leaves is
# whole and readable by others.
. "$(dirname "$0")/common.sh"
"$AGON" train "$smoke" --run-dir alone > alone.txt
grep -q "ended: the frames are done" alone.txt || fail "no end summary"
for n in 1 2 3 5; do
  mpi $n "$AGON" train "$smoke" --run-dir r$n > r$n.txt || { cat r$n.txt; fail "$n ranks"; }
  grep -q "ended: the frames are done" r$n.txt || fail "no end summary on $n ranks"
  "$AGON" checkpoint verify r$n | grep -q "is whole" || fail "checkpoint of $n ranks"
done
mpi 3 "$AGON" train "$smoke" --run-dir free pace=free --quiet
mpi 3 "$AGON" train "$smoke" --run-dir shared placement=shared learner.ranks=2 pace=lockstep --quiet
mpi 2 "$AGON" train "$smoke" --run-dir impala learner.algorithm=impala impala.upgo=1 net.memory=gru learner.reference=0.1 learner.reference_every=5 \
  net.normalise_returns=true net.normalise_observations=true --quiet
for p in alphastar-pseudocode tstarbot-x openai-five fictitious self-play; do
  "$AGON" train "$smoke" --run-dir $p league.preset=$p league.exploiter_snapshot_min=0 league.league_snapshot_min=0 frames=20k --quiet || fail "preset $p"
done
for e in kuhn_poker leduc_poker goofspiel connect_four matrix_game; do
  mpi 2 "$AGON" train "$smoke" game=$e --run-dir $e frames=10k --quiet || fail "$e"
done
mpi 2 "$AGON" train skirmish --run-dir skirmish frames=30k actors.slots=16 actors.lanes=8 'net.hidden=[16]' net.memory=lstm net.memory_size=8 --quiet || fail skirmish
grep -q '"env/damage_team_0"' skirmish/metrics.jsonl || fail "no env metrics"
"$AGON" league show r3 | grep -q "main_0-000001" || fail "league show"
h5dump -H r3/checkpoints/000001.h5 | grep -q 'GROUP "payoff"' || fail "h5dump"
$python - <<'P'
import glob, h5py, json
f = h5py.File("r3/checkpoints/000001.h5", "r")
names = [n.decode().rstrip("\0") for n in f["league/name"]]
assert names[0] == "main_0" and "main_0-000000" in names, names
frozen = f["league/frozen"][:]
home, away, raw = f["payoff/home"][:], f["payoff/away"][:], f["payoff/raw"][:]
assert raw.shape == (len(home), 12) and len(home) == len(away)
row = {(h, a): r for h, a, r in zip(home, away, raw)}
for (h, a), r in row.items():  # each seat mirrors the other player's other seat
    back = row[a, h]
    assert r[0] == back[6] and r[1] == back[9] and r[2] == back[8] and r[3] == back[7], (h, a, r, back)
policy, adam = f["players/main_0/policy"][:], f["players/main_0/adam_m"][:]
assert len(policy) == len(adam) + 2
shape, offset, layer = f["layers/shape"][:], f["layers/offset"][:], [n.decode().rstrip("\0") for n in f["layers/name"]]
assert layer[0] == "dense0.weight" and tuple(shape[0][:2]) == (32, 18)
assert b"tic_tac_toe" in f["config"][0]
files = glob.glob("r3/players/*.h5")
assert len(files) == frozen.sum(), (len(files), frozen.sum())
one = h5py.File(sorted(files)[0], "r")
assert one.attrs["kind"].decode().startswith("player") if isinstance(one.attrs["kind"], bytes) else one.attrs["kind"].startswith("player")
assert len(one["policy"]) == len(policy)
lines = [json.loads(l) for l in open("r3/metrics.jsonl")]
assert lines and lines[-1]["global_step"] >= 60000
status = json.load(open("r3/status.json"))
assert status["state"] == "finished" and status["frames"] >= 60000
P
echo passed
