"""Reads a run of agon into arrays and data frames. One file, no build step; needs h5py and numpy (pandas if it is there).

    import agon_run
    run = agon_run.Run("runs/connect_four")
    run.players()            # one row per player: name, role, frozen, parent, frames, reason, hash
    run.payoff("eval")       # names, games (n, n), scores (n, n; NaN where two never met)
    run.metrics()            # one row per record of metrics.jsonl, over the frames
    run.games()              # one row per batch of games.csv
    run.policy("main_0")     # {layer name: array (out, in)}

It only reads, and never locks: a running job is not disturbed."""

import csv
import glob
import json
import os

import h5py
import numpy as np

ROLES = ("main", "main_exploiter", "league_exploiter")


def _text(array):
    return [value.decode().rstrip("\0") if isinstance(value, bytes) else str(value) for value in array]


def _frame(columns):
    """A pandas DataFrame if pandas is installed, else a dictionary of numpy arrays."""
    try:
        import pandas
    except ImportError:
        return {name: np.asarray(values) for name, values in columns.items()}
    return pandas.DataFrame(columns)


class Run:
    """A run folder. `checkpoint`: a generation's number; default the newest that opens."""

    def __init__(self, folder, checkpoint=None):
        self.folder = os.fspath(folder)
        files = sorted(glob.glob(os.path.join(self.folder, "checkpoints", "*.h5")), reverse=True)
        if checkpoint is not None:
            files = [name for name in files if int(os.path.basename(name)[:-3]) == checkpoint]
        if not files:
            raise FileNotFoundError(f"{self.folder} holds no such checkpoint (checkpoints/*.h5)")
        self.checkpoint = files[0]

    def _read(self, path):
        with h5py.File(self.checkpoint, "r") as file:
            return file[path][()]

    def config(self):
        """The resolved configuration, as YAML text."""
        with open(os.path.join(self.folder, "config.yaml"), encoding="utf-8") as file:
            return file.read()

    def players(self):
        """One row per player; `parent` is a name or ''."""
        with h5py.File(self.checkpoint, "r") as file:
            league = {name: file["league/" + name][()] for name in
                      ("name", "role", "frozen", "parent", "frames", "life", "reason", "hash")}
        names = _text(league["name"])
        parent = league["parent"].astype(np.int64)
        return _frame({
            "name": names,
            "role": [ROLES[role] for role in league["role"]],
            "frozen": league["frozen"].astype(bool),
            "parent": [names[p] if 0 <= p < len(names) else "" for p in parent],
            "frames": league["frames"].astype(np.int64),
            "life": league["life"].astype(np.int64),
            "reason": _text(league["reason"]),
            "hash": _text(league["hash"]),
        })

    def payoff(self, part="eval"):
        """(names, games, scores, returns), (n, n) each, row against column, both seats together; part: eval, raw or
        decayed. Scores are wins and half the draws, 0 to 1; NaN where two never met."""
        if part not in ("eval", "raw", "decayed"):
            raise ValueError("part is eval, raw or decayed")
        with h5py.File(self.checkpoint, "r") as file:
            names = _text(file["league/name"][()])
            home, away, tally = (file["payoff/" + name][()] for name in ("home", "away", part))
        n = len(names)
        tally = tally.reshape(len(home), -1, 6).sum(axis=1)  # a row: the games of the first seat, those of the second
        games, scores, returns = np.zeros((n, n)), np.full((n, n), np.nan), np.full((n, n), np.nan)
        met = tally[:, 0] > 0
        home, away, tally = home[met], away[met], tally[met]
        games[home, away] = tally[:, 0]
        scores[home, away] = (tally[:, 1] + tally[:, 2] / 2) / tally[:, 0]
        returns[home, away] = tally[:, 4] / tally[:, 0]
        return names, games, scores, returns

    def metrics(self):
        """One row per global_step (frames), under the names of metrics.jsonl ('agon help series'; NaN where a record does
        not say it). What a run wrote beyond the checkpoint it was resumed from is left out."""
        rows = []
        with open(os.path.join(self.folder, "metrics.jsonl"), encoding="utf-8") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue  # half a line, after a kill
                while rows and rows[-1]["global_step"] > row["global_step"]:
                    rows.pop()
                if rows and rows[-1]["global_step"] == row["global_step"]:
                    rows[-1].update(row)  # the last record of a job; what it does not say again stays
                else:
                    rows.append(row)
        names = list(dict.fromkeys(name for row in rows for name in row))
        return _frame({name: [row.get(name, np.nan) for row in rows] for name in names})

    def games(self):
        """games.csv of `agon eval`: one row per batch of paired games."""
        with open(os.path.join(self.folder, "games.csv"), newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            names = reader.fieldnames or []
        text = ("env", "a", "b")
        return _frame({name: [row[name] if name in text else float(row[name]) for row in rows] for name in names})

    def policy(self, player):
        """Layers of a player's network: {name: array in PyTorch layout (out, in)}."""
        with h5py.File(self.checkpoint, "r") as file:
            live = f"players/{player}/policy"
            if live in file:
                return _layers(file, file[live][()])
            names, hashes = _text(file["league/name"][()]), _text(file["league/hash"][()])
        if player not in names:
            raise KeyError(f"no player '{player}'; there are {', '.join(names)}")
        path = os.path.join(self.folder, "players", f"{player}-{hashes[names.index(player)][:8]}.h5")
        with h5py.File(path, "r") as file:
            return _layers(file, file["policy"][()])


def _layers(file, flat):
    out = {}
    for name, offset, shape in zip(_text(file["layers/name"][()]), file["layers/offset"][()], file["layers/shape"][()]):
        shape = [int(size) for size in shape if size > 0]
        out[name] = flat[int(offset):int(offset) + int(np.prod(shape))].reshape(shape)
    return out
