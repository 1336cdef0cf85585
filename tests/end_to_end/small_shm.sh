#!/usr/bin/env bash
# Learners whose host has next to no shared memory, as in a container: they say so and send messages, with the same result.
. "$(dirname "$0")/common.sh"
unshare -m true 2> /dev/null || { echo "skipped: no mount namespaces here"; exit 0; }
options=(tic_tac_toe "net.hidden=[512, 512]" learner.ranks=2 placement=shared pace=lockstep actors.slots=8 actors.lanes=8
  actors.unroll=8 actors.eval_share=0 learner.algorithm=ppo ppo.epochs=1 ppo.minibatches=1 frames=1 --quiet)
for ranks in 2 3; do
  [ "$ranks" = 3 ] || mpi "$ranks" "$AGON" train "${options[@]}" --run-dir "plenty$ranks"
  # shellcheck disable=SC2016
  unshare -m bash -c 'mount -t tmpfs -o size=8m tmpfs /dev/shm && shift && exec timeout 60 "$@"' bash \
    - mpirun --oversubscribe --bind-to none -n "$ranks" "$AGON" train "${options[@]}" --run-dir "small$ranks" \
    > small.txt 2>&1 || { cat small.txt; fail "$ranks ranks with 8 MB of shared memory"; }
  grep -q "has no room for" "small$ranks/log.txt" || { cat small.txt; fail "the log does not say why sums are slow"; }
  [ "$ranks" = 3 ] || for name in policy adam_m; do
    "$python" - "plenty$ranks" "small$ranks" "$name" << 'END' || fail "other weights through messages"
import h5py, sys, glob
a, b = (h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1]) for run in sys.argv[1:3])
assert (a["players/main_0/" + sys.argv[3]][:] == b["players/main_0/" + sys.argv[3]][:]).all()
END
  done
done
echo passed
