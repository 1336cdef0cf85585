#!/usr/bin/env bash
# Players outside of agon: every format does in positions of play what the player does; what is no agent's file says so.
. "$(dirname "$0")/common.sh"
lib=$(dirname "$AGON")/libagon.so
export AGON_PLUGINS=$PLUGINS/libplugin_aim.so:$PLUGINS/libplugin_tell.so:$PLUGINS/libplugin_dials.so
# ONNX is run by onnxruntime where a Python has it, or can be given it
runner=
for candidate in ${AGON_ONNX_PYTHON:-} python3 $python; do
  if "$candidate" -c 'import onnx, onnxruntime' 2> no.txt; then runner=$candidate; break; fi
done
if [ -z "$runner" ] && python3 -m venv onnx 2> no.txt && onnx/bin/pip install -q --disable-pip-version-check onnx onnxruntime numpy > no.txt 2>&1; then
  runner=$PWD/onnx/bin/python
fi
[ -n "$runner" ] || echo "ONNX files are not run: no Python here has onnx and onnxruntime, and pip cannot install them"
# so is PyTorch, where a Python has it: AGON_TORCH_PYTHON names one
torch=
for candidate in ${AGON_TORCH_PYTHON:-} python3 $python; do
  if "$candidate" -c 'import torch, numpy' 2> no.txt; then torch=$candidate; break; fi
done
[ -n "$torch" ] || echo "PyTorch is not asked: no Python here has it"
# the Python package
cmake --build "$(dirname "$AGON")" --target agon_wheel > built.txt 2>&1 || { tail -30 built.txt; fail "the wheel does not build"; }
$python -m zipfile -e "$(ls "$(dirname "$AGON")"/wheel/agon-*.whl)" site
export PYTHONPATH=$PWD/site
train() { # FOLDER GAME KEY=VALUE...
  local run=$1 game=$2; shift 2
  "$AGON" train "$game" frames=3k pace=lockstep actors.slots=32 actors.lanes=8 league.end_games=0 metrics.evaluation_episodes=0 \
    --run-dir "$run" --quiet "$@" || fail "training $run"
}
# try RUN [--tolerance T]: all formats of its main, against what it does in a thousand positions
try() {
  local run=$1; shift
  "$AGON" export "$run" --examples 1000 --output "$run.agon" > said.txt || fail "export of $run"
  for format in npz safetensors onnx c; do "$AGON" export "$run" --format $format --output "$run.$format" > said.txt || fail "$format of $run"; done
  echo "$run"
  $python "$here/export_check.py" "$run.agon" "$lib" "$@" || fail "$run is not what was exported"
  if [ -n "$torch" ]; then "$torch" "$here/export_check.py" torch "$run.safetensors" "$@" || fail "$run.safetensors in PyTorch"; fi
  if [ -n "$runner" ]; then "$runner" "$here/export_check.py" onnx "$run.onnx" "$@" || fail "$run.onnx"; fi
}
train mlp tic_tac_toe frames=12k actors.eval_share=0.25; try mlp --query "$AGON" mlp
train conv connect_four net.conv='[8,8]' net.hidden='[32]' net.layer_norm=true net.activation=gelu; try conv --query "$AGON" conv
train gru kuhn_poker net.memory=gru net.memory_size=24 net.activation=relu; try gru
train lstm leduc_poker net.memory=lstm net.memory_size=20 net.separate=true; try lstm
train last foraging net.last_action=true net.agent_id=agent net.memory=gru net.memory_size=16 net.normalise_observations=true; try last
train share simple_spread net.sharing=none net.normalise_observations=true net.normalise_returns=true; try share
train worths simple_spread learner.algorithm=iql; try worths
train squashed simple_spread learner.algorithm=maddpg env.actions=box actors.unroll=25; try squashed
train attend simple_spread learner.algorithm=mappo net.messages.kind=attention net.messages.top=1 net.memory=gru net.memory_size=8; try attend
train gated "$PLUGINS/libplugin_tell.so" learner.algorithm=mappo net.messages.kind=gated net.messages.rounds=2; try gated
train near simple_spread learner.algorithm=mappo net.messages.kind=nearest net.messages.nearest=1 net.last_action=true; try near
train box "$PLUGINS/libplugin_aim.so" net.last_action=true net.memory=lstm net.memory_size=8; try box
train dials "$PLUGINS/libplugin_dials.so" net.last_action=true net.memory=gru net.memory_size=8 net.agent_id=agent; try dials
# products of rounded numbers: another order of their sums now and then rounds an input of the next layer the other way
train half connect_four precision=bf16 net.hidden='[64,64]'; try half --tolerance 5e-3 --query "$AGON" half

# what agon query says of a position is what the examples hold, and libagon gives
echo "" | "$AGON" query mlp --json > query.json
HERE=$here $python - "$lib" << 'P' || fail "agon query says something else"
import json, os, sys
sys.path.insert(0, os.environ["HERE"])
import numpy as np, export_check as x
lib = x.Library(sys.argv[1])
agent, info = lib.open("mlp.agon")
e = {"observations": np.zeros((1, 2, 3, 3), np.uint8), "masks": np.ones((1, 9), np.uint8), "agents": np.zeros(1, np.uint32),
     "alive": np.ones(1, np.uint8), "acts": np.ones(1, np.uint8), "positions": np.zeros((1, 3), np.float32), "memory": np.zeros((1, 0), np.float32),
     "actions": np.zeros((1, 1), np.int32), "probabilities": np.zeros((1, 9), np.float32)}
got = lib.act(agent, info, e)
said = json.load(open("query.json"))["agents"][0]
assert np.abs(got["probabilities"][0] - said["probabilities"]).max() < 1e-5 and abs(got["values"][0] - said["value"]) < 1e-5
# by chance: as often as the probabilities say, and the same seed gives the same
e = {k: np.repeat(v, 20000, 0) for k, v in e.items()}
a, b, c = (lib.act(agent, info, e, seed=s, greedy=False)["actions"] for s in (1, 1, 2))
assert np.array_equal(a, b) and not np.array_equal(a, c)
often = np.bincount(a[:, 0], minlength=9) / len(a)
assert np.abs(often - said["probabilities"]).max() < .02, often
P

# the metadata: what is known, and nothing that is not
"$AGON" export mlp --output said.agon --licence CC0-1.0 > said.txt
$python - "$AGON" << 'P' || fail "the metadata"
import json
text = open("said.agon", "rb").read()
meta = json.loads(text[64:64 + int.from_bytes(text[24:32], "little")])
assert meta["licence"] == "CC0-1.0" and meta["env"]["name"] == "tic_tac_toe" and meta["player"] == "main_0"
assert meta["lineage"][0]["player"] == "main_0" and meta["algorithm"], meta
# the rating is that of agon rate; where nobody is to be beaten there is none
import subprocess, sys
said = subprocess.run([sys.argv[1], "rate", "mlp", "--json"], capture_output=True, text=True).stdout
rated = [p for p in json.loads(said or '{"players": []}')["players"] if p["player"] == "main_0"]
known = bool(rated) and rated[0]["elo"] is not None
assert known == ("rating" in meta), (rated, meta)
if known: assert abs(meta["rating"]["elo"] - rated[0]["elo"]) < 1e-6 and abs(meta["rating"]["low"] - rated[0]["elo_low"]) < 1e-6 and meta["rating"]["anchor"] == "random"
text = open("share.agon", "rb").read()
assert "rating" not in json.loads(text[64:64 + int.from_bytes(text[24:32], "little")])
P

# neither MPI nor HDF5, nor anything else but libm
needs=$(ldd "$lib" | awk '{print $1}' | grep -vE 'linux-vdso|ld-linux|libm\.so|libc\.so|lib[a-z]*san\.so|libstdc|libgcc|libdl|libpthread|librt' || true)
[ -z "$needs" ] || fail "libagon needs $needs"
if command -v c++ > no.txt && ! ldd "$lib" | grep -q san.so; then
  cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I "$root/include" "$root/deploy/agents/self_play.c" "$(dirname "$AGON")/libagon.a" -lm -o self_play
  expect 0 "x to [0-8], expects" ./self_play mlp.agon
  expect 2 "plays connect_four" ./self_play conv.agon
  # C files of several agents in one program of C++
  cat > both.cc << 'C'
#include "mlp.h"
#include "conv.h"
#include <cstdio>
int main() {
  const uint8_t seen[mlp_OBSERVATION] = {}, board[conv_OBSERVATION] = {};
  int32_t action[2];
  mlp_rows a = {};
  conv_rows b = {};
  mlp_open();
  conv_open();
  a.count = b.count = a.greedy = b.greedy = 1;
  a.observations = seen, b.observations = board, a.actions = action, b.actions = action + 1;
  if (mlp_act(&a) || conv_act(&b)) return 1;
  std::printf("%d and %d\n", action[0], action[1]);
}
C
  for stem in mlp conv; do cc -std=c11 -c -O2 $stem.c -o $stem.o; done
  c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror both.cc mlp.o conv.o -lm -o both
  expect 0 "^[0-8] and [0-6]$" ./both
  c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I "$root/include" "$root/deploy/agents/about.cc" "$lib" -Wl,-rpath,"$(dirname "$lib")" -o about
  expect 0 "main_0 of simple_spread: sees 18 numbers, remembers 8" ./about attend.agon
  expect 0 "main_0 of leduc_poker" ./about lstm.agon
  # what is no agent, or is torn or changed
  expect 1 "cannot be opened" ./about none.agon
  expect 1 "mlp.npz: not an agent's file" ./about mlp.npz
  head -c 5000 mlp.agon > torn.agon
  expect 1 "the file is damaged: it has 5000 bytes of" ./about torn.agon
  $python -c 'b = bytearray(open("mlp.agon", "rb").read()); b[len(b) // 2] ^= 1; open("bit.agon", "wb").write(b)'
  expect 1 "checksum" ./about bit.agon
fi
expect 2 "only what has learned one can be exported" "$AGON" export mlp --player random
expect 2 "main_0" "$AGON" export mlp --player main_7
expect 2 "format is one of" "$AGON" export mlp --format xml
expect 2 "name one run" "$AGON" export
expect 5 "cannot" "$AGON" export mlp --output none/where.agon
echo passed

# and as players (onnx.sh skips itself where nobody gives it onnxruntime)
[ -z "$runner" ] || AGON_ONNX_PYTHON=$runner "$here/onnx.sh" || fail "ONNX files as players"
