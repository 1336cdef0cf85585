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
expect 2 "'fish' is neither bash nor zsh" "$AGON" help --completion fish
expect 5 "cannot write ./nowhere/agon.1" "$AGON" help --man ./nowhere
expect 2 "no command 'frobnicate'" "$AGON" help frobnicate
echo passed
