#!/usr/bin/env bash
# Environments from shared objects: checked, trained with truncation, resumed; other ABIs and other files are refused.
. "$(dirname "$0")/common.sh"
coin=${PLUGINS:?}/libplugin_coin.so
expect 0 "all passed" "$AGON" env check "$coin" rounds=5
expect 0 "call the coin" "$AGON" env info "$coin"
expect 7 "was built for env ABI 2, this program has 1" "$AGON" env check "$PLUGINS/libplugin_old.so"
expect 2 "cannot load the plug-in" "$AGON" env check ./nothing.so
expect 7 "exports no function 'agon_env'" "$AGON" env check "$(ldconfig -p | awk '/libz\.so|libm\.so/ {print $NF; exit}')"
mpi 2 "$AGON" train "$smoke" game="$coin" --run-dir coin frames=10k --quiet
mpi 3 "$AGON" train "$smoke" game="$coin" --run-dir coin frames=20k --resume must --quiet
expect 0 "main_0" "$AGON" eval coin --players main_0,random --games 20
echo passed
