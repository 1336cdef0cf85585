#!/usr/bin/env bash
# What agon doctor says of this host, and of hosts that lack something: in place of launchers and interpreters stand scripts.
. "$(dirname "$0")/common.sh"
mkdir -p good bad runs
fake() { printf '#!/bin/sh\n%s\n' "$2" > "$1"; chmod +x "$1"; }
# line CHECK VERDICT PATTERN: of what the last call with --json said
line() { $python - "$@" <<'P'
import json, re, sys
check, verdict, pattern = sys.argv[1:]
text = open("out.txt").read()
all = json.JSONDecoder().raw_decode(text[text.index("["):])[0]
got = [f for f in all if f["check"] == check]
assert len(got) == 1 and got[0]["verdict"] == verdict and re.search(pattern, got[0]["found"] + " -> " + got[0]["advice"]), (got, all)
assert (verdict == "ok") == (not got[0]["advice"]), got
P
}
# Pythons that say what they have when they are asked, one without numpy and one with it, which is the real one beyond that
words='echo "python 3.12.1 /opt/python"; echo "has h5py 3.1"; echo end'
fake good/python "$words"
fake good/numpy "[ \"\$1\" = -c ] || exec $python \"\$@\"; $words; echo 'has numpy 2.0'"
export AGON_PYTHON=$work/good/python
# --- this host: mpirun starts ranks that meet (the tests need that), and the folder is good; nothing is left behind
expect 0 "^ok +launch +mpirun -n 2: both ranks met" "$AGON" doctor --timeout 60
expect 0 "." env AGON_PYTHON="$work/good/numpy" "$AGON" doctor runs --json --timeout 60
line launch ok "both ranks met"
line locks ok "seen by other processes"
line python ok "3.12.1 /opt/python; it has h5py 3.1, numpy 2.0"
line bridge ok "a game of Python plays"
line fsync ok "ms" || line fsync note "ms"
[ -z "$(find . -name '.agon-doctor*')" ] || fail "a file was left"
# --- launchers that are not there, hang, fail, or are of another MPI
expect 5 "." env PATH="$work/bad" "$AGON" doctor --json
line launch do "No such file.*install Open MPI"
fake bad/mpirun 'trap "" TERM; exec sleep 1000'
expect 5 "." env PATH="$work/bad:$PATH" "$AGON" doctor --json --timeout 3
line launch do "has not come back within 3 s -> it hangs"
fake bad/mpirun 'echo "There are not enough slots available in the system"; exit 1'
expect 5 "1 of the checks say that something is to be done" env PATH="$work/bad:$PATH" "$AGON" doctor --json
line launch do "exit code 1.*not enough slots.*--oversubscribe"
fake bad/mpirun 'for i in 1 2; do echo "rank 0 of 1, 1 bound, shared"; done'
expect 5 "." env PATH="$work/bad:$PATH" "$AGON" doctor --json
line launch do "two jobs of one rank each.*of different MPIs"
fake bad/mpirun 'case "$*" in *core*) echo "no core for you"; exit 1;; esac; for i in 0 1; do echo "rank $i of 2, 2 bound, apart"; done'
expect 0 "." env PATH="$work/bad:$PATH" "$AGON" doctor --json
line launch note "share no memory"
if [ "$(nproc)" -gt 1 ]; then line binding note "fails: no core for you -> say --bind-to none"; fi
# --- told to end itself, it takes what hangs along, whatever group that has put itself into, and ends by the signal
fake bad/mpirun 'setsid sh -c "echo \$\$ > hangs; exec sleep 1000" & wait'
PATH="$work/bad:$PATH" "$AGON" doctor --timeout 600 > told.txt 2>&1 & job=$!
for i in $(seq 3000); do [ -s hangs ] && break; sleep 0.02; done
kill -TERM "$job"
code=0; wait "$job" || code=$?
[ $code = 143 ] || { cat told.txt; fail "told to end: exit code $code"; }
for i in $(seq 500); do kill -0 "$(cat hangs)" 2> /dev/null || break; sleep 0.02; done
if kill -0 "$(cat hangs)" 2> /dev/null; then kill -9 "$(cat hangs)"; fail "what hung is left behind"; fi
if grep -q "launch" told.txt; then fail "what it was told to leave says nothing of the host"; fi
rm bad/mpirun
# --- Python: none, one that hangs, one with a package that cannot be imported
expect 0 "." env AGON_PYTHON="$work/nothing" "$AGON" doctor --json
line python note "nothing does not run"
fake bad/python 'echo "python 3.9.0 /x"; echo "has numpy 1.0"; exec sleep 1000'
expect 0 "." env AGON_PYTHON="$work/bad/python" "$AGON" doctor --json --timeout 10
line python note "not come to its end.*so far numpy 1.0"
fake bad/python '[ "$1" = -c ] || exit 3
echo "python 3.9.0 /x"; echo "has numpy 1.0"; echo end'
expect 5 "." env AGON_PYTHON="$work/bad/python" "$AGON" doctor --json
line bridge do "a game of Python fails: agon.*-> environments of Python cannot be used"
[ -z "$(ls -d /tmp/agon-doctor-* 2> /dev/null)" ] || fail "a folder was left in /tmp"
mkdir -p packages; echo 'raise ImportError("libfoo.so: cannot open")' > packages/pyspiel.py
expect 5 "." env AGON_PYTHON="$python" PYTHONPATH="$work/packages" "$AGON" doctor --json
line python do "cannot import pyspiel.*libfoo"
# --- a folder that is not to be written to; a new one below one that is
expect 5 "." "$AGON" doctor /proc/nowhere --json
line files do "/proc/.*choose a folder"
expect 0 "." "$AGON" doctor new/er --json
line "run folder" ok "^(\.|new) \(|left" || line "run folder" note "left"
[ ! -e new ] || fail "looking makes no folders"
# --- names that are no UTF-8 are in the JSON, too
mkdir $'caf\xe9'
expect 0 "." "$AGON" doctor $'caf\xe9' --json
line "run folder" ok "^caf\? \(" || line "run folder" note "^caf\? \("
# --- next to no shared memory, as in a container
if unshare -m true 2> /dev/null; then
  expect 5 "." unshare -m bash -c 'mount -t tmpfs -o size=8m tmpfs /dev/shm && exec "$@"' bash "$AGON" doctor --json
  line "shared memory" do "has 8 MB left.*shm-size"
fi
# --- a rank of a job; bad input
expect 0 "not looked at: this process is a rank" mpirun --oversubscribe --bind-to none -n 1 "$AGON" doctor
expect 2 "one folder at most" "$AGON" doctor a b
expect 2 "part is one of" "$AGON" doctor --part x
expect 2 "timeout" "$AGON" doctor --timeout 0
echo passed
