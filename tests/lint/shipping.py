#!/usr/bin/env python3
"""What agon is shipped by, as far as it can be looked at without the tools that read it: shell scripts and the shell in
recipes parse; a Dockerfile and an Apptainer recipe have known instructions, and copy only what is there; Kubernetes objects
have the fields that the MPI operator wants; the spack package runs against stand-ins of spack's directives; the Debian
changelog has the project's version; no image is named with a host. usage: shipping.py ROOT, or --planted: faults are found."""
import json, pathlib, re, subprocess, sys, tempfile, types

try:
    import yaml
except ImportError:
    yaml = None
SKIP = 77


def shell(text, name="bash"):
    """What the shell says of a script that it only parses; "" where it says nothing."""
    return subprocess.run([name, "-n"], input=text, capture_output=True, text=True).stderr.strip()


def scripts(root):
    for path in sorted(p for top in ("deploy", "tests", ".ci") for p in (root / top).rglob("*") if p.is_file()):
        if path.suffix in (".sh", ".sbatch") or path.parent.name == ".ci":
            said = shell(path.read_text())
            if said: yield path, said
            if path.suffix == ".sbatch": yield from ((path, fault) for fault in batch(path.read_text()))


def batch(text):
    """Slurm reads its options up to the first command."""
    command = False
    for line in text.splitlines():
        if line.startswith("#SBATCH"):
            if command: yield f"behind the first command Slurm does not see '{line}'"
            if not re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", line): yield f"'{line}' is no option"
        elif line.strip() and not line.startswith("#"):
            command = True


# --- containers
INSTRUCTIONS = {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "ONBUILD", "RUN",
                "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
IMAGE = re.compile(r"[a-z0-9._-]+(:[\w.-]+)?")  # a host would have a slash behind it


def instructions(text):
    """(name, rest) of a Dockerfile, its lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip(): yield (line.split(None, 1) + [""])[:2]


def dockerfile(root, path):
    stages = []
    for name, rest in instructions(path.read_text()):
        words = rest.split()
        if name not in INSTRUCTIONS: yield f"'{name}' is no instruction"
        elif name == "FROM":
            if words[0] not in stages and not IMAGE.fullmatch(words[0]): yield f"the image {words[0]}"
            if len(words) not in (1, 3) or words[1:2] not in ([], ["AS"]): yield f"FROM {rest}"
            stages.append(words[-1])
        elif not stages and name != "ARG": yield f"{name} before the first FROM"
        elif name == "COPY":
            options = [word for word in words if word.startswith("--")]
            sources = [word for word in words if not word.startswith("--")][:-1]
            stage = [o.split("=")[1] for o in options if o.startswith("--from=")]
            if not sources: yield f"COPY {rest}"
            if stage and stage[0] not in stages[:-1]: yield f"there is no stage {stage[0]}"
            if not stage: yield from (f"there is no {s}" for s in sources if not (root / s).exists())
        elif name == "RUN":
            said = shell(rest, "sh")
            if said: yield f"RUN: {said}"
        elif name in ("CMD", "ENTRYPOINT"):
            try: json.loads(rest)
            except ValueError: yield f"{name} {rest}: a list in JSON is what signals reach"
        elif not words: yield f"{name} of nothing"


SECTIONS = {"setup", "files", "app", "post", "test", "environment", "startscript", "runscript", "labels", "help", "arguments"}


def apptainer(root, path):
    head, stages, section, body = {}, [], None, []

    def end():
        if section and section.split()[0] in ("post", "test", "environment", "runscript"):
            said = shell("\n".join(body), "sh")
            if said: yield f"%{section}: {said}"
        if section and section.split()[0] == "files":
            given = section.split()[1:]
            if given and (given[0] != "from" or given[1] not in stages[:-1]): yield f"%{section}: there is no such stage"
            if not given: yield from (f"%files: there is no {line.split()[0]}" for line in body if line.strip() and not (root / line.split()[0]).exists())

    for line in path.read_text().splitlines() + ["%"]:
        if line.startswith("#"): continue
        field = re.fullmatch(r"(Bootstrap|From|Stage): (\S+)", line)
        if line.startswith("%") or field:
            yield from end()
            section, body = (None if field else line[1:].strip()), []
            if not field and section and section.split()[0] not in SECTIONS: yield f"%{section} is no section"
            if field and field[1] == "Bootstrap": head = {}
            if field: head[field[1]] = field[2]
            if field and field[1] == "From" and not IMAGE.fullmatch(field[2]): yield f"the image {field[2]}"
            if field and field[1] == "Stage": stages.append(field[2])
        elif section is not None: body.append(line)
        elif line.strip(): yield f"'{line}' is in no section"
    if "From" not in head: yield "it begins with no image"


# --- Kubernetes
def pod(spec, where):
    for container in spec.get("containers") or [{}]:
        for field in ("name", "image", "command"):
            if not container.get(field): yield f"{where}: a container without {field}"
        if not IMAGE.fullmatch(str(container.get("image", "-"))): yield f"{where}: the image {container['image']}"
        for word in container.get("command", []) + container.get("args", []):
            if not isinstance(word, str): yield f"{where}: the word {word!r} is no text: it needs quotes"
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in [v["name"] for v in spec.get("volumes", [])]: yield f"{where}: there is no volume {mount['name']}"


# what the operator's v2beta1 knows (its published schema), without what it says of pods
JOB = {"cleanPodPolicy", "ttlSecondsAfterFinished", "activeDeadlineSeconds", "backoffLimit", "schedulingPolicy", "suspend", "managedBy"}
SPEC = {"slotsPerWorker", "runLauncherAsWorker", "runPolicy", "mpiReplicaSpecs", "sshAuthMountPath", "launcherCreationPolicy", "mpiImplementation"}


def mpijob(job):
    spec = job.get("spec", {})
    replicas = spec.get("mpiReplicaSpecs", {})
    if job.get("apiVersion") != "kubeflow.org/v2beta1": yield f"apiVersion {job.get('apiVersion')}"
    yield from (f"spec.{key} is no field" for key in sorted(set(spec) - SPEC))
    yield from (f"spec.runPolicy.{key} is no field" for key in sorted(set(spec.get("runPolicy", {})) - JOB))
    if spec.get("runPolicy", {}).get("cleanPodPolicy") not in ("None", "Running", "All"): yield "spec.runPolicy.cleanPodPolicy"
    if spec.get("mpiImplementation") != "OpenMPI": yield "spec.mpiImplementation"
    if set(replicas) != {"Launcher", "Worker"}: yield f"spec.mpiReplicaSpecs has {sorted(replicas)}"
    for name, replica in replicas.items():
        yield from (f"{name}.{key} is no field" for key in sorted(set(replica) - {"replicas", "restartPolicy", "template"}))
        if not isinstance(replica.get("replicas"), int): yield f"{name}.replicas"
        if replica.get("restartPolicy") not in ("Never", "OnFailure"): yield f"{name}.restartPolicy"
        yield from pod(replica.get("template", {}).get("spec", {}), name)
    try:
        words = replicas["Launcher"]["template"]["spec"]["containers"][0]["args"]
        ranks, slots = int(words[words.index("-n") + 1]), spec["slotsPerWorker"] * replicas["Worker"]["replicas"]
        if ranks > slots: yield f"{ranks} ranks, but {slots} slots"
    except (KeyError, ValueError, IndexError, TypeError) as fault: yield f"how many ranks cannot be told: {fault!r}"


def kubernetes(path):
    jobs = 0
    try: objects = list(yaml.safe_load_all(path.read_text()))
    except yaml.YAMLError as fault:
        yield f"no YAML: {fault}"
        return
    for item in objects:
        if not isinstance(item, dict) or not {"apiVersion", "kind", "metadata", "spec"} <= set(item): yield f"no object: {item}"
        elif item["kind"] == "MPIJob":
            jobs += 1
            yield from mpijob(item)
    if not jobs: yield "no MPIJob is in it"


# --- spack
def spack(path):
    """Runs the package against stand-ins of what spack gives it, and looks at what it has said to them."""
    said = []

    def directive(name):
        def call(*words, **options):
            said.append((name, words, options))
            return lambda function: function
        return call

    module = types.ModuleType("spack.package")
    for name in ("version", "variant", "depends_on", "license", "generator", "run_after", "on_package_attributes", "conflicts", "maintainers"):
        setattr(module, name, directive(name))
    module.CMakePackage, module.Executable = type("CMakePackage", (), {}), None
    module.__all__ = [name for name in vars(module) if not name.startswith("_")]
    kept = {name: sys.modules.get(name) for name in ("spack", "spack.package")}
    sys.modules.update({"spack": types.ModuleType("spack"), "spack.package": module})
    space = {"__file__": str(path), "__name__": "package"}
    try: exec(compile(path.read_text(), str(path), "exec"), space)
    except Exception as fault:
        yield f"{type(fault).__name__}: {fault}"
        return
    finally:
        for name, before in kept.items(): sys.modules.pop(name) if before is None else sys.modules.update({name: before})
    names = [words[0].split("@")[0] for what, words, _ in said if what == "depends_on"]
    for needed in ("c", "cmake", "mpi", "hwloc", "hdf5", "openblas", "libyaml", "jansson", "xxhash", "random123", "clp"):
        if names.count(needed) != 1: yield f"depends_on {needed}: {names.count(needed)} times"
    if not any(what == "version" for what, _, _ in said): yield "it has no version"
    if "Agon" not in space or not space["Agon"].__doc__: yield "there is no class Agon, or it says nothing of itself"


def debian(root):
    version = re.search(r"project\(agon VERSION (\S+)", (root / "CMakeLists.txt").read_text())[1]
    top = (root / "deploy/packages/changelog").read_text().splitlines()[0]
    if not re.fullmatch(rf"agon \({re.escape(version)}\) \w+; urgency=\w+", top): yield f"'{top}' is not of {version}"


def check(root):
    faults = [f"{path.relative_to(root)}: {fault}" for path, fault in scripts(root)]
    looks = [("deploy/containers/Dockerfile", lambda p: dockerfile(root, p)), ("deploy/containers/agon.def", lambda p: apptainer(root, p)),
             ("deploy/spack/packages/agon/package.py", spack), ("deploy/packages/changelog", lambda p: debian(root))]
    if yaml: looks.append(("deploy/kubernetes/mpijob.yaml", kubernetes))
    for name, look in looks:
        faults += [f"{name}: {fault}" for fault in look(root / name)]
    return faults


PLANTED = [
    ("deploy/slurm/srun.sbatch", "while :; do", "while :;", "syntax error"),
    ("deploy/slurm/srun.sbatch", "set -u\n", "set -u\n#SBATCH --nodes=2\n", "Slurm does not see"),
    ("deploy/containers/Dockerfile", "WORKDIR /src", "WORKDIRECTORY /src", "is no instruction"),
    ("deploy/containers/Dockerfile", "COPY league league", "COPY leagues league", "there is no leagues"),
    ("deploy/containers/Dockerfile", "--from=build", "--from=built", "there is no stage built"),
    ("deploy/containers/Dockerfile", " && rm -rf /var/lib/apt/lists/* /packages", " && ( rm -rf /packages", "RUN: "),
    ("deploy/containers/Dockerfile", "FROM debian:12 AS agon", "FROM host.example/debian:12 AS agon", "the image host.example/debian:12"),
    ("deploy/containers/Dockerfile", '["agon"]', "agon", "a list in JSON"),
    ("deploy/containers/agon.def", "%runscript", "%runscripts", "%runscripts is no section"),
    ("deploy/containers/agon.def", "%files from build", "%files from built", "there is no such stage"),
    ("deploy/containers/agon.def", "    league /src/league", "    leagues /src/league", "there is no leagues"),
    ("deploy/containers/agon.def", '    exec agon "$@"', '    exec agon "$@', "%runscript: "),
    ("deploy/kubernetes/mpijob.yaml", "slotsPerWorker: 8", "slotPerWorker: 8", "spec.slotPerWorker is no field"),
    ("deploy/kubernetes/mpijob.yaml", "replicas: 4", "replicas: 3", "32 ranks, but 24 slots"),
    ("deploy/kubernetes/mpijob.yaml", '- "32"', "- 32", "the word 32 is no text"),
    ("deploy/kubernetes/mpijob.yaml", "            - name: shared-memory\n", "            - name: shared\n", "there is no volume shared-memory"),
    ("deploy/kubernetes/mpijob.yaml", "kind: MPIJob", "kind: [MPIJob", "no YAML"),
    ("deploy/spack/packages/agon/package.py", 'depends_on("clp")', "", "depends_on clp: 0 times"),
    ("deploy/spack/packages/agon/package.py", "variant(", "variants(", "NameError"),
    ("deploy/packages/changelog", "agon (", "agon (9.", "is not of"),
]


def planted(root):
    """Each fault, put into a copy, is found; nothing else is."""
    for name, old, new, said in PLANTED:
        if name.endswith(".yaml") and not yaml: continue
        text = (root / name).read_text()
        if text.count(old) < 1: sys.exit(f"{name}: there is no '{old}' to spoil")
        with tempfile.TemporaryDirectory() as copy:
            for item in root.iterdir():
                if item.name != "deploy": (pathlib.Path(copy) / item.name).symlink_to(item)
            subprocess.run(["cp", "-r", str(root / "deploy"), copy], check=True)
            (pathlib.Path(copy) / name).write_text(text.replace(old, new, 1))
            looks = [f for f in check_file(pathlib.Path(copy), name)]
            if not any(said in f for f in looks): sys.exit(f"{name}: '{old}' as '{new}' is not found: {looks}")
    print(f"all {len(PLANTED)} faults are found")


def check_file(root, name):
    path = root / name
    if name.endswith(".sbatch"): return [f for f in [shell(path.read_text())] if f] + list(batch(path.read_text()))
    if name.endswith("Dockerfile"): return list(dockerfile(root, path))
    if name.endswith(".def"): return list(apptainer(root, path))
    if name.endswith(".yaml"): return list(kubernetes(path))
    if name.endswith(".py"): return list(spack(path))
    return list(debian(root))


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parents[2]
    if sys.argv[1] == "--planted": planted(here)
    else:
        faults = check(pathlib.Path(sys.argv[1]))
        print("\n".join(faults) or "what agon is shipped by parses")
        if faults: sys.exit(1)
    if not yaml:
        print("without Python's yaml the Kubernetes objects were not looked at")
        sys.exit(SKIP)
