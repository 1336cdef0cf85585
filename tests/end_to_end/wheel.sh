#!/usr/bin/env bash
# The Python package: what is in the wheel, games in numpy, exported players; PettingZoo's and Gymnasium's own tests of all
# games where a Python has both, or can be given them.
. "$(dirname "$0")/common.sh"
build=$(dirname "$AGON")
cmake --build "$build" --target agon_wheel > built.txt 2>&1 || { tail -30 built.txt; fail "the wheel does not build"; }
wheel=$(ls "$build"/wheel/agon-*.whl)
[ "$(stat -c %s "$wheel")" -lt 2000000 ] || fail "the wheel has 2 MB or more"
mkdir site && $python -m zipfile -e "$wheel" site
ldd site/agon/libagon_wheel.so > needs.txt
if grep -vE 'linux-vdso|libm\.so|libc\.so|ld-linux|libdl\.so|libasan|libubsan|libgcc_s|libstdc|libpthread|librt' needs.txt; then fail "the library needs more than libc"; fi
export PYTHONPATH=$PWD/site
"$AGON" train tic_tac_toe frames=3k pace=lockstep actors.slots=32 actors.lanes=8 metrics.evaluation_episodes=0 --run-dir run --quiet ||
  fail "training"
"$AGON" export run --examples 200 --output main.agon > said.txt || fail "export"
"$AGON" train kuhn_poker frames=3k net.memory=gru net.memory_size=8 actors.slots=32 actors.lanes=8 metrics.evaluation_episodes=0 \
  --run-dir memory --quiet || fail "training"
"$AGON" export memory --output memory.agon > said.txt || fail "export"
expect 0 "^PLAYER/entropy " "$AGON" help series
"$AGON" train skirmish env.units=2 env.enemy=scripted frames=4k 'net.hidden=[8]' actors.slots=32 actors.lanes=8 pace=lockstep metrics.seconds=.2 \
  metrics.evaluation_episodes=4 'curriculum.stages[0].units=1' 'curriculum.stages[0].frames=2k' --run-dir team --quiet || fail "training"
$python "$here/series_check.py" "$root" run team || fail "names of numbers"
$python "$here/wheel_check.py" "$PLUGINS/libplugin_coin.so" "$PLUGINS/libplugin_market.so" || fail "the package"
AGON=$AGON RUN=book FRAMES=3k ALONE=1 $python "$here/notebook.py" "$root/deploy/python/league.ipynb" > book.txt || { cat book.txt; fail "the notebook"; }
grep -q "^main_0 scores 0\.[0-9]* +- 0\.0" book.txt || { cat book.txt; fail "the notebook does not evaluate the player"; }
zoo=
for candidate in ${AGON_ZOO_PYTHON:-} python3 $python; do
  if "$candidate" -c 'import pettingzoo, gymnasium' 2> no.txt; then zoo=$candidate; break; fi
done
if [ -z "$zoo" ] && python3 -m venv zoo 2> no.txt && zoo/bin/pip install -q --disable-pip-version-check pettingzoo gymnasium numpy > no.txt 2>&1; then
  zoo=$PWD/zoo/bin/python
fi
if [ -z "$zoo" ]; then
  echo "PettingZoo's and Gymnasium's tests are not run: no Python here has both, and pip cannot install them"
else
  "$zoo" "$here/wheel_zoo.py" main.agon memory.agon || fail "PettingZoo's or Gymnasium's tests"
fi
