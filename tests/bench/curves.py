"""curves.py AGON OUT.svg KUHN_RUN LEDUC_RUN CONNECT_FOUR_RUN [GAMES]: the strength curves of the README, by the wall clock: exact
NashConv of the mains as it was tracked, and Connect Four snapshots against random and alpha-beta. Needs matplotlib."""
import json, subprocess, sys
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

agon, out, kuhn, leduc, four = sys.argv[1:6]
games = sys.argv[6] if len(sys.argv) > 6 else "400"
plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none",
                     "axes.edgecolor": "#888", "text.color": "#666", "axes.labelcolor": "#666", "xtick.color": "#666",
                     "ytick.color": "#666", "axes.titlecolor": "#666"})
figure, axes = plt.subplots(1, 3, figsize=(11, 3))


def rows(run):
    return [json.loads(line) for line in open(run + "/metrics.jsonl")]


for axis, run, title, goal in ((axes[0], kuhn, "Kuhn poker", 0.02), (axes[1], leduc, "Leduc poker", 0.2)):
    points = [(r["seconds"], 2 * r["main_0/exploitability"]) for r in rows(run) if "main_0/exploitability" in r]
    axis.semilogy(*zip(*points), color="#2166ac")
    axis.axhline(goal, color="#c8701a", linewidth=0.8, linestyle="--")
    axis.set(title=f"{title}: NashConv of the average", xlabel="seconds, 2 cores")

seconds = {r["global_step"]: r["seconds"] for r in rows(four)}
show = json.loads(subprocess.check_output([agon, "league", "show", four, "--json"]))
past = [p for p in show["players"] if p["frozen"] and p["name"].startswith("main_0-")]
past = past[:: max(1, len(past) // 12)]
total = max(seconds) or 1
for rival, colour in (("random", "#2f8f5b"), ("alphabeta-4", "#2166ac")):
    answer = json.loads(subprocess.check_output([agon, "eval", four, "--players", ",".join(p["name"] for p in past), "--versus", rival,
                                                 "--greedy", "--openings", "4", "--games", games, "--csv", "none", "--quiet", "--json"]))
    score = {pair["a"]: pair for pair in answer["pairs"]}
    # a main's frames are a fixed share of all: the clock of a snapshot is that share of the run's
    last = max(p["frames"] for p in past) or 1
    x = [p["frames"] / last * max(seconds.values()) for p in past]
    y = [score[p["name"]]["score"] for p in past]
    axes[2].plot(x, y, "o-", markersize=3, color=colour, label=f"against {rival}")
    axes[2].fill_between(x, [score[p["name"]]["score_low"] for p in past], [score[p["name"]]["score_high"] for p in past],
                         color=colour, alpha=0.2, linewidth=0)
axes[2].set(title="Connect Four: score, greedy", xlabel="seconds, 2 cores", ylim=(0, 1.02))
axes[2].legend(frameon=False, loc="lower right")
figure.tight_layout()
figure.savefig(out, transparent=True)
