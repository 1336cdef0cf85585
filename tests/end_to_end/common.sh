# Sourced by the scripts here. AGON: the program; PLUGINS: folder of the test plug-ins.
set -eu
AGON=${AGON:?}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
if [ -n "${AGON_TEST_KEEP:-}" ]; then echo "kept: $work" >&2; else trap 'rm -rf "$work"' EXIT; fi
cd "$work"
mpi() { local n=$1; shift; timeout 120 mpirun --oversubscribe --bind-to none -n "$n" "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# expect CODE PATTERN COMMAND...: exit code and one matching line of output
expect() {
  local code=$1 pattern=$2 got=0; shift 2
  timeout 120 "$@" > out.txt 2>&1 || got=$?
  [ "$got" = "$code" ] || { cat out.txt; fail "exit code $got, expected $code: $*"; }
  grep -qE -- "$pattern" out.txt || { cat out.txt; fail "no line matches '$pattern': $*"; }
}
python=/usr/bin/python3
# same RUN RUN [NAME...]: the newest checkpoints of two runs have the same bytes, but for the time it took; NAMES are in them
same() { $python - "$@" << 'P'
import glob, h5py, sys
def load(run):
    f, d = h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1], "r"), {}
    f.visititems(lambda n, o: d.__setitem__(n, o[()].tobytes()) if isinstance(o, h5py.Dataset) else None)
    return d
a, b = load(sys.argv[1]), load(sys.argv[2])
different = [k for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k) and k not in ("run/seconds", "changes/when")]
assert not different, different
missing = [name for name in sys.argv[3:] if name not in a]
assert not missing, missing
P
}
# kill_in_the_middle FOLDER ARGUMENTS...: trains on kill_ranks ranks (3), and kills all of it with -9 once two checkpoints are there
kill_in_the_middle() {
  local dir=$1 job; shift
  for attempt in 1 2 3 4 5; do # on a busy machine the run may end before this script looks again: then from the beginning
    rm -rf "$dir"
    setsid mpirun --oversubscribe --bind-to none -n "${kill_ranks:-3}" "$AGON" train "$@" --run-dir "$dir" --quiet > kill.txt 2>&1 &
    job=$!
    for i in $(seq 3000); do [ -e "$dir/checkpoints/000002.h5" ] && break; sleep 0.02; done
    pkill -9 -s "$job" || true
    wait "$job" 2>/dev/null || true
    if grep -q '"state": "running"' "$dir/status.json"; then return; fi
  done
  cat kill.txt
  fail "it was not killed in the middle, five times"
}
smoke="$root/deploy/runs/smoke.yaml"
