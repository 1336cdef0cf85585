#!/usr/bin/env python3
"""Who may include whom: checks every #include "..." of the project against the levels of its modules, that MPI,
HDF5, BLAS and dlopen stay in the one file that owns each, and that an algorithm's file gives nothing but its table, so
that it can go without another missing it. `--planted` shows that violations are found."""
import pathlib, re, sys, tempfile

MAY = {
    "base": set(), "include": set(),
    "config": {"base"}, "nn": {"base"}, "meta": {"base"}, "data": {"base"}, "metrics": {"base"}, "store": {"base"}, "transport": {"base"},
    "env": {"config"}, "wire": {"data", "transport"}, "algos": {"config", "nn", "data"},
    "play": {"config", "env", "nn", "data"},
    "actors": {"config", "env", "nn", "data", "play", "wire", "transport", "metrics"},
    "learner": {"config", "nn", "data", "wire", "transport", "algos", "store", "metrics"},
    "league": {"config", "meta", "wire", "transport", "store", "metrics"},
    "eval": {"config", "env", "nn", "data", "meta", "play", "wire", "store", "metrics"},
    "cli": None,
}
OWNERS = {"mpi.h": "src/transport/transport_mpi.c", "hdf5.h": "src/store/store_hdf5.c", "cblas.h": "src/nn/gemm.c", "dlfcn.h": "src/env/env_plugin.c"}
ONLY_CLI = re.compile(r"\b(getenv|printf|puts|exit)\s*\(")


GIVEN = re.compile(r"^(?!static\b|typedef\b|enum\b|struct\b|const AlgoOps algo_)[A-Za-z_][\w \*]*\b(\w+)\s*[\(\[=;]")


def module(path):
    parts = path.parts
    if parts[0] == "src": return parts[1]
    if parts[:2] == ("learner", "algos"): return "algos"
    return parts[0]


def target(name):
    parts = pathlib.PurePath(name).parts
    if parts[0] == "agon": return "include"
    if parts[:2] == ("learner", "algos"): return "algos"
    return parts[0]


def check(root):
    faults = []
    for top in ("src", "actors", "learner", "league", "include"):
        for path in sorted((root / top).rglob("*.[ch]")):
            rel = path.relative_to(root)
            algorithm = "\nconst AlgoOps algo_" in path.read_text()
            own = module(rel)
            allowed = MAY[own]
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r'\s*#include "([^"]+)"', line)
                if match and allowed is not None and target(match[1]) not in allowed | {own, "base", "include"}:
                    faults.append(f"{rel}:{number}: {own} may not include {match[1]}")
                match = re.match(r"\s*#include <([^>]+)>", line)
                if match and match[1] in OWNERS and str(rel) != OWNERS[match[1]]:
                    faults.append(f"{rel}:{number}: only {OWNERS[match[1]]} includes {match[1]}")
                match = GIVEN.match(line)
                if algorithm and match:
                    faults.append(f"{rel}:{number}: an algorithm's file gives nothing but its table, not {match[1]}")
                if own not in ("cli", "transport") and ONLY_CLI.search(line) and not re.match(r"\s*(/\*|\*|//)", line):
                    faults.append(f"{rel}:{number}: only cli reads the environment, prints or exits")
    return faults


def planted():
    wrong = {"src/nn/a.c": '#include "data/batch.h"\n', "actors/b.c": '#include "league/league.h"\n', "league/c.c": "#include <mpi.h>\n",
             "src/env/d.c": '#include "play/play.h"\n', "learner/algos/e.c": '#include "store/store.h"\n', "src/play/f.c": 'int x(void) { exit(1); }\n',
             "learner/algos/g.c": "void shared(Trainer *trainer) {\n}\nconst AlgoOps algo_g = {0};\n"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in wrong.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = check(pathlib.Path(folder))
    missing = [name for name in wrong if not any(fault.startswith(name) for fault in found)]
    print(f"{len(wrong) - len(missing)} of {len(wrong)} planted violations found")
    return 1 if missing else 0


if __name__ == "__main__":
    if sys.argv[1] == "--planted": sys.exit(planted())
    faults = check(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) or "every include keeps to its level, and every algorithm to itself")
    sys.exit(1 if faults else 0)
