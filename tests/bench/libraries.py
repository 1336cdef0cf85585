#!/usr/bin/env python3
"""Environments of Gymnasium and PettingZoo, each trained for a minute as it is, and what was learned beside random play.

    AGON_PYTHON=/path/to/python python3 tests/bench/libraries.py build/agon --out results.jsonl [--only WORD,...] [--seconds 60]
    python3 tests/bench/libraries.py --table results.jsonl

Each runs in one process (and its worker), by PPO with the keys of RECIPE and its own below. An environment whose line is in the
file already is not run again, so that the whole can be done in pieces; --only takes those whose names contain a word, --seconds
is of training. Where one team plays, its mean return is told (greedy play) beside random play's, with 95 % intervals; where
rivals do, the score (sampled play) against random play, which is .5 where nothing was learned. --table prints what is in the file."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

RECIPE = ("net.hidden=[64,64] net.normalise_returns=true learner.rate=0.001 actors.slots=32 actors.lanes=8 actors.unroll=32 "
          "metrics.evaluation_episodes=0 league.main_exploiters=0 league.league_exploiters=0 league.end_games=0 "
          "league.main_snapshot_min=20k league.main_snapshot_max=50k").split()
NUMBERS = ["net.normalise_observations=true"]
SPREAD = ["net.normalise_observations=true", "learner.entropy=0.005", "learner.gamma=0.95"]

# Name, episodes to judge by, keys of its own.
ENVIRONMENTS = [
    ("gymnasium:CartPole-v1", 100, ["frames=300k"]),
    ("gymnasium:Acrobot-v1", 100, NUMBERS),
    ("gymnasium:MountainCar-v0", 100, NUMBERS),
    ("gymnasium:MountainCarContinuous-v0", 60, NUMBERS + ["learner.entropy=0.02"]),
    ("gymnasium:Pendulum-v1", 100, NUMBERS + ["learner.gamma=0.9", "learner.entropy=0", "learner.entropy_end=0"]),
    ("gymnasium:FrozenLake-v1", 1000, []),
    ("gymnasium:CliffWalking-v1", 60, ["env.steps=200"]),
    ("gymnasium:Taxi-v4", 200, ["learner.rate=0.003"]),
    ("gymnasium:Blackjack-v1", 4000, []),
    ("gymnasium:LunarLander-v3", 60, NUMBERS + ["env.bounds=free"]),
    ("gymnasium:InvertedPendulum-v5", 40, NUMBERS + ["learner.entropy=0", "learner.entropy_end=0"]),
    ("gymnasium:Hopper-v5", 60, NUMBERS + ["learner.entropy=0", "learner.entropy_end=0"]),
    ("pettingzoo:classic.connect_four_v3", 200, []),
    ("pettingzoo:classic.tictactoe_v3", 400, []),
    ("pettingzoo:classic.rps_v2", 400, []),
    ("pettingzoo:classic.leduc_holdem_v4", 2000, []),
    ("pettingzoo:classic.texas_holdem_v4", 1000, []),
    ("pettingzoo:classic.texas_holdem_no_limit_v6", 1000, []),
    ("pettingzoo:classic.go_v5", 40, ["env.kwargs=board_size=5"]),
    ("pettingzoo:classic.chess_v6", 20, ["env.steps=200"]),
    ("pettingzoo:mpe2.simple_v3", 400, SPREAD),
    ("pettingzoo:mpe2.simple_spread_v3", 200, SPREAD),
    ("pettingzoo:mpe2.simple_reference_v3", 200, SPREAD),
    ("pettingzoo:mpe2.simple_speaker_listener_v4", 400, SPREAD),
    ("pettingzoo:mpe2.simple_formation_v1", 200, SPREAD),
    ("pettingzoo:mpe2.simple_line_v1", 200, SPREAD),
    ("pettingzoo:mpe2.collect_treasure_v1", 100, SPREAD),
    ("pettingzoo:mpe2.simple_tag_v3", 200, SPREAD),
    ("pettingzoo:mpe2.simple_adversary_v3", 400, SPREAD),
    ("pettingzoo:mpe2.simple_push_v3", 400, SPREAD),
    ("pettingzoo:mpe2.simple_crypto_v3", 400, SPREAD),
    ("pettingzoo:mpe2.simple_world_comm_v3", 100, SPREAD),
    ("pettingzoo:butterfly.cooperative_pong_v6", 20, ["env.kwargs=max_cycles=200", "actors.slots=8", "actors.lanes=4"]),
    ("pettingzoo:butterfly.knights_archers_zombies_v11", 12, ["env.kwargs=max_cycles=300", "actors.slots=8", "actors.lanes=4"]),
]


def run(words, seconds):
    """Output of a program, or the last line of what it complained of."""
    try: done = subprocess.run(words, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired: return None, f"not done in {seconds:.0f} s"
    if done.returncode == 0: return done.stdout, ""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return None, f"exit code {done.returncode}: {lines[-1] if lines else 'no word'}"


def measure(agon, folder, games, seconds):
    """What was learned, of one team or of rivals: figures to be stored."""
    with open(os.path.join(folder, "status.json")) as file: status = json.load(file)
    row = {"frames": status["frames"], "seconds": round(status["seconds"], 1), "teams": status["teams"]}
    words = [agon, "eval", folder, "--players", "main_0,random", "--games", str(games), "--json", "--quiet"]
    text, failed = run(words + (["--greedy"] if status["teams"] == 1 else ["--csv", "none"]), seconds)
    if failed: return {**row, "failed": f"eval: {failed}"}
    told = json.loads(text)
    if status["teams"] == 1:
        for player in told["players"]:
            row["random" if player["player"] == "random" else "trained"] = [player[key] for key in ("return", "return_low", "return_high")]
        return {**row, "episodes": games}
    pair = told["pairs"][0]
    assert pair["a"].startswith("main_0"), pair
    return {**row, "episodes": pair["games"], "trained": [pair[key] for key in ("score", "score_low", "score_high")], "random": [.5, .5, .5]}


def one(agon, name, games, keys, seconds):
    row = {"env": name, "keys": keys}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run")
        _, failed = run([agon, "train", name, *RECIPE, *keys, "--max-time", str(seconds), "--run-dir", path, "--quiet"], 3 * seconds + 120)
        return {**row, "failed": f"train: {failed}"} if failed else {**row, **measure(agon, path, games, 300)}


def short(value, score):
    return f"{value:.3f}".replace("0.", ".") if score else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(figures, score):
    mean, low, high = figures
    return f"{short(mean, score)} [{short(low, score)}, {short(high, score)}]"


def table(path):
    """A row for each line of the file, in the order of the list."""
    with open(path) as file: rows = {row["env"]: row for row in map(json.loads, file)}
    print("| environment, own keys | frames | trained | random | better |\n|---|---|---|---|---|")
    for name, _, _ in ENVIRONMENTS:
        row = rows.get(name)
        if row is None: continue
        own = " ".join(key for key in row["keys"] if key.startswith("env."))
        title = f"`{name}{' ' + own if own else ''}`"
        if "failed" in row:
            print(f"| {title} | - | {row['failed']} | | |")
            continue
        score = row["teams"] > 1
        random = "score .5" if score else cell(row["random"], False)
        better = "yes" if row["trained"][1] > row["random"][2] else "worse" if row["trained"][2] < row["random"][1] else "no"
        print(f"| {title} | {row['frames']:,} | {cell(row['trained'], score)} | {random} | {better} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("agon", nargs="?")
    parser.add_argument("--out", default="libraries.jsonl")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--most", type=int, default=1000, help="run at most so many")
    parser.add_argument("--table")
    given = parser.parse_args()
    if given.table: return table(given.table)
    if not given.agon: parser.error("which agon?")
    done = set()
    if os.path.exists(given.out):
        with open(given.out) as file: done = {json.loads(line)["env"] for line in file}
    words = given.only.split(",")
    todo = [row for row in ENVIRONMENTS if row[0] not in done and any(word in row[0] for word in words)]
    for name, games, keys in todo[:given.most]:
        row = one(given.agon, name, games, keys, given.seconds)
        with open(given.out, "a") as file: file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


if __name__ == "__main__": sys.exit(main())
