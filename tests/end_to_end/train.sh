#!/usr/bin/env bash
# The same configuration runs to its end alone, under mpirun on 1, 2, 3 and 5 ranks, and in every pace; what it leaves is
# whole and readable by others.
. "$(dirname "$0")/common.sh"
"$AGON" train "$smoke" --run-dir alone > alone.txt
grep -q "ended: the frames are done" alone.txt || fail "no end summary"
# two threads of one core are one core
first=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
threads=$(cat "/sys/devices/system/cpu/cpu$first/topology/thread_siblings_list" 2> /dev/null || echo "$first")
taskset -c "$threads" "$AGON" train "$smoke" --run-dir bound frames=1k > bound.txt
grep -q "rank 0 bound to 1 core$" bound.txt || { cat bound.txt; fail "bound to one core"; }
grep -qE "\] host    .+: [1-9][0-9]* packages?, [1-9][0-9]* cores?, [1-9][0-9]* hardware threads?; 1 rank here$" bound.txt ||
  { cat bound.txt; fail "no line of the host"; }
for n in 1 2 3 5; do
  mpi $n "$AGON" train "$smoke" --run-dir r$n > r$n.txt || { cat r$n.txt; fail "$n ranks"; }
  grep -q "ended: the frames are done" r$n.txt || fail "no end summary on $n ranks"
  "$AGON" checkpoint verify r$n | grep -q "is whole" || fail "checkpoint of $n ranks"
done
mpi 3 "$AGON" train "$smoke" --run-dir free pace=free --quiet
mpi 3 "$AGON" train "$smoke" --run-dir shared placement=shared learner.ranks=2 pace=lockstep --quiet
mpi 2 "$AGON" train "$smoke" --run-dir impala learner.algorithm=impala impala.upgo=1 net.memory=gru learner.reference=0.1 learner.reference_every=5 \
  net.normalise_returns=true net.normalise_observations=true --quiet
for p in alphastar-pseudocode tstarbot-x openai-five fictitious self-play; do
  "$AGON" train "$smoke" --run-dir $p league.preset=$p league.exploiter_snapshot_min=0 league.league_snapshot_min=0 frames=20k --quiet || fail "preset $p"
done
for e in kuhn_poker leduc_poker goofspiel connect_four matrix_game; do
  mpi 2 "$AGON" train "$smoke" game=$e --run-dir $e frames=10k --quiet || fail "$e"
done
mpi 2 "$AGON" train skirmish --run-dir skirmish frames=30k actors.slots=16 actors.lanes=8 'net.hidden=[16]' net.memory=lstm net.memory_size=8 --quiet || fail skirmish
grep -q '"env/damage_team_0"' skirmish/metrics.jsonl || fail "no env metrics"
# a resumed job's rates are its own, and what is read of a run is whole: shares of time within 100 %, no more frames than were asked for
mpi 2 "$AGON" train "$smoke" --run-dir r3 --resume must frames=120k metrics.seconds=0.1 metrics.progress=0.1 > more.txt
"$AGON" report r3 > /dev/null
"$AGON" watch r3 --times 1 > watch.txt
grep -q " 100 %  120 k of 120 k frames" watch.txt || { cat watch.txt; fail "watch's share of frames"; }
$python - "$root" <<'P'
import glob, json, re, sys, h5py
for name in ("alone.txt", "r1.txt", "r2.txt", "r3.txt", "r5.txt", "more.txt"):
    text = open(name).read()
    log = open(name.replace("more", "r3").replace(".txt", "/log.txt")).read()
    shares = re.findall(r"% of time: (.*)", log)
    shares = shares[-2:] if name == "more.txt" else shares[:2] # r3 has had two jobs
    assert len(shares) == 2 and "% of time" not in text, text
    # the table says the same in words: each role's column sums up to its time, and to what the log has of its parts
    table = text.split("where the time of a rank went")[1].split("league:")[0]
    rows = re.findall(r"\]   (\S.{33}[^\n]*)", table)
    column = [[float(v) for row in rows for v in re.findall(r"s +([\d.]+) %", row[c])] for c in (slice(36, 55), slice(55, 90))]
    for parts, line, count in zip(column, shares, (5, 3)):
        assert len(parts) == count and sum(parts) <= 101, (name, parts, table)
        assert abs(sum(parts) - sum(float(p.split()[1]) for p in line.split(", "))) < 0.6, (name, parts, line)
    assert ("who waited longest" in table) == bool(re.search(r" [2-9] (actors|learners)", table)), table
    plan = re.search(r"plan    (.*)", text)[1]
    assert "tic_tac_toe" in plan and "main_0 and 2 exploiters" in plan and plan.endswith(f"until {120 if name == 'more.txt' else 60}.0 k frames are learned from".replace("120.0", "120")), plan
    # how long is said only by what was measured: by this run before, and on each line while frames are left
    # (a job before of less than a second measured nothing)
    before = float(re.search(r"frames in ([\d.]+) s", open("r3.txt").read())[1]) if name == "more.txt" else 0
    told = "as fast as that, the rest takes" in text
    assert told == (before >= 1) or 0.9 < before < 1.1, (before, text)
    for line in re.findall(r".* frames/s, tick .*", text):
        done, unit, rate, per = re.search(r"([\d.]+)( k)? of [\d.]+ k frames, (\S+)( [kM])? frames/s", line).groups()
        rest = (120 if name == "more.txt" else 60) * 1000 - float(done) * (1000 if unit else 1)
        if rest <= 0 or rate in ("n/a", "0"): assert " to go, " not in line, line
        elif rest > 0.7 * float(rate) * {" k": 1e3, " M": 1e6, None: 1}[per]: assert " to go, " in line, line  # half a second is not told of
        assert " 0 s to go" not in line, line
    for line in shares:
        total = sum(float(part.split()[1]) for part in line.split(", "))
        assert total <= 101, (name, total, line)  # each rounded to a tenth
    target = 120 if name == "more.txt" else 60
    done = [(float(a) * (1000 if k else 1), float(b) * 1000) for a, k, b in re.findall(r"([\d.]+)( k)? of ([\d.]+) k frames,", text)]
    assert done and done[-1] == (target * 1000, target * 1000) and all(a <= b for a, b in done), (name, done)
    assert "first snapshot" not in text
# the newcomer's list explains each kind of line that a job prints
listed = re.findall(r"^\| `([^`]+)`", open(sys.argv[1] + "/deploy/README.md").read().split("## What the quick start prints")[1].split("\n## ")[0], re.M)
for line in re.findall(r"^\[ *[\d.]+\] (\S.*)", open("r2.txt").read() + open("more.txt").read(), re.M):
    parts = [word.split(", ...") for word in listed]
    assert any(line.startswith(p[0]) if len(p) == 1 and not " " in p[0] else p[0] in line for p in parts), line
records = [json.loads(line) for line in open("r3/metrics.jsonl")]
step, seconds = (records[1][k] - records[0][k] for k in ("global_step", "seconds"))
assert records[1]["charts/SPS"] <= 1.5 * step / seconds, (records[1]["charts/SPS"], step, seconds)
f = h5py.File(sorted(glob.glob("r3/checkpoints/*.h5"))[-1], "r")
mean = f["run/counters"][1] / f["run/seconds"][()].item()
page = re.search(r"frames a second, mean</span><b>([\d.]+)( k)?", open("r3/report.html").read())
assert abs(float(page[1]) * (1000 if page[2] else 1) / mean - 1) < 0.02, (page[0], mean)
P
"$AGON" league show r3 | grep -q "main_0-000001" || fail "league show"
h5dump -H r3/checkpoints/000001.h5 | grep -q 'GROUP "payoff"' || fail "h5dump"
$python - <<'P'
import glob, h5py, json
f = h5py.File(sorted(glob.glob("r3/checkpoints/*.h5"))[-1], "r")
names = [n.decode().rstrip("\0") for n in f["league/name"]]
assert names[0] == "main_0" and "main_0-000000" in names, names
frozen = f["league/frozen"][:]
home, away, raw = f["payoff/home"][:], f["payoff/away"][:], f["payoff/raw"][:]
assert raw.shape == (len(home), 12) and len(home) == len(away)
row = {(h, a): r for h, a, r in zip(home, away, raw)}
for (h, a), r in row.items():  # each seat mirrors the other player's other seat
    back = row[a, h]
    assert r[0] == back[6] and r[1] == back[9] and r[2] == back[8] and r[3] == back[7], (h, a, r, back)
policy, adam = f["players/main_0/policy"][:], f["players/main_0/adam_m"][:]
assert len(policy) == len(adam) + 2
shape, offset, layer = f["layers/shape"][:], f["layers/offset"][:], [n.decode().rstrip("\0") for n in f["layers/name"]]
assert layer[0] == "dense0.weight" and tuple(shape[0][:2]) == (32, 18)
assert b"tic_tac_toe" in f["config"][0]
files = glob.glob("r3/players/*.h5")
assert len(files) == frozen.sum(), (len(files), frozen.sum())
one = h5py.File(sorted(files)[0], "r")
assert one.attrs["kind"].decode().startswith("player") if isinstance(one.attrs["kind"], bytes) else one.attrs["kind"].startswith("player")
assert len(one["policy"]) == len(policy)
lines = [json.loads(l) for l in open("r3/metrics.jsonl")]
assert lines and lines[-1]["global_step"] >= 120000
assert all(p + "/mean_return" in lines[-1] and lines[-1][p + "/return_episodes"] > 0 for p in ("main_0", "main_exploiter_0", "league_exploiter_0"))
status = json.load(open("r3/status.json"))
assert status["state"] == "finished" and status["frames"] >= 120000 and status["players"][0]["return"]["episodes"] > 0
P
echo passed
