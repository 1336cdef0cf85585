#!/usr/bin/env bash
# pair.sh [ROUNDS] [PYTHON]: agon and PyTorch in turns, on two cores, with the same game, network and hyper-parameters; medians.
# PyTorch runs as two independent processes of one thread, and as one of two threads: the faster counts. PYTHON must have
# torch and numpy; for Debian's python3-torch install libopenblas0-openmp, too (its OpenBLAS is taken if it is there).
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} python=${2:-/usr/bin/python3}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
cmake --build build --target agon agon_bench_env > /dev/null
openmp=$(dirname "$(find /usr/lib -path '*openblas-openmp/libopenblas.so.0' 2> /dev/null | head -1)")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
torch() { LD_LIBRARY_PATH=$openmp:${LD_LIBRARY_PATH:-} "$python" tests/bench/torch_ppo.py --seconds 10 "$@" | grep -o '[0-9]* frames/s' | cut -d' ' -f1; }
agon() { mpirun --oversubscribe --bind-to none -n "$1" build/agon bench train --json "${@:2}" | python3 -c 'import json,sys; print(round(json.load(sys.stdin)["results"][0]["median"]))'; }
for _ in $(seq "$rounds"); do
  agon 2 >> "$work/agon fp32, 2 ranks"
  agon 2 precision=bf16 >> "$work/agon bf16, 2 ranks"
  agon 1 >> "$work/agon fp32, 1 rank"
  torch --threads 1 >> "$work/PyTorch fp32, 1 thread"
  torch --threads 2 >> "$work/PyTorch fp32, 2 threads"
  torch --threads 2 --bf16 >> "$work/PyTorch bf16, 2 threads"
  torch --threads 1 > "$work/.a" & torch --threads 1 > "$work/.b"; wait
  echo $(($(cat "$work/.a") + $(cat "$work/.b"))) >> "$work/PyTorch fp32, 2 processes"
done
grep -m1 'model name' /proc/cpuinfo
for file in "$work"/*; do
  sort -n "$file" | awk -v name="$(basename "$file")" '{ v[NR] = $1 } END { printf "%-26s %7d frames/s learned (%d-%d)\n", name, v[int((NR + 1) / 2)], v[1], v[NR] }'
done
