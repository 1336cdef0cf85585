#!/usr/bin/env bash
# Players from ONNX files, run by onnxruntime: they decide as who was exported does, play, sit in a league beside an engine in
# Python and alphabeta-4, killed and gone on with; what does not fit is one sentence with both shapes.
. "$(dirname "$0")/common.sh"
runner=
for candidate in ${AGON_ONNX_PYTHON:-} python3 $python; do
  if "$candidate" -c 'import onnxruntime' 2> no.txt; then runner=$candidate; break; fi
done
library=
[ -z "$runner" ] || library=$("$runner" -c 'import glob, os, onnxruntime as o; print(glob.glob(os.path.dirname(o.__file__) + "/capi/libonnxruntime.so*")[0])')
[ -n "$library" ] || { echo "SKIPPED: no Python here has onnxruntime, whose library runs ONNX files"; exit 77; }
export AGON_ONNXRUNTIME=$library
small="pace=lockstep actors.slots=32 actors.lanes=8 net.hidden=[32] league.end_games=0 --quiet"
"$AGON" train tic_tac_toe frames=10k $small --run-dir run
"$AGON" export run --output main.onnx > /dev/null

# what it does in positions is what the player does
compare() { # RUN FILE ENV...: probabilities of a few positions
  local run=$1 file=$2; shift 2
  "$AGON" query "$run" --player main_0 --json < lines.txt > own.json
  "$AGON" query --env "$@" --player "$file" --json < lines.txt > onnx.json
  $python - << 'P2' || fail "$file decides otherwise"
import json
for a, b in zip(open("own.json"), open("onnx.json"), strict=True):
    for x, y in zip(json.loads(a)["agents"], json.loads(b)["agents"], strict=True):
        gap = max(abs(u - v) for u, v in zip(x["probabilities"], y["probabilities"], strict=True))
        assert gap < 1e-5, gap
P2
}
printf '\n4\n4 0\n0 4 8\n' > lines.txt
compare run main.onnx tic_tac_toe
"$AGON" train goofspiel env.cards=4 frames=3k net.agent_id=agent net.layer_norm=true $small --run-dir who
"$AGON" export who --output who.onnx > /dev/null
printf '\n' > lines.txt
compare who who.onnx goofspiel cards=4
expect 0 "main.onnx" "$AGON" match main.onnx random --env tic_tac_toe --games 40
"$AGON" eval run --players main.onnx,main_0,random --games 20 --csv none --quiet > table.txt
grep -q "main.onnx@" table.txt || { cat table.txt; fail "an ONNX file in a tournament"; }
expect 0 "main.onnx.* \(agent 1\)" bash -c "printf '?\n4\n' | '$AGON' play tic_tac_toe --player main.onnx"
"$AGON" exploit run --player main_0 --json > own.json
"$AGON" exploit --env tic_tac_toe --player main.onnx --json > onnx.json
$python - << 'P2' || fail "an ONNX file is beaten by something else"
import re
a, b = (float(re.search(r'"nash_conv": *([-0-9.e]+)', open(f).read()).group(1)) for f in ("own.json", "onnx.json"))
assert abs(a - b) < 1e-4, (a, b)
P2
"$AGON" train simple_spread env.actions=box frames=2k $small --run-dir box
"$AGON" export box --output box.onnx > /dev/null
expect 0 "mean" "$AGON" eval --env simple_spread env.actions=box --players box.onnx --games 4

# a league with guests of all kinds, killed and gone on with when the file is gone
set -- tic_tac_toe frames=12k pace=lockstep checkpoint.ticks=3 checkpoint.seconds=0 actors.slots=48 actors.lanes=12 actors.lane_episodes=4 \
  actors.eval_share=0.25 league.end_games=2 "league.guests.engine=exec:exec $python $root/deploy/python/engine.py" \
  league.guests.ab=alphabeta-4 league.guests.net=main.onnx
mpi 2 "$AGON" train "$@" --run-dir whole --quiet
kill_ranks=2 kill_in_the_middle parts "$@"
mv main.onnx elsewhere.onnx
mpi 2 "$AGON" train parts --accept-guests --quiet
same whole parts league/guest
"$AGON" rate whole > rate.txt
for name in engine ab net; do grep -q " $name " rate.txt || { cat rate.txt; fail "$name is not rated"; }; done
mv elsewhere.onnx main.onnx

# what does not fit
expect 2 "main.onnx: its observations are uint8 \[batch, 2, 3, 3\], and observations of connect_four are uint8 \[batch, 2, 6, 7\]" \
  "$AGON" match main.onnx random --env connect_four
"$AGON" train kuhn_poker frames=2k net.memory=gru $small --run-dir gru
"$AGON" export gru --output gru.onnx > /dev/null
expect 2 "gru.onnx: it remembers what it saw .*input 'memory'" "$AGON" match gru.onnx random --env kuhn_poker
head -c 3000 main.onnx > torn.onnx
expect 4 "torn.onnx: onnxruntime: " "$AGON" match torn.onnx random --env tic_tac_toe
expect 5 "nowhere.onnx" "$AGON" match nowhere.onnx random --env tic_tac_toe
expect 2 "guest who in connect_four: main.onnx: its observations are" "$AGON" train connect_four --run-dir bad league.guests.who=main.onnx
[ ! -e bad ] || fail "a folder was made for what cannot begin"
if ! ls /usr/local/lib/python3*/dist-packages/onnxruntime /usr/lib/python3/dist-packages/onnxruntime > no.txt 2>&1 && ! ldconfig -p | grep -q libonnxruntime; then
  expect 2 "run by onnxruntime, which is not found: pip install onnxruntime, or name its library, AGON_ONNXRUNTIME=" \
    env -u VIRTUAL_ENV AGON_ONNXRUNTIME=/nowhere HOME=/nowhere "$AGON" match main.onnx random --env tic_tac_toe
fi
