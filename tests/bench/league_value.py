"""Plays the runs of league_value.sh against each other and prints a Markdown table: cross-play score, worst score against all
past players, relative population performance; means over seeds with 95 % intervals (Student's t over seeds)."""
import csv, json, os, subprocess, sys
import numpy as np

agon, folder, seeds, ranks = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
RULES = ("self-play", "fictitious", "pfsp", "league")
GAMES = {"connect_four": 100, "biased_rps": 40, "skirmish": 40}  # games a pair
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}


def players_of(run):
    show = json.loads(subprocess.check_output([agon, "league", "show", run, "--json"]))
    past = [p["name"] for p in show["players"] if p["frozen"] and p["frames"] > 0]
    mains = [name for name in past if name.startswith("main_0-")]
    return [f"{run}:main_0"], [f"{run}:{name}" for name in past], [f"{run}:{name}" for name in mains]


def exact(run, player):
    """NashConv by walking the tree, or NaN where the game is too large."""
    answer = subprocess.run([agon, "exploit", run, "--player", player, "--json", "--nodes", "100000"], capture_output=True)
    return json.loads(answer.stdout)["nash_conv"] if answer.returncode == 0 else float("nan")


def play(env_run, own, versus, games, table):
    """Scores and mean returns of own against versus, by name."""
    subprocess.check_call(["mpirun", "--oversubscribe", "--bind-to", "none", "-n", ranks, agon, "eval", env_run, "--players",
                           ",".join(own), "--versus", ",".join(versus), "--games", str(games), "--csv", table, "--quiet"],
                          stdout=subprocess.DEVNULL)


def read(table):
    """(score 0..1, mean return) of a against b."""
    sums = {}
    for row in csv.DictReader(open(table, newline="")):
        a, b = row["a"].split("@")[0], row["b"].split("@")[0]
        wins = int(row["first_wins"]) + int(row["second_wins"])
        draws = int(row["first_draws"]) + int(row["second_draws"])
        games = 2 * int(row["pairs"])
        for x, y, points, gain in ((a, b, wins + draws / 2, float(row["return_sum"])),
                                   (b, a, games - wins - draws / 2, -float(row["return_sum"]))):
            old = sums.get((x, y), (0, 0, 0))
            sums[x, y] = (old[0] + points, old[1] + gain, old[2] + games)
    return {pair: (points / games, gain / games) for pair, (points, gain, games) in sums.items()}


def value(matrix):
    """Value of a zero-sum matrix game, by regret matching+ (both sides, averaged)."""
    rows, columns = matrix.shape
    r, c, x_sum, y_sum = np.zeros(rows), np.zeros(columns), np.zeros(rows), np.zeros(columns)
    for t in range(1, 2001):
        x = r / r.sum() if r.sum() > 0 else np.full(rows, 1 / rows)
        y = c / c.sum() if c.sum() > 0 else np.full(columns, 1 / columns)
        u, v = matrix @ y, -(x @ matrix)
        r, c = np.maximum(r + u - x @ u, 0), np.maximum(c + v - y @ v, 0)
        x_sum, y_sum = x_sum + t * x, y_sum + t * y
    return float((x_sum / x_sum.sum()) @ matrix @ (y_sum / y_sum.sum()))


def interval(samples):
    samples = np.asarray(samples, float)
    if len(samples) < 2:
        return f"{samples.mean():.3f}"
    half = T.get(len(samples), 1.96) * samples.std(ddof=1) / len(samples) ** 0.5
    return f"{samples.mean():.3f} +- {half:.3f}"


def thin(names, most):
    return names if len(names) <= most else [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]


print("| game | league | cross-play score | cross-play return | worst score against all past players | RPP against the rest | "
      "NashConv: main; Nash mixture of its past |")
print("|---|---|---|---|---|---|---|")
for game, games in GAMES.items():
    runs = {(r, s): os.path.join(folder, f"{game}-{r}-{s}") for r in RULES for s in range(1, seeds + 1)}
    main = {key: players_of(run)[0][0] for key, run in runs.items()}
    past = {key: thin(players_of(run)[1], 8) for key, run in runs.items()}
    population = {key: thin(players_of(run)[2], 5) + [main[key]] for key, run in runs.items()}
    first = next(iter(runs.values()))
    tables = [os.path.join(folder, f"{game}-{what}.csv") for what in ("cross", "past", "population")]
    names = list(main.values())
    play(first, names, [n for n in sum(past.values(), [])], games, tables[1])
    for i, a in enumerate(names[:-1]):
        play(first, [a], names[i + 1:], games, tables[0])
    everyone = list(population.items())
    for i, (key, members) in enumerate(everyone):
        others = [m for other, group in everyone[i + 1:] if other[0] != key[0] for m in group]
        if others:
            play(first, members, others, max(games // 2, 10), tables[2])
    cross, against, between = (read(table) for table in tables)
    for rule in RULES:
        mine = [(rule, s) for s in range(1, seeds + 1)]
        foes = [k for k in main if k[0] != rule]
        score = [np.mean([cross[main[k], main[f]][0] for f in foes]) for k in mine]
        gain = [np.mean([cross[main[k], main[f]][1] for f in foes]) for k in mine]
        worst = [min(against[main[k], p][0] for p in sum(past.values(), []) if (main[k], p) in against) for k in mine]
        rpp = [np.mean([value(np.array([[between[a, b][1] for b in population[f]] for a in population[k]])) for f in foes])
               for k in mine]
        walk = [[exact(runs[k], player) for k in mine] for player in ("main_0", "nash")]
        walked = "; ".join(interval(w) for w in walk) if np.isfinite(walk).all() else "n/a"
        print(f"| {game} | {rule} | {interval(score)} | {interval(gain)} | {interval(worst)} | {interval(rpp)} | {walked} |", flush=True)
