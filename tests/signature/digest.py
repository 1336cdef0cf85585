"""digest.py NAME RUN: one line for run.sh: NAME, the digest of the policies, of all the state, and of the games in games.csv."""
import csv, glob, hashlib, os, sys
import h5py

name, run = sys.argv[1:]
NOT_COMPUTED = ("run/seconds", "config")  # the time it took, and the names of its own folder
state, policies = hashlib.sha256(), hashlib.sha256()


def add(path, node):
    if not isinstance(node, h5py.Dataset) or path in NOT_COMPUTED:
        return
    if node.dtype.hasobject:
        sys.exit(f"{path}: holds references, whose bytes say nothing")
    data = path.encode() + str(node.shape).encode() + node[()].tobytes()
    state.update(data)
    if path.split("/")[-1] == "policy":
        policies.update(data)


with h5py.File(sorted(glob.glob(os.path.join(run, "checkpoints", "*.h5")))[-1], "r") as checkpoint:
    checkpoint.visititems(add)  # in the order of names
games = hashlib.sha256()
with open(os.path.join(run, "games.csv"), newline="") as lines:
    for row in csv.DictReader(lines):
        row.pop("build", None)  # a column that older programs do not write; empty where the game is built in
        # What b earned is not written by older programs either: left out where it is what a lost, in a game of two.
        b = [row.pop(name, None) for name in ("b_return_sum", "b_return_squares", "teams")]
        if None not in b and (float(b[0]), b[1], b[2]) != (-float(row["return_sum"]), row["return_squares"], "2"):
            row["b"] = b
        games.update(repr(list(row.items())).encode())
print(f"{name:18} policies {policies.hexdigest()[:12]} state {state.hexdigest()[:12]} games {games.hexdigest()[:12]}")
