#!/usr/bin/env bash
# strength.sh OTHER_AGON [SEEDS] [FRAMES]: does a change of speed cost strength? Trains the same league with this build, with this
# build in bf16, and with another build of agon, same frames and seeds; each main against random, and bf16 against fp32.
set -euo pipefail
cd "$(dirname "$0")/../.."
other=$1 seeds=${2:-4} frames=${3:-3M}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train() { "$2" train deploy/runs/connect_four.yaml "frames=$frames" "seed=$3" --run-dir "$work/$1-$3" --quiet "${@:4}" > /dev/null; }
for seed in $(seq "$seeds"); do
  train other "$other" "$seed" & train fp32 build/agon "$seed"; wait
  train bf16 build/agon "$seed" precision=bf16
  "$other" eval "$work/other-$seed" --players main_0,random --games 2000 | sed -n "s/^main_0/other $seed/p"
  for kind in fp32 bf16; do build/agon eval "$work/$kind-$seed" --players main_0,random --games 2000 | sed -n "s/^main_0/$kind $seed/p"; done
done
for seed in $(seq "$seeds"); do
  for against in $(seq "$seeds"); do
    build/agon eval "$work/bf16-$seed" --players "main_0,$work/fp32-$against:main_0" --games 400 | sed -n "s|^main_0 *vs [^ ]*|bf16 $seed vs fp32 $against|p"
  done
done
