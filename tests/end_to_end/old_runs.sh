#!/usr/bin/env bash
# Runs of an older program (old_runs/): what looks at a run reads them, and a resume goes on with them. Nothing that was
# counted, frozen or learned is lost.
. "$(dirname "$0")/common.sh"
# $1: the folder as it was; $2: gone on with. $3 "kept": by a learning rate of 0, so that weights are still the file's.
compare() { $python - "$1" "$2" "$3" <<'P'
import glob, sys
import h5py, numpy as np
def load(run):
    file, columns = h5py.File(sorted(glob.glob(run + "/checkpoints/*.h5"))[-1], "r"), {}
    file.visititems(lambda name, o: columns.__setitem__(name, o[()]) if isinstance(o, h5py.Dataset) else None)
    return columns
old, new, kept = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3] == "kept"
assert set(old) <= set(new), set(old) - set(new)
# the run's own counters, and the ledger's, go on from where they were
for path in "run/counters", "run/ledger":
    assert (new[path] >= old[path]).all() and new[path][0] > old[path][0], (path, old[path], new[path])
assert new["run/counters"][1] >= old["run/counters"][1] + 3000
assert new["run/seconds"] > old["run/seconds"]
# players keep their places; of the frozen ones nothing changes
count = len(old["league/name"])
assert (new["league/name"][:count] == old["league/name"]).all()
frozen = old["league/frozen"] == 1
for column in "frozen", "role", "parent", "life":
    assert (new["league/" + column][:count] == old["league/" + column]).all(), column
for column in "hash", "frames", "reason":
    assert (new["league/" + column][:count] == old["league/" + column])[frozen].all(), column
assert (new["league/frames"][:count] >= old["league/frames"]).all()
# games of each pair: those that there were, and more; a pair's games are the sum of wins, draws and losses of two seats
pairs = lambda tree, kind: {(h, a): row for h, a, row in zip(tree["payoff/home"], tree["payoff/away"], tree["payoff/" + kind])}
for kind in "raw", "eval":
    before, after = pairs(old, kind), pairs(new, kind)
    assert set(before) <= set(after)
    for pair, row in before.items():
        for first in 0, 6: # of each seat: games, wins, draws, losses, return, squares
            assert (after[pair][first:first + 4] >= row[first:first + 4]).all(), (kind, pair, row, after[pair])
games = lambda tree: sum(row[0] + row[6] for kind in ("raw", "eval") for row in pairs(tree, kind).values())
assert games(new) > games(old) > 0
# lanes: the same ones, with games under way
assert (new["lanes/id"] == old["lanes/id"]).all() and len(old["lanes/state"]) > 0
for path in old:
    if not path.startswith("players/"): continue
    was, now = old[path], new[path]
    what = path.split("/")[2]
    assert was.shape == now.shape and was.dtype == now.dtype, path
    if what == "counters": # life, version, oldest version, frames, dropped, steps, frames of the life, of the run
        assert now[0] == was[0] and (now[1:] >= was[1:]).all() and now[1] > was[1] and now[5] > was[5], (path, was, now)
    elif what == "policy":
        assert np.array_equal(was, now) == kept, (path, kept)
    elif what in ("policy_acting", "policy_reference"): # of no use in lockstep without learner.reference
        assert np.array_equal(was, now), path
    elif what == "adam_m": # moments move on, from what they were: of a main that has begun they were not zero
        assert not np.array_equal(was, now), path
P
}
resume() { # the run $1, to $2 frames, on $3 ranks
  local run=$1 frames=$2 ranks=$3; shift 3
  mpi "$ranks" "$AGON" train --resume "$run" --quiet "frames=$frames" league.main_reset=0 league.exploiter_reset=0 "$@" \
    || fail "going on with $run"
  expect 0 "is whole" "$AGON" checkpoint verify "$run"
}
for folder in "$here"/old_runs/*/; do
  game=$(basename "$folder")
  cp -r "$folder" "$game"
  # looking, before anything is written
  expect 0 "000001.h5 is whole" "$AGON" checkpoint verify "$game"
  expect 0 "^$game: $game, checkpoint 000001, " "$AGON" league show "$game"
  expect 0 "^ *main_0-000000 +[0-9]+ games" "$AGON" league show "$game"
  expect 0 "^ +[0-9]+ main_0-000000 " "$AGON" rate "$game"
  expect 0 "^ +[0-9]+ main_0@[0-9a-f]+ " "$AGON" eval "$game" --players main_0,main_0-000000,random --games 20
  expect 0 "" "$AGON" report "$game"
  cp -r "$game" "$game.before"
  resume "$game" 8k 1 learner.rate=0 learner.rate_end=0
  compare "$game.before" "$game" kept
  for file in "$game.before"/players/*.h5; do cmp "$file" "$game/players/$(basename "$file")" || fail "$file changed"; done
  cp -r "$game.before" "$game.more"
  ranks=1
  [ "$game" != skirmish ] || ranks=2 # its ticks are few: on a busy machine each waits for the other rank's turn
  resume "$game.more" 8k $ranks learner.rate=0.001 learner.rate_end=0.001
  compare "$game.before" "$game.more" learned
  expect 0 "^ +[0-9]+ main_0-000000 " "$AGON" rate "$game.more"
done
for table in */games.csv; do # lines that this program added to a file of the older one are as long as its header
  all=none
  [[ $table != matrix_game* ]] || all=26 # or have every column: what b earned is not what a lost, and would be lost
  awk -F, -v all=$all 'NR == 1 { columns = NF } NF != columns && NF != all { exit 1 }' "$table" || fail "$table is no table any more"
done
echo passed
