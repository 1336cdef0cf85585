#!/usr/bin/env bash
# The commands that are talked to: agon query as another program's engine, agon play.
. "$(dirname "$0")/common.sh"
mkdir bin
ln -s "$AGON" bin/agon
export PATH="$work/bin:$PATH" AGON_PLUGINS="$PLUGINS/libplugin_aim.so"
train() { agon train "$smoke" frames=6k league.end_games=0 "$@" --quiet; }
train --run-dir run
train --run-dir gru net.memory=gru net.memory_size=8
train --run-dir aim game="$AGON_PLUGINS"

# the documented client is what its reader would run, and the number that it prints is that of agon query --json
sed -n '/^```python$/,/^```$/p' "$root/src/eval/README.md" | grep -v '^```' > client.py
[ "$(wc -l < client.py)" -le 16 ] || fail "the documented client has grown: $(wc -l < client.py) lines"
expect 0 "^tic_tac_toe [0-8]$" $python client.py

cat > talk.py <<'P'
import json, math, subprocess, sys
sys.argv = ["client"]
source = open("client.py").read()
exec(source[:source.index("engine = ")])

def plain(run, lines, *words):
    done = subprocess.run(["agon", "query", run, "--json", *words], input="".join(l + "\n" for l in lines), capture_output=True, text=True)
    return [json.loads(l) for l in done.stdout.splitlines()]

lines = ["", "4", "4 0", "4 4", "4 0 8 2 6 7 3", "nonsense", "0 1 2 3 4 5 6", "4 0 1 2 3 4 5 6"] * 75  # more than are evaluated at once
for run in "run", "gru":
    engine = Engine(run)
    assert engine.about["protocol"] == 1 and engine.about["game"] == "tic_tac_toe" and engine.about["team_of"] == [0, 1]
    assert engine.about["names"] == [[str(i) for i in range(9)]] and engine.about["player"].startswith("main_0@")
    batch = engine.ask(id="all", lines=lines)
    assert batch["id"] == "all" and [a["line"] for a in batch["answers"]] == lines
    single = [engine.ask(id=i, line=line) for i, line in enumerate(lines[:8])]
    assert [a.pop("id") for a in single] == list(range(8))
    asked = plain(run, lines[:8])
    for k, answer in enumerate(batch["answers"]):
        other = single[k % 8]
        assert answer.keys() == other.keys() == asked[k % 8].keys(), (answer, other)
        if "error" in answer:
            assert answer == other == asked[k % 8]
            continue
        assert other == asked[k % 8] and answer["status"] == other["status"] and answer["returns"] == other["returns"]
        for a, b in zip(answer["agents"], other["agents"]):
            assert a["agent"] == b["agent"] and abs(a["value"] - b["value"]) < 1e-5
            assert all(abs(p - q) < 1e-5 for p, q in zip(a["probabilities"], b["probabilities"]))
            assert abs(sum(a["probabilities"]) - 1) < 1e-5 and a["probabilities"][int(a["best"])] == max(a["probabilities"])
    assert [("error" in a) for a in batch["answers"][:8]] == [False, False, False, True, False, True, False, True]
    # what is wrong is an answer with the id, and the engine goes on
    def raw(text):
        engine.process.stdin.write(text + "\n")
        engine.process.stdin.flush()
        return json.loads(engine.process.stdout.readline())
    for request, id, word in (('{"id":7,"line":"9"}', 7, "no legal action"), ('{"id":7}', 7, "one of"), ('{"id":7,"line":"","quit":true}', 7, "one of"),
                              ('{"id":"x","lin":""}', "x", "'lin'"), ('{"id":7,"line":4}', 7, "string"), ('{"id":7,"lines":"4"}', 7, "list"),
                              ('{"id":[1],"line":""}', None, "an id is"), ("4 0", None, "JSON"), ("[]", None, "object"), ('{"id":7,"id":8,"line":""}', None, "JSON"),
                              ('{"id":7,"line":"' + "é" * 30 + '"}', 7, "no legal action"), ('{"id":7,"line":"a' + "é" * 30 + '"}', 7, "no legal action"),
                              ('{"line":"4\\u00004"}', None, "JSON")):
        answer = raw(request)
        assert answer["id"] == id and word in answer["error"] and next(iter(answer)) == "id", (request, answer)
    assert engine.ask(id=2 ** 60, lines=[])== {"id": 2 ** 60, "answers": []}
    assert engine.ask(lines=[3, "4"])["answers"][0] == {"line": 3, "error": "a line of play is a string"}
    assert engine.ask(id="end", quit=True) == {"id": "end", "quit": True} and engine.process.wait(10) == 0

engine = Engine("run")
engine.process.stdin.close()  # gone without a word
assert engine.process.wait(10) == 0

# greedy: all on the best
engine = Engine("run", "--greedy")
for answer in engine.ask(lines=["", "4"])["answers"]:
    assert sorted(answer["agents"][0]["probabilities"]) == [0] * 8 + [1] and answer["agents"][0]["probabilities"][int(answer["agents"][0]["best"])] == 1
engine.ask(quit=True)

# numbers of a box: in what is answered and in lines
engine = Engine("aim")
assert (engine.about["actions"], engine.about["numbers"], engine.about["low"], engine.about["high"]) == ("box", 1, 10, 40) and "names" not in engine.about
first = engine.ask(line="")
assert [a["agent"] for a in first["agents"]] == [0, 1]
for a in first["agents"]:
    assert len(a["mean"]) == len(a["deviation"]) == 1 and a["deviation"][0] > 0 and "probabilities" not in a
    assert abs(float(a["best"]) - min(max(a["mean"][0], 10), 40)) < 1e-4
good, clipped, edge, wide, word, half, none = engine.ask(lines=["12.5 20", "-99 20", "10 20", "12.5/3 20", "left 20", "12.5", "nan 20"])["answers"]
assert good["status"] == "running" and good["returns"][0] == -good["returns"][1] != 0
assert clipped["returns"] == edge["returns"] and clipped["agents"] == edge["agents"]
for wrong in wide, word, none: assert "1 number, each from 10 to 40" in wrong["error"], wrong
assert "lacks an agent's word" in half["error"]
words = " ".join(a["best"] for a in good["agents"])
assert engine.ask(line="12.5 20 " + words)["status"] == "running"
assert plain("aim", ["12.5 20"])[0] == good
greedy = plain("aim", [""], "--greedy")[0]["agents"][0]
assert greedy["deviation"] == [0] and abs(greedy["mean"][0] - first["agents"][0]["mean"][0]) < 1e-4
engine.ask(quit=True)

# built-ins that know what they would do, not how probably; and chance
engine = Engine("--env", "goofspiel", "cards=4", "--player", "scripted")
start = engine.ask(line="")
assert start["status"] == "chance" and abs(sum(start["chance"]) - 1) < 1e-9 and start["agents"] == []
assert [set(a) for a in engine.ask(line="0")["agents"]] == [{"agent", "best"}] * 2
engine.ask(quit=True)
P
timeout 120 $python talk.py || fail "the engine"
expect 2 "one of them" agon query run --json --engine
expect 0 "^agent 0, value .*: [-0-9.]+ \+- [0-9.e-]+$" bash -c "printf '12.5 20\n' | agon query aim"

# play: the words to type stand on the board, and a move can be taken back
game() { local words=$1; shift; printf "$words" | agon play "$@" --seed 1 > played.txt; }
line() { sed -n "s/ *\$//;s/^\(.*> \)\?//;${1}p" played.txt; }
LC_ALL=C game '4\nu\n4\nq\n' tic_tac_toe --player minimax
[ "$(line 3)" = '  | 3 4 5 |' ] && [ "$(grep -c '| 3 x 5 |' played.txt)" = 2 ] && [ "$(grep -c '| 3 4 5 |' played.txt)" = 2 ] || { cat played.txt; fail "cells in ASCII"; }
if LC_ALL=C grep -q '[^ -~]' played.txt; then fail "an ASCII locale was shown something else"; fi
LC_ALL=C.UTF-8 game '4\nq\n' tic_tac_toe --player minimax
grep -q '│ 3 ✕ 5 │' played.txt || { cat played.txt; fail "cells in Unicode"; }
LC_ALL=C.UTF-8 TERM=dumb game '4\nq\n' tic_tac_toe --player minimax
grep -q '| 3 x 5 |' played.txt || fail "a dumb terminal"
LC_ALL=C game '3\nu\nu\n2\nq\n' connect_four --player random
grep -q '^    0 1 2 3 4 5 6$' played.txt || { cat played.txt; fail "numbers of columns"; }
grep -q "nothing of yours to take back" played.txt || fail "undo at the start"
[ "$(tail -4 played.txt | grep -c '|[ .o]* x [ .o]*|')" = 1 ] || { cat played.txt; fail "undone stones"; }
# both moves of a simultaneous turn go back, and so does what a player with memory has seen: the hint is the same again
LC_ALL=C game '?\n0\nu\n?\nq\n' goofspiel cards=4 --player random
LC_ALL=C game '4\n?\n0\nu\n?\nq\n' tic_tac_toe gru --player main_0 --greedy
[ "$(grep 'main_0 would' played.txt | sort -u | wc -l)" = 1 ] && [ "$(grep -c 'main_0 would' played.txt)" = 2 ] || { cat played.txt; fail "a hint after an undo"; }
LC_ALL=C game '?\n4 0\n25\nu\n30\n20\n11\n12.5\n' aim aim
grep -q "one word a move" played.txt && grep -qE "main_0 would play [0-9.]+" played.txt && grep -qE "(you won|you lost|drawn); returns" played.txt || { cat played.txt; fail "a game of numbers"; }
LC_ALL=C game 'q\n' kuhn_poker --player random
grep -q "you hold a" played.txt || fail "what is hidden"

# watch: on a screen of 80 columns strength is whole, and '?' explains, no line longer than the screen
agon watch run --times 1 > watched.txt
grep -qE "^actor waits +[0-9]+ %" watched.txt && grep -qE "^learner waits +[0-9]+ %" watched.txt || { cat watched.txt; fail "waits of ranks"; }
sed -i 's/"rating": null/"rating": {"as": "main_0-000001", "elo": -1184.4, "low": -1222.1, "high": -1147.6, "bound": 0, "games": 500.0}/' run/status.json
cat > screen.py <<'P'
import os, pty, re, select, struct, sys, time, fcntl, termios
def screen(keys, columns, rows):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", NO_COLOR="1")
        time.sleep(0.3)  # until the size is set
        os.execvp("agon", ["agon", "watch", "run", "--every", "1"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    seen, end = b"", time.time() + 60
    for key in list(keys) + ["q"]:
        looks = seen.count(b"\033[H") + 2
        while seen.count(b"\033[H") < looks and time.time() < end:
            if select.select([terminal], [], [], 0.2)[0]: seen += os.read(terminal, 65536)
        last = seen.split(b"\033[H")[-2]
        os.write(terminal, key.encode())
    while True:
        try:
            if not os.read(terminal, 65536): break
        except OSError: break
    assert os.waitpid(pid, 0)[1] == 0
    return [line.replace("\033[K", "").rstrip("\r") for line in last.decode(errors="replace").split("\n")]
for columns, rows in (80, 24), (140, 38):
    plain, legend = screen("", columns, rows), screen("?", columns, rows)
    for lines in plain, legend: assert len(lines) <= rows and max(map(len, lines)) <= columns, (columns, lines)
    assert any(l.startswith("main_0 ") and "-1184 [-1222, -1148]" in l for l in plain), plain
    assert "? explains" in plain[-1] and not any(l.startswith("score ") for l in plain)
    for word in "Elo ", "score ", "entropy ", "waits ", "lag, KL ", "frozen ": assert any(l.startswith(word) for l in legend), (word, legend)
    assert max(map(len, legend)) < 80 or columns > 80
    assert not any(l.startswith("events") for l in legend)
P
timeout 200 $python screen.py || fail "watch on a screen"
echo passed
