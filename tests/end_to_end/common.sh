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
smoke="$root/deploy/runs/smoke.yaml"
