"""Reads a run of agon into arrays and data frames. One file, no build step; needs numpy, h5py for what is in checkpoints, and
pandas if it is there.

    import agon_run
    run = agon_run.Run("runs/connect_four")
    run.players()            # one row per player: name, role, frozen, parent, frames, life, reason, hash, side
    run.payoff("eval")       # names, games (n, n), scores (n, n; NaN where two never met), returns
    run.anchors()            # {"random": (games, scores)}, a number for each player
    run.ratings()            # one row per player: Elo with its 95 % interval; asks the program
    run.metrics()            # one row per step of metrics.jsonl, over the frames
    run.games()              # one row per batch of games.csv
    run.checkpoints()        # one row per generation: number, frames, seconds, bytes
    run.status()             # status.json: how far it is, who is in it
    run.policy("main_0")     # {layer name: array (out, in)}

It only reads, and never locks: a running job is not disturbed."""

import csv
import glob
import json
import os
import shutil
import subprocess

import numpy as np

ROLES = ("main", "main_exploiter", "league_exploiter", "guest")


def find_program(named=None):
    """agon itself: as it is named, $AGON, or the one in PATH."""
    found = named or os.environ.get("AGON") or shutil.which("agon")
    if not found:
        raise FileNotFoundError("this asks the program agon: name it (program=...), set AGON=build/agon, or put agon into PATH")
    return os.fspath(found)


def _hdf5(path):
    try:
        import h5py
    except ImportError:
        raise ImportError("what is in checkpoints is read by h5py: pip install h5py, or Debian's python3-h5py") from None
    return h5py.File(path, "r")


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

    def config(self):
        """The resolved configuration, as YAML text."""
        with open(os.path.join(self.folder, "config.yaml"), encoding="utf-8") as file:
            return file.read()

    def players(self):
        """One row per player; `parent` is a name or '', `side` the team that it always plays, or -1."""
        with _hdf5(self.checkpoint) as file:
            league = {name: file["league/" + name][()] for name in
                      ("name", "role", "frozen", "parent", "frames", "life", "reason", "hash")}
            side = file["league/side"][()].astype(np.int64) - 1 if "league/side" in file else np.full(len(league["name"]), -1)
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
            "side": side,
        })

    def payoff(self, part="eval"):
        """(names, games, scores, returns), (n, n) each, row against column, both seats together; part: eval, raw or
        decayed. Scores are wins and half the draws, 0 to 1; NaN where two never met."""
        if part not in ("eval", "raw", "decayed"):
            raise ValueError("part is eval, raw or decayed")
        with _hdf5(self.checkpoint) as file:
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

    def anchors(self):
        """{built-in player: (games, scores)} of evaluation, a number for each player; NaN where they never met."""
        out = {}
        with _hdf5(self.checkpoint) as file:
            for name, tally in ((name, data[()]) for name, data in file.get("anchors", {}).items()):
                tally = tally.reshape(len(tally), -1, 6).sum(axis=1)
                games, points = tally[:, 0], tally[:, 1] + tally[:, 2] / 2
                out[name] = games, np.divide(points, games, out=np.full(len(games), np.nan), where=games > 0)
        return out

    def ratings(self, program=None):
        """One row per player of `agon rate`: player, elo, low, high (95 %), games, as (the snapshot that stands for it). None is NaN:
        no games connect it with random play. The program is asked, so that there is one way of rating."""
        command = [find_program(program), "rate", self.folder, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode: raise RuntimeError(done.stderr.strip() or f"{' '.join(command)}: exit code {done.returncode}")
        rows = json.loads(done.stdout)["players"]
        number = lambda row, name: np.nan if row.get(name) is None else row[name]
        return _frame({"player": [row["player"] for row in rows], "elo": [number(row, "elo") for row in rows],
                       "low": [number(row, "elo_low") for row in rows], "high": [number(row, "elo_high") for row in rows],
                       "games": [number(row, "games") for row in rows], "as": [row.get("as", row["player"]) for row in rows]})

    def checkpoints(self):
        """One row per generation that is kept: number, file, frames, seconds (of training), bytes. A damaged one has frames -1."""
        rows = {"number": [], "file": [], "frames": [], "seconds": [], "bytes": []}
        for path in sorted(glob.glob(os.path.join(self.folder, "checkpoints", "*.h5"))):
            frames, seconds = -1, np.nan
            try:
                with _hdf5(path) as file: frames, seconds = int(file["run/counters"][1]), float(file["run/seconds"][0])
            except (OSError, KeyError):
                pass
            for name, value in zip(rows, (int(os.path.basename(path)[:-3]), path, frames, seconds, os.path.getsize(path))):
                rows[name].append(value)
        return _frame(rows)

    def status(self):
        """status.json: state, frames, players with their ratings, and so on."""
        with open(os.path.join(self.folder, "status.json"), encoding="utf-8") as file:
            return json.load(file)

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
        with _hdf5(self.checkpoint) as file:
            live = f"players/{player}/policy"
            if live in file:
                return _layers(file, file[live][()])
            names, hashes = _text(file["league/name"][()]), _text(file["league/hash"][()])
        if player not in names:
            raise KeyError(f"no player '{player}'; there are {', '.join(names)}")
        path = os.path.join(self.folder, "players", f"{player}-{hashes[names.index(player)][:8]}.h5")
        with _hdf5(path) as file:
            return _layers(file, file["policy"][()])


def _layers(file, flat):
    out = {}
    for name, offset, shape in zip(_text(file["layers/name"][()]), file["layers/offset"][()], file["layers/shape"][()]):
        shape = [int(size) for size in shape if size > 0]
        out[name] = flat[int(offset):int(offset) + int(np.prod(shape))].reshape(shape)
    return out
