#!/usr/bin/env bash
# Asking a job to stop: by file and by signal, early and late, with and without mpirun; and whom a request is not for.
. "$(dirname "$0")/common.sh"
expect 2 "run-dir: the name of the folder is empty" "$AGON" train "$smoke" --run-dir ""
for c in status stop; do expect 2 "the run folder's name is empty" "$AGON" $c ""; done
"$AGON" train "$smoke" --run-dir run --quiet
expect 3 "run is not running: there is nothing to stop" "$AGON" stop run
[ ! -e run/stop ] || fail "a stop file for nobody"
touch run/stop
expect 0 "ended: the frames are done" "$AGON" train "$smoke" --run-dir run --resume auto frames=70k
grep -q "warning: removed run/stop: it was meant for an earlier job" run/log.txt || fail "a stop file of before"
$python - "$AGON" "$smoke" <<'P'
import glob, os, signal, subprocess, sys, time
agon, smoke = sys.argv[1:]

def start(name):
    return subprocess.Popen([agon, "train", smoke, "--run-dir", name, "--resume", "auto", "frames=100M"],
                            stdout=open(name + ".txt", "w"), stderr=subprocess.STDOUT)

def saved(job, name, why):
    code = job.wait(60)
    text = open(name + ".txt").read()
    assert code == 0 and "ended: " + why in text, (name, code, text[-500:])
    assert glob.glob(name + "/checkpoints/*.h5")

# alone, in the middle: the first request saves
for number, why in ((signal.SIGINT, "a signal"), (signal.SIGTERM, "a signal"), (signal.SIGUSR1, "SIGUSR1")):
    name = "alone%d" % number
    job = start(name)
    while not os.path.exists(name + "/status.json"): time.sleep(.01)
    job.send_signal(number)
    saved(job, name, why)
# as early as a handler stands, which is before MPI starts to load its parts
def caught(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("SigCgt:"): return int(line.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1
early = False
for attempt in range(20):
    job = start("early")
    while not caught(job.pid): pass
    early = "mca_" not in open("/proc/%d/maps" % job.pid).read()
    job.send_signal(signal.SIGUSR1)
    saved(job, "early", "SIGUSR1")
    if early: break
assert early, "signals are caught only when MPI has started"
P
echo passed
