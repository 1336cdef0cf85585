# %% [markdown]
# The usual plots of a run: run it as a script, `python3 deploy/python/example.py runs/NAME [OUT.png]`, or cell by cell
# in an editor that knows `# %%`. Needs matplotlib besides h5py and numpy.

# %%
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import agon_run

run = agon_run.Run(sys.argv[1] if len(sys.argv) > 1 else "runs/connect_four")
out = sys.argv[2] if len(sys.argv) > 2 else "run.png"
players, metrics = run.players(), run.metrics()
figure, axes = plt.subplots(2, 2, figsize=(12, 9))

# %% who beats whom
names, games, scores, _ = run.payoff("eval")
frozen = np.flatnonzero(np.asarray(players["frozen"]))
shown = axes[0, 0].imshow(scores[np.ix_(frozen, frozen)], vmin=0, vmax=1, cmap="RdBu")
axes[0, 0].set_title("score of row against column")
axes[0, 0].set_yticks(range(len(frozen)), [names[i] for i in frozen], fontsize=6)
axes[0, 0].set_xticks([])
figure.colorbar(shown, ax=axes[0, 0])

# %% how strong by age: mean score over all frozen players that were met
for role in agon_run.ROLES:
    of_role = [i for i in frozen if players["role"][i] == role and np.isfinite(scores[i]).any()]
    if of_role:
        frames = np.asarray(players["frames"])[of_role]
        axes[0, 1].plot(frames, [np.nanmean(scores[i]) for i in of_role], "o-", label=role)
axes[0, 1].set_title("mean score over the frozen players")
axes[0, 1].set_xlabel("frames of the player")
axes[0, 1].legend()

# %% what learning looked like
for name in metrics:
    if name.endswith("/entropy"):
        axes[1, 0].plot(metrics["global_step"], metrics[name], label=name.split("/")[0])
axes[1, 0].set_title("entropy")
axes[1, 0].set_xlabel("frames")
axes[1, 0].legend()

# %% how fast it was
axes[1, 1].plot(metrics["global_step"], metrics["charts/SPS"])
axes[1, 1].set_title("frames a second")
axes[1, 1].set_xlabel("frames")
axes[1, 1].set_ylim(bottom=0)

# %%
figure.tight_layout()
figure.savefig(out, dpi=110)
print(out)
