#!/usr/bin/env bash
# deploy/docs/TUTORIAL.md, typed literally: all of its `sh` blocks but the first, which installs and builds, with trainings and
# evaluations cut short. What its `text` blocks say is answered word for word.
. "$(dirname "$0")/common.sh"
text=$root/deploy/docs/TUTORIAL.md
$python - "$text" << 'P'
import re, sys
blocks = re.findall(r"^```(\w+)\n(.*?)^```$", open(sys.argv[1]).read(), re.S | re.M)
assert blocks[0][0] == "sh" and "install.sh" in blocks[0][1], "the first block is the one that installs"
typed = "".join(body for kind, body in blocks[1:] if kind == "sh")
short, trainings = re.subn(r"max_seconds=\d+", "max_seconds=4", typed)
assert trainings == 2, trainings
short = re.sub(r"--games \d+", "--games 20", short)
# a program that was built elsewhere does not find the headers beside it, and small machines are slow
short = short.replace("cmake -S . -B build", f"cmake -S . -B build -D AGON_INCLUDE={sys.argv[1].rsplit('/', 3)[0]}/include")
open("typed.sh", "w").write("set -eu -o pipefail\n" + short)
open("said.txt", "w").write("".join(body for kind, body in blocks if kind == "text"))
P
mkdir bin checkout
ln -s "$AGON" bin/agon
(cd checkout && PATH=$work/bin:$PATH bash "$work/typed.sh") > out.txt 2>&1 || { cat out.txt; fail "a command of the tutorial"; }
while read -r line; do grep -qFx -- "$line" out.txt || { cat out.txt; fail "the tutorial says that this is answered: $line"; }; done < said.txt
[ "$(grep -c "episodes, .* checks, all passed" out.txt)" = 3 ] || { cat out.txt; fail "three checks pass"; }
grep -q "zero-sum env's rewards do not cancel" out.txt || { cat out.txt; fail "the mistake is not found"; }
[ -s highroad/first/report.html ] || fail "no report"
grep -q "if (!hit)" highroad/highroad.c || fail "the game was not changed"
