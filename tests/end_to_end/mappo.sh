#!/usr/bin/env bash
# Learning from whole teams, with a critic that stays with the learners: killed and resumed runs are the whole ones' bytes,
# on several learner ranks; and nothing that leaves the learners holds the critic.
. "$(dirname "$0")/common.sh"
# a minibatch of whole teams, with a critic, keeps two learners busy: both ranks learn, none waits for the other
mpi 2 "$AGON" train "$root/deploy/runs/simple_spread_mappo.yaml" frames=10k metrics.evaluation_episodes=0 --run-dir both > both.txt
grep -q "2 learners, 2 actors (shared)" both.txt || { cat both.txt; fail "one rank learns, and the other waits"; }
small="simple_spread learner.algorithm=mappo mappo.epochs=3 net.hidden=[16] actors.slots=32 actors.lanes=8 actors.unroll=25
  frames=60k checkpoint.ticks=4 metrics.evaluation_episodes=0 learner.ranks=2"
for pace in lockstep pipelined; do
  mpi 3 "$AGON" train $small pace=$pace --run-dir whole-$pace --quiet || fail "training ($pace)"
  kill_in_the_middle broken-$pace $small pace=$pace
  mpi 3 "$AGON" train $small pace=$pace --run-dir broken-$pace --resume auto --quiet
  same whole-$pace broken-$pace players/main_0/critic players/main_0/critic_v || fail "a killed and resumed run differs ($pace)"
done
# what is frozen is a policy alone, of as many floats as one that PPO trains; so are the bytes of its file
"$AGON" train simple_spread learner.algorithm=ppo net.hidden=[16] actors.slots=32 actors.lanes=8 frames=5k \
  metrics.evaluation_episodes=0 --run-dir plain --quiet
$python - <<'P'
import glob, h5py, os
def files(run): return sorted(glob.glob(run + "/players/*.h5"))
def contents(path):
    found = {}
    h5py.File(path, "r").visititems(lambda n, o: found.__setitem__(n, o) if isinstance(o, h5py.Dataset) else None)
    return {name: o.shape for name, o in found.items()}
ours, plain = files("whole-lockstep"), files("plain")
assert ours and plain
floats = contents(plain[0])["policy"]
for path in ours:
    found = contents(path)
    assert found["policy"] == floats, (path, found["policy"], floats)
    assert not [name for name in found if "critic" in name], found
    assert os.path.getsize(path) < os.path.getsize(plain[0]) + 4096
checkpoint = h5py.File(sorted(glob.glob("whole-lockstep/checkpoints/*.h5"))[-1], "r")
critic = checkpoint["players/main_0/critic"].shape[0]
assert checkpoint["players/main_0/policy"].shape == floats and critic > 500
P
# COMA: the critic, its copy and how often each part was stepped go on as they were, and none of them is published
coma="simple_spread learner.algorithm=coma coma.critic_epochs=2 coma.target_every=7 net.hidden=[16] actors.slots=32 actors.lanes=8 actors.unroll=10
  frames=40k checkpoint.ticks=4 metrics.evaluation_episodes=0 learner.ranks=2"
mpi 3 "$AGON" train $coma --run-dir whole-coma --quiet || fail "training by COMA"
kill_in_the_middle broken-coma $coma
mpi 3 "$AGON" train $coma --run-dir broken-coma --resume auto --quiet
same whole-coma broken-coma players/main_0/critic players/main_0/critic_v players/main_0/critic_target players/main_0/adam_steps \
  players/main_0/critic_steps || fail "a killed and resumed run of COMA differs"
$python - <<'P'
import glob, h5py
f = h5py.File(sorted(glob.glob("whole-coma/checkpoints/*.h5"))[-1], "r")["players/main_0"]
policy, critic = int(f["adam_steps"][()].item()), int(f["critic_steps"][()].item())
assert critic == 2 * policy > 0, (policy, critic)
for path in glob.glob("whole-coma/players/*.h5"):
    found = []
    h5py.File(path, "r").visit(found.append)
    assert not [name for name in found if "critic" in name], found
P
# of the network that acts a rank hears as many bytes, whatever the critic is
"$AGON" train $small frames=20k learner.ranks=1 --run-dir narrow --quiet
"$AGON" train $small frames=20k learner.ranks=1 mappo.critic_hidden=[256] --run-dir wide --quiet
$python - <<'P'
import glob, h5py
def shapes(run):
    f = h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1], "r")["players/main_0"]
    return f["policy_acting"].shape[0], f["critic"].shape[0]
(narrow, small), (wide, large) = shapes("narrow"), shapes("wide")
assert narrow == wide and large > 4 * small, (narrow, wide, small, large)
P
# a checkpoint of one critic is not gone on with by another
expect 2 "cannot go on by mappo .* .critic. has" "$AGON" train --resume narrow frames=30k mappo.critic_hidden=[32]
# nor with rows of another kind while games are unfinished: said before the job says or begins anything
for other in learner.algorithm=ppo "learner.algorithm=ppo ppo.rows=team"; do
  expect 2 "^agon train: unfinished games of narrow are recorded in rows of whole teams, with [0-9]+ numbers .*, for mappo, and ppo " \
    "$AGON" train --resume narrow frames=30k $other
  if grep -q '^\[' out.txt; then cat out.txt; fail "a job began before it was refused: $other"; fi
done
# IPPO: the same rows, valued by each agent's own network; and MAPPO with a memory
mpi 2 "$AGON" train simple_spread ppo.rows=team net.hidden=[16] net.memory=gru net.memory_size=16 actors.slots=32 actors.lanes=8 frames=10k \
  metrics.evaluation_episodes=0 --run-dir ippo --quiet || fail "PPO from rows of teams"
mpi 2 "$AGON" train $small learner.ranks=1 net.memory=lstm net.memory_size=16 frames=10k --run-dir memory --quiet || fail "MAPPO with a memory"
"$AGON" checkpoint verify ippo > /dev/null
echo "ok"
