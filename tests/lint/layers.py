#!/usr/bin/env python3
"""Who may include whom: checks every #include "..." of the project against the levels of its modules, that MPI,
HDF5, BLAS and dlopen stay in the one file that owns each, and that an algorithm's file gives nothing but its table, so
that it can go without another missing it. `--planted` shows that violations are found; `--draw` who really includes whom."""
import pathlib, re, sys, tempfile

BELOW = {"base", "include"}  # what everybody may include
MAY = {
    "base": set(), "include": set(),
    "config": set(), "nn": set(), "meta": set(), "data": set(), "metrics": set(), "store": set(), "transport": set(),
    "env": {"config"}, "wheel": {"env", "metrics"}, "messages": {"data", "meta"}, "wire": {"messages", "transport"}, 
    # algo: what an algorithm is; shared: what several have in common; algos: each of them; train: what drives them
    "algo": {"config", "nn", "data"}, "shared": {"algo", "nn", "data"}, "algos": {"algo", "shared", "config", "nn", "data"},
    "train": {"algo", "shared", "config", "nn", "data"},
    "role": {"nn", "data", "transport"},
    "agent": {"env", "nn"},
    "libagon": set(),
    "export": {"agent", "env", "nn", "libagon"},
    "play": {"agent", "env", "data", "meta"},
    "actors": {"role", "config", "env", "nn", "data", "agent", "play", "wire", "transport", "metrics"},
    "learner": {"role", "config", "nn", "data", "wire", "transport", "train", "algo", "store", "metrics"},
    "league": {"config", "meta", "messages", "store", "metrics"},
    "league parts": {"league", "config", "meta", "wire", "transport", "store", "metrics"},
    "manager": {"role", "league", "league parts", "config", "meta", "wire", "transport", "store", "metrics"},
    "eval": {"config", "env", "nn", "data", "meta", "agent", "play", "wire", "store"},
}
FLOOR = {"role", "config", "nn", "meta", "data", "metrics", "store", "transport", "env", "wire", "train", "algo", "agent", "play",
         "actors", "learner", "league", "league parts", "manager", "eval"}
MAY |= {"job": FLOOR | {"export", "libagon"}, "classics": {"env", "agent", "meta", "store", "job"}, "run": {"job", "classics", "config", "store", "league", "eval", "agent"},
        "report": {"run", "job", "eval", "meta", "metrics", "nn", "transport"},
        "bench": FLOOR | {"job", "run"}, "sweep": {"run", "job", "config", "meta", "env"}, "doctor": {"job", "nn", "transport"},
        "cli": FLOOR | {"job", "classics", "run", "report", "bench", "export", "sweep", "doctor"}}
for row in MAY.values():  # who sends knows what is said; not the other way round
    if "wire" in row: row.add("messages")
OWNERS = {"mpi.h": "src/transport/transport_mpi.c", "hdf5.h": "src/store/store_hdf5.c", "cblas.h": "src/nn/kernels/openblas.c", "dlfcn.h": "src/env/env_plugin.c src/agent/onnx.c",
          "hwloc.h": "src/job/machine.c"}
# A library says what is wrong by a Status: it neither speaks to the terminal, nor reads the environment, nor ends the process.
ONLY_CLI = re.compile(r"\b(stdout|stderr)\b|(?<![\w.>])(getenv|printf|puts|putchar|perror|exit|_exit|_Exit|quick_exit|abort)\s*\(")
SPEAKERS = {"cli"}  # rooms
MAY_END = {"src/transport/transport_mpi.c"}  # a rank that must end its job


GIVEN = re.compile(r"^(?!static\b|typedef\b|enum\b|struct\b|const AlgoOps algo_)[A-Za-z_][\w \*]*\b(\w+)\s*[\(\[=;]")


# Of the league, only the manager and its parts that hear and tell the other ranks know of the envelope; who plays whom,
# payoffs and what people see do not. And no part knows the manager.
PARTS_OF_LEAGUE = {"members", "library", "checkpoint", "monitor"}
SHARED = {"central.h", "central.c", "off_policy.h", "off_policy.c", "on_policy.h", "on_policy.c", "schedule.h", "schedule.c"}
INSIDE = "learner/train/update_fields.h"  # the fields of an update: nobody's but learner/train's


def league(stem):
    if stem == "manager": return "manager"
    return "league parts" if stem in PARTS_OF_LEAGUE else "league"


def room(parts):
    """Of a file of the source, or of what an #include names (which leaves out src)."""
    if parts[0] == "src": parts = parts[1:]
    if parts[0] == "agon": return "include"
    if parts[0] == "league": return league(parts[1].split(".")[0])
    if parts[0] == "wire": return "messages" if parts[1].startswith("messages.") else "wire"
    if parts[:2] == ("learner", "algos"): return "algo" if parts[2] in ("algo.h", "algo.c", "algos.c") else "algos"
    if parts[:2] == ("learner", "train"): return "shared" if parts[2] in SHARED else "train"
    return parts[0]


def check(root):
    faults = []
    for top in ("src", "actors", "learner", "league", "include"):
        for path in sorted((root / top).rglob("*.[ch]")):
            rel = path.relative_to(root)
            algorithm = "\nconst AlgoOps algo_" in path.read_text()
            own = room(rel.parts)
            allowed = MAY.get(own)
            if allowed is None:
                faults.append(f"{rel}: the room {own} has no row in the table of who may include whom")
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r'\s*#include "([^"]+)"', line)
                if match and room(pathlib.PurePath(match[1]).parts) not in allowed | BELOW | {own}:
                    faults.append(f"{rel}:{number}: {own} may not include {match[1]}")
                if match and match[1] == INSIDE and own != "train":
                    faults.append(f"{rel}:{number}: the fields of an update are private to learner/train")
                match = re.match(r"\s*#include <([^>]+)>", line)
                if match and match[1] in OWNERS and str(rel) not in OWNERS[match[1]].split():
                    faults.append(f"{rel}:{number}: only {OWNERS[match[1]]} includes {match[1]}")
                match = GIVEN.match(line)
                if algorithm and match:
                    faults.append(f"{rel}:{number}: an algorithm's file gives nothing but its table, not {match[1]}")
                code = re.sub(r'"(\\.|[^"\\])*"|/\*.*?(\*/|$)|//.*', "", line) if not re.match(r"\s*\*", line) else ""
                word = ONLY_CLI.search(code)
                if word and own not in SPEAKERS and str(rel) not in MAY_END:
                    faults.append(f"{rel}:{number}: only cli reads the environment, prints or ends the process: {word[0]}")
    return faults


def planted():
    wrong = {"src/nn/a.c": '#include "data/batch.h"\n', "actors/b.c": '#include "league/league.h"\n', "league/c.c": "#include <mpi.h>\n",
             "src/env/d.c": '#include "play/play.h"\n', "learner/algos/e.c": '#include "store/store.h"\n', "src/play/f.c": 'int x(void) { exit(1); }\n',
             "src/eval/h.c": 'void x(void) { fprintf(stderr, "no"); }\n', "league/i.c": "void x(void) { abort(); }\n",
             "src/job/j.c": 'const char *x(void) { return getenv("HOME"); }\n', "src/cellar/k.c": "\n", "src/run/l.c": '#include "cli/cli.h"\n',
             "src/wire/messages.c": '#include "wire/wire.h"\n', "src/wire/messages.h": '#include "transport/transport.h"\n',
             "league/payoff.c": '#include "wire/wire.h"\n', "league/ledger.c": '#include "league/library.h"\n',
             "league/library.c": '#include "league/manager.h"\n',
             "learner/train/m.c": '#include "learner/learner.h"\n',
             "learner/algos/n.c": '#include "learner/train/update.h"\n', "src/bench/o.c": '#include "learner/train/update_fields.h"\n',
             "src/job/p.c": '#include "learner/algos/ppo.h"\n',
             "learner/algos/g.c": "void shared(Pass *pass) {\n}\nconst AlgoOps algo_g = {0};\n"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in wrong.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = check(pathlib.Path(folder))
    missing = [name for name in wrong if not any(fault.startswith(name) for fault in found)]
    print(f"{len(wrong) - len(missing)} of {len(wrong)} planted violations found")
    return 1 if missing else 0


def draw(root):
    """The house as it stands: floor by floor, each room with its lines and the rooms whose headers it includes. A room
    stands one floor above the highest that it includes; if none can be placed, there is a circle."""
    lines, knows = {}, {}
    for top in ("src", "actors", "learner", "league", "include"):
        for path in sorted((root / top).rglob("*.[ch]")):
            text, own = path.read_text(), room(path.relative_to(root).parts)
            lines[own] = lines.get(own, 0) + text.count("\n")
            named = {room(pathlib.PurePath(name).parts) for name in re.findall(r'^\s*#include "([^"]+)"', text, re.M)}
            knows[own] = knows.get(own, set()) | named - {own}
    floor, placed = 0, {}
    while len(placed) < len(lines):
        here = sorted(own for own in lines if own not in placed and all(other in placed for other in knows[own]))
        if not here:
            print("a circle among: " + ", ".join(sorted(set(lines) - set(placed))))
            return 1
        for own in here: print(f"{floor:2}  {own:13}{lines[own]:6}  {', '.join(sorted(knows[own] - BELOW, key=lambda r: (-placed[r], r)))}")
        placed.update((own, floor) for own in here)
        floor += 1
    print(f"{len(lines)} rooms, {sum(lines.values())} lines, no circle (base and include, which everybody may know, are left out on the right)")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--planted": sys.exit(planted())
    if sys.argv[1] == "--draw": sys.exit(draw(pathlib.Path(__file__).resolve().parents[2]))
    faults = check(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) or "every include keeps to its level, and every algorithm to itself")
    sys.exit(1 if faults else 0)
