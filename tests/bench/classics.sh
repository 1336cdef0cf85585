#!/usr/bin/env bash
# The figures of deploy/runs/README.md, "Classics": usage: tests/bench/classics.sh AGON FOLDER [SEEDS].
# FOLDER keeps what was learned, JSON of each learning, and the pictures.
set -eu
AGON=$(realpath "$1")
mkdir -p "$2"
cd "$2"
seeds=${3:-5}

# matching pennies, and the iterated prisoner's dilemma: who settles
paths() { "$AGON" dynamics "${@:2}" --repeats 20 --json > "$1.dynamics"; }
paths q-1-1 matching_pennies --rule q --rate 0.1 --epsilon 0.1
paths q-5-01 matching_pennies --rule q --rate 0.5 --epsilon 0.01
paths q-01-1 matching_pennies --rule q --rate 0.01 --epsilon 0.1
paths q-softmax matching_pennies --rule q --rate 0.0001 --temperature 1 --steps 400000
paths gradient matching_pennies --rule policy-gradient
paths gradient-entropy matching_pennies --rule policy-gradient --entropy 0.1
paths fictitious matching_pennies --rule fictitious --steps 100000
paths replicator matching_pennies
for inner in 0.3 1; do "$AGON" dynamics ipd --rule lola --inner $inner --repeats 50 --json > "lola-$inner.dynamics"; done

# climbing and penalty: 5,000 steps from nothing, 1,000 times
for game in climbing penalty; do
  often() { "$AGON" tabular $game --algorithm "${@:2}" --steps 5000 --repeats 1000 --games 4 --json > "$game-$1.matrix"; }
  often q q --epsilon 1 --epsilon-end 0.01
  often q-softmax q --temperature 16 --temperature-end 0.1
  often joint-action joint-action --epsilon 1 --epsilon-end 0.01
  often hysteretic hysteretic --epsilon 1 --epsilon-end 0.01
  often hysteretic-epsilon hysteretic --epsilon 0.1
  often lenient-softmax lenient --temperature 5 --temperature-end 0.1
done

# rock-paper-scissors: how far from unbeatable, exactly
for algorithm in minimax-q nash-q; do
  "$AGON" tabular rps --algorithm $algorithm --steps 5000 --epsilon 0.3 --out $algorithm-rps.h5 > $algorithm.rps
  "$AGON" exploit --env matrix_game env.preset=rps --player $algorithm-rps.h5 --json > $algorithm.nashconv
done

# soccer as Littman (1994) has it: three learners (and Nash-Q once more, stopped early), then a Q-learner against each of them, and against random moves
soccer=(soccer env.start=held env.draw=0.1)
for seed in $(seq "$seeds"); do
  learn() { "$AGON" tabular "${soccer[@]}" --discount 1 --rate-end 0.01 --games 20000 --seed "$seed" --json "$@"; }
  learn --algorithm minimax-q --steps 1M --initial 1 --rate 1 --epsilon 0.2 --out minimax-q-$seed.h5 > minimax-q-$seed.soccer
  learn --algorithm minimax-q --steps 2M --initial 1 --rate 1 --epsilon 1 --epsilon-end 0.2 --out minimax-q-explored-$seed.h5 > minimax-q-explored-$seed.soccer
  learn --algorithm nash-q --steps 2M --rate 1 --epsilon 1 --epsilon-end 0.2 --out nash-q-$seed.h5 > nash-q-$seed.soccer
  learn --algorithm nash-q --steps 300k --rate 1 --epsilon 1 --epsilon-end 0.2 --out nash-q-early-$seed.h5 > nash-q-early-$seed.soccer
  learn --algorithm q --steps 1M --rate 1 --epsilon 0.2 --out q-$seed.h5 > q-$seed.soccer
  for player in minimax-q minimax-q-explored nash-q nash-q-early q; do
    learn --algorithm q --steps 1M --rate 0.5 --epsilon 0.2 --against $player-$seed.h5 > $player-$seed.challenger
    "$AGON" match $player-$seed.h5 random --env "${soccer[@]}" --games 10000 --json > $player-$seed.random
    [ $player = minimax-q ] || "$AGON" match $player-$seed.h5 minimax-q-$seed.h5 --env "${soccer[@]}" --games 10000 --json > $player-$seed.minimax
  done
  learn --algorithm q --steps 1M --rate 0.5 --epsilon 0.2 --against random > random-$seed.challenger
done

# pictures: few rounds of those who jump, so that lines can be told apart
picture() { "$AGON" dynamics "${@:2}" --svg "$1.svg" > /dev/null; }
picture pennies_q_fast matching_pennies --rule q --rate 0.5 --epsilon 0.01 --steps 300
picture pennies_q_slow matching_pennies --rule q --rate 0.01 --epsilon 0.1 --steps 4000
picture pennies_softmax matching_pennies --rule q --rate 0.0001 --temperature 1 --steps 400000 --repeats 3
picture pennies_gradient matching_pennies --rule policy-gradient --entropy 0.1
picture pennies_fictitious matching_pennies --rule fictitious --steps 1000
picture dilemma_lola ipd --rule lola --repeats 5

/usr/bin/python3 - <<'P'
import glob, json, math
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 20: 2.093, 50: 2.010, 1000: 1.962}
def interval(x):
    mean = sum(x) / len(x)
    if len(x) < 2: return f"{mean:.3f}"
    half = T.get(len(x), 2.0) * math.sqrt(sum((v - mean) ** 2 for v in x) / (len(x) - 1) / len(x))
    return f"{mean:.3f} +- {half:.3f}"
for name in sorted(glob.glob("*.dynamics")):
    for told in json.load(open(name))["rules"]:
        print(name, told["rule"], *(f"{k} {v['mean']:.4f} +- {v['half']:.4f}" if isinstance(v, dict) else f"{k} {v}" for k, v in told.items() if k != "rule"))
for name in sorted(glob.glob("*.matrix")):
    returns = [s["returns"][0] for s in json.load(open(name))["seeds"]]
    best = 11 if name.startswith("climbing") else 10
    print(name, "optimal", interval([float(r > best - 1e-6) for r in returns]), "25 rounds", interval([25 * r for r in returns]))
for name in sorted(glob.glob("*.nashconv")):
    print("rock-paper-scissors", name, f"{json.load(open(name))['nash_conv']:.6f}")
for kind, key in (("challenger", None), ("random", "score"), ("minimax", "score")):
    rows = {}
    for name in sorted(glob.glob("*." + kind)):
        o = json.load(open(name))
        rows.setdefault(name.rsplit("-", 1)[0], []).append(o[key] if key else o["seeds"][0]["returns"][0])
    for player, x in rows.items(): print("soccer", player, "against", kind, interval(x), f"({len(x)} seeds)")
P
