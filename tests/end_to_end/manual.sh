#!/usr/bin/env bash
# Manual pages and completion: every command, flag and key is in them, and their readers take them without a word.
. "$(dirname "$0")/common.sh"
mkdir man
"$AGON" help --man man
"$AGON" help --completion bash > agon.bash
"$AGON" help --completion zsh > _agon
"$AGON" config schema --json > schema.json
$python - "$AGON" <<'P'
import json, re, subprocess, sys
def run(*words): return subprocess.run([sys.argv[1], *words], capture_output=True, text=True, check=True).stdout
commands = re.findall(r"^  ([a-z]+) +\S", run("help").split("commands:")[1].split("\n\n")[0], re.M)
assert len(commands) >= 20 and {"train", "version", "help"} <= set(commands), commands
bash, zsh, main = open("agon.bash").read(), open("_agon").read(), open("man/agon.1").read().replace("\\-", "-")
flags = 0
for command in commands:
    page = open(f"man/agon-{command}.1").read().replace("\\-", "-")
    assert f"agon-{command}" in main and f"agon {command}" in page, command
    bash_row = re.search(rf"^  {command}\) words=\"(.*)\" ;;$", bash, re.M)[1].split()
    zsh_row = re.search(rf"^  {command}\) flags=\((.*)\) ;;$", zsh, re.M)[1]
    assert re.search(rf"'{command}:", zsh), command
    for flag in re.findall(r"^  (--[a-z-]+)", run("help", command), re.M):
        flags += 1
        assert f"\\fB{flag}\\fR" in page and flag in bash_row and f"'{flag}:" in zsh_row, (command, flag)
assert flags > 40, flags
keys = [o["key"] for o in json.load(open("schema.json"))]
assert len(keys) > 80
for key in keys: assert f"\\fB{key}\\fR=" in main and f" {key}=" in bash and f"'{key}:" in zsh, key
P
bash -n agon.bash
[ -z "$(command -v zsh)" ] || zsh -n _agon
# as a shell would ask: the command, its flags, a game, a key
complete_line() {
  bash -c '. ./agon.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _agon; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
[ "$(complete_line agon vers)" = version ] || fail "a command is not completed"
[ "$(complete_line agon train --res)" = --resume ] || fail "a flag is not completed"
[ "$(complete_line agon train connect_f)" = connect_four ] || fail "a game is not completed"
[ "$(complete_line agon train connect_four learner.rate_e)" = learner.rate_end= ] || fail "a key is not completed"
touch here.yaml
[ "$(complete_line agon train her)" = here.yaml ] || fail "a file is not completed"
if [ -n "$(command -v man)" ]; then
  for page in man/*.1; do
    MANWIDTH=100 man --warnings -E UTF-8 -l "$page" > shown.txt 2> warned.txt
    [ ! -s warned.txt ] || { cat warned.txt; fail "$page is not good troff"; }
    grep -q "SYNOPSIS" shown.txt || fail "$page shows nothing"
  done
fi
[ "$(complete_line agon help learner.rate_e)" = learner.rate_end ] || fail "a key to be explained is not completed"
# help: every key, section and term is explained, within the width of the terminal; the README's terms are the program's
cat > topics.py <<'P'
import json, os, pty, re, struct, subprocess, sys, fcntl, termios
agon, root = sys.argv[1:]
def run(*words, width="80"):
    return subprocess.run([agon, *words], capture_output=True, text=True, check=True, env=dict(os.environ, COLUMNS=width)).stdout
def plain(text): return re.sub(r"\s+", " ", text).strip()
schema = json.load(open("schema.json"))
by_section = {}
for o in schema: by_section.setdefault(o["key"].split(".")[0] if "." in o["key"] else "run", []).append(o)
for o in schema:
    shown = plain(run("help", o["key"]))
    assert shown.startswith(o["key"]) and plain(o["help"]) in shown and f"default {o['default'] or '(empty)'}" in shown and "used in" in shown, shown
    if o.get("choices"): assert "one of " + o["choices"].replace("|", ", ") in shown, shown
for section, options in by_section.items():
    shown = run("help", section + ".*")
    assert shown.startswith(section + ": ") and all(f"  {o['key']}=" in shown for o in options), shown
    assert re.search(rf"^  {section}(\.\*)? ", run("help", "keys"), re.M), section
assert "learner.rate" in run("help", "learning_rate") and "known as" in run("help", "lr") and "may not change" in run("help", "net.hidden")
assert "'agon help league.*' lists the keys" in run("help", "league")
# recorded games are one thing, kept experience another
assert "experience that is kept and learned from again" in plain(run("help", "replay")), run("help", "replay")
terms, shown = {}, run("help", "terms")
for row in re.split(r"\n(?=  \S)", "\n" + shown):
    if row.strip(): terms[row[2:19].strip()] = plain(row[19:])
for name in ("lane", "tick", "pace", "cut", "slot", "unroll", "PFSP", "NashConv", "main", "exploiter", "snapshot"): assert terms[name], name
readme = open(root + "/README.md").read().split("## How it works")[1].split("\n## ")[0]
found = re.findall(r"\*\*([^*]+)\*\*: (.*?)(?=\s\*\*|\n- |\n\n)", readme, re.S)
assert len(found) >= 12, found
for name, text in found: assert plain(text).replace("`", "'") == terms[name], (name, plain(text), terms.get(name))
page = plain(open("man/agon.1").read().replace("\\-", "-").replace("\\&", ""))
for name, text in terms.items(): assert text in page.replace("`", "'"), name
assert plain(run("help", "nashconv")) == "NashConv " + terms["NashConv"]
commands = re.findall(r"^  ([a-z]+) +\S", run("help").split("commands:")[1].split("\n\n")[0], re.M)
for width in ("60", "100"):
    for words in [("help",), ("help", "terms"), ("help", "keys")] + [("help", w) for w in commands] + [("help", s + ".*") for s in by_section]:
        for line in run(*words, width=width).splitlines():
            # what is longer is one word, or an example of input as it is
            assert len(line) <= int(width) or len(line.split()) == 1 or line.startswith("  {"), (words, line)
# a terminal's own width counts more than COLUMNS
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 50, 0, 0))
    os.environ["COLUMNS"] = "150"
    os.execv(agon, [agon, "help", "terms"])
text = b""
try:
    while part := os.read(terminal, 65536): text += part
except OSError: pass
os.waitpid(pid, 0)
lines = [len(line) for line in text.decode().replace("\r", "").splitlines()]
assert 40 < max(lines) <= 50, max(lines)
P
$python topics.py "$AGON" "$root"
expect 2 "did you mean 'learner.rate'" "$AGON" help learner.rat
expect 2 "did you mean 'NashConv'" "$AGON" help nashcon
expect 0 "^  evaluation lane  a lane from which nobody learns" "$AGON" help evaluation lane
expect 0 "^  evaluation lane  a lane from which nobody learns" "$AGON" help "Evaluation Lane"
expect 2 "no command 'train soon', nor a key" "$AGON" help train soon
expect 2 "'checkpoint.seconds' or 'metrics.seconds'" "$AGON" help seconds
expect 2 "env.cards is an option of a game: 'agon env info GAME'" "$AGON" help env.cards
expect 2 "'fish' is neither bash nor zsh" "$AGON" help --completion fish
expect 5 "cannot write ./nowhere/agon.1" "$AGON" help --man ./nowhere
expect 2 "no command 'frobnicate'" "$AGON" help frobnicate
echo passed
