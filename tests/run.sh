#!/usr/bin/env bash
# Installs what is missing, builds with run-time invariants, runs all tests. Options: --sanitize (address and
# undefined-behaviour), --clang.
# A new Debian or Ubuntu machine needs nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/install.sh tests
build=build-checked
options=(-DAGON_TESTS=ON -DAGON_CHECKED=ON)
for flag in "$@"; do
  case $flag in
  --sanitize) build=build-sanitize options+=(-DAGON_SANITIZE=ON) ;;
  --clang) build=build-clang options+=(-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++) ;;
  *) echo "tests/run.sh: unknown option '$flag' (there are --sanitize and --clang)" >&2; exit 2 ;;
  esac
done
cmake -S . -B $build -G Ninja "${options[@]}" > /dev/null
cmake --build $build
cd $build
ctest -j "$(nproc)" --output-on-failure
