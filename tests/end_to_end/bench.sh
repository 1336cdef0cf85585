#!/usr/bin/env bash
# The benchmarks run, say what they measured, and their numbers are sane. How large the numbers are decides nothing.
. "$(dirname "$0")/common.sh"
quick="--seconds 1 --repeats 1 --json"
"$AGON" bench env $quick > env.json
"$AGON" bench env game=tic_tac_toe --seconds 1 --repeats 1 > env.txt
"$AGON" bench act $quick 'net.hidden=[32]' > act.json
"$AGON" bench learn $quick 'net.hidden=[64, 64]' precision=bf16 > learn.json
"$AGON" bench league $quick > league.json
"$AGON" bench checkpoint $quick > checkpoint.json
"$AGON" bench scale $quick --actors 64 --players 100 > scale.json
mpi 2 "$AGON" bench comm $quick > comm.json
mpi 2 "$AGON" bench train $quick 'net.hidden=[32]' > train.json
grep -q "tic_tac_toe, 1024 games" env.txt || fail "text output"
grep -q "one core: FMA peak" env.txt || fail "peaks"
$python - <<'P'
import json
count = {"env": 1, "act": 4, "learn": 1, "league": 8, "checkpoint": 4, "scale": 3, "comm": 6, "train": 2}
for name, least in count.items():
    report = json.load(open(f"{name}.json"))
    assert report["fma_flops"] > 1e9 and report["copy_bytes"] > 1e8 and report["processor"] and report["kernels"], name
    results = [r for r in report["results"] if r["bench"] == name]
    assert len(results) >= least, (name, len(results))
    for r in results:
        assert 0 <= r["low"] <= r["median"] <= r["high"], r
        if "bound" in r: assert abs(r["ratio"] * r["bound"] - r["median"]) <= 1e-6 * r["median"] and r["bound_by"], r
act = {r["what"]: r["median"] for r in json.load(open("act.json"))["results"]}
assert any(w.startswith("1,000 opponents") for w in act)
P
expect 2 "no such benchmark" "$AGON" bench nonsense
expect 2 "unknown key" "$AGON" bench env nonsense=1
expect 2 "cannot run 'nonsense'" "$AGON" bench env kernels=nonsense
expect 2 "cannot run 'nonsense'" mpirun --oversubscribe --bind-to none -n 2 "$AGON" train tic_tac_toe kernels=nonsense
expect 2 "must divide" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train tic_tac_toe learner.ranks=3 learner.groups=2 placement=shared
# every kernel table trains, on several learner ranks too
for kernels in plain openblas auto; do
  mpi 2 "$AGON" train "$smoke" --run-dir "k-$kernels" "kernels=$kernels" placement=shared learner.ranks=2 > k.txt
  grep -q "^\[.*kernels " k.txt || fail "banner names no kernels"
  grep -qE "where the time of a rank went .* 2 learners" k.txt && grep -q "sums over learners" k.txt || fail "no profile of the learners"
  "$AGON" checkpoint verify "k-$kernels" > /dev/null || fail "$kernels"
done
mpi 2 "$AGON" train "$smoke" --run-dir half precision=bf16 'net.hidden=[64, 64]' --quiet
mpi 1 "$AGON" train "$smoke" --run-dir half precision=bf16 'net.hidden=[64, 64]' frames=80k --resume auto --quiet
"$AGON" checkpoint verify half > /dev/null || fail "bf16"
echo passed
