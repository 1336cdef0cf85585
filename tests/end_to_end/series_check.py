"""The numbers of runs are called the same everywhere: series_check.py SOURCE RUN... (metrics.jsonl, TensorBoard, Python, the table).
Event files are read here by hand; where TensorBoard itself is installed, it must see the same hyper-parameters."""
import glob, json, math, os, re, struct, sys
import agon

source, runs = sys.argv[1], sys.argv[2:]
table = agon.series()
assert len(table) > 40 and all(what and not what.endswith(".") for what in table.values())
tags = [agon.tensorboard(name) for name in table]
assert len(set(tags)) == len(tags), "two numbers have one tag"
assert agon.tensorboard("main_0/entropy") == ("main_0", "losses/entropy") and agon.tensorboard("main_0/frames") == ("main_0", "player/frames")
assert agon.tensorboard("curriculum/stage") == (None, "curriculum/stage")  # it was taken for a player's
assert agon.tensorboard("global_step") == (None, "charts/global_step")


def known(name):
    """Whether the table has a row for it."""
    player = agon.tensorboard(name)[0]
    own = "PLAYER" + name[len(player):] if player else name
    return any(own == row or row.endswith("*") and own.startswith(row[:-1]) for row in table)


# whatever the sources set under a name of theirs
said = set()
for path in glob.glob(f"{source}/**/*.c", recursive=True):
    if os.path.relpath(path, source).split("/")[0] not in ("src", "league", "learner", "actors"): continue
    text = open(path, encoding="utf-8").read()
    said |= {name for name in re.findall(r'\brecord_set\(\s*record,\s*"([^"]+)"', text)}
    said |= {"PLAYER/" + name for name in re.findall(r'\b(?:set_of\(\s*record,\s*player|set_named\(\s*record,\s*player),\s*"([^"]+)"', text)}
    if not path.endswith("learner/learner.c"): continue
    reports = re.findall(r"^static void put_\w+\([^)]*Numbers \*numbers\) \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    said |= {"PLAYER/" + name for body in reports for name in re.findall(r'numbers_set\(numbers, "([^"]+)"', body)}
assert len(said) > 40, said
assert not [name for name in sorted(said) if name not in table], [name for name in sorted(said) if name not in table]


def fields(data):
    """(number, value) of a protocol buffer's fields; of kinds that hold bytes, those."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128: return value

    at, out = 0, []
    while at < len(data):
        key = varint()
        if key & 7 == 0: out.append((key >> 3, varint()))
        elif key & 7 == 2:
            size = varint()
            out.append((key >> 3, data[at:at + size]))
            at += size
        else:
            size = {1: 8, 5: 4}[key & 7]
            out.append((key >> 3, struct.unpack_from("<d" if size == 8 else "<f", data, at)[0]))
            at += size
    return out


def one(data, *path):
    """The last value at the end of a path of fields; None where it is missing."""
    for number in path:
        found = [value for field, value in fields(data) if field == number]
        if not found: return None
        data = found[-1]
    return data


def events(folder):
    """(step, value's bytes) of all summaries in a folder's files."""
    for path in sorted(glob.glob(f"{folder}/events.out.tfevents.*")):
        data, at = open(path, "rb").read(), 0
        while at < len(data):
            size = struct.unpack_from("<Q", data, at)[0]
            event = data[at + 12:at + 12 + size]
            at += 16 + size
            for number, summary in fields(event):
                if number == 5: yield from ((one(event, 2), value) for field, value in fields(summary) if field == 1)


def value_of(value):
    """google.protobuf.Value"""
    field, it = fields(value)[0]
    return {2: lambda: it, 3: lambda: it.decode(), 4: lambda: bool(it)}[field]()


for run in runs:
    records = [json.loads(line) for line in open(f"{run}/metrics.jsonl", encoding="utf-8")]
    assert records
    strange = sorted({name for record in records for name in record if not known(name)})
    assert not strange, f"not in the table of names: {strange}"
    general = "team" if os.path.isdir(f"{run}/tb/team") else "league"
    board = {}
    for folder in os.listdir(f"{run}/tb"):
        for step, value in events(f"{run}/tb/{folder}"): board[folder, one(value, 1).decode(), step] = one(value, 2)
    expected = {}
    for record in records:
        for name, number in record.items():
            folder, tag = agon.tensorboard(name)
            expected[folder or general, tag, int(record["global_step"])] = number
    assert board.keys() == expected.keys(), sorted(board.keys() ^ expected.keys())[:9]
    for key, number in expected.items(): assert math.isclose(board[key], number, rel_tol=1e-6, abs_tol=1e-30), (key, board[key], number)
    try: columns = agon.Run(run).metrics()
    except ImportError: columns = None  # h5py
    if columns is not None:
        assert list(columns) == list(dict.fromkeys(name for record in records for name in record))
        last = {}
        for record in records:
            if record["global_step"] == records[-1]["global_step"]: last.update(record)  # said in two records: nothing is lost
        assert all(list(columns[name])[-1] == number for name, number in last.items())
        assert len(columns["global_step"]) == len({record["global_step"] for record in records})
    # what the numbers are of
    told = {one(value, 1).decode(): value for _, value in events(f"{run}/tb")}
    assert told.keys() == {"configuration", "_hparams_/session_start_info", "_hparams_/session_end_info"}, told.keys()
    text = one(told["configuration"], 8, 8).decode()
    assert one(told["configuration"], 9, 1, 1) == b"text" and all(line[:4] == "    " for line in text.splitlines())
    plain = [line.split("#")[0].strip() for line in open(f"{run}/config.yaml", encoding="utf-8")]
    assert [line.strip() for line in text.splitlines() if line.strip()] == [line for line in plain if line]
    start = told["_hparams_/session_start_info"]
    assert one(start, 9, 1, 1) == b"hparams" and one(told["_hparams_/session_end_info"], 9, 1, 2, 4, 1) == 1
    hparams = {one(entry, 1).decode(): value_of(one(entry, 2)) for field, entry in fields(one(start, 9, 1, 2, 3)) if field == 1}
    assert hparams["game"] in text and hparams["actors.slots"] == 32 and hparams["league.mains"] >= 1
    assert hparams["pace"] == "lockstep" and len(hparams) > 100 and isinstance(hparams["seed"], float)
    assert any(isinstance(value, bool) for value in hparams.values())
    assert hparams.keys() >= {key for key in ("metrics.seconds", "net.hidden", "learner.algorithm")}

    try:
        from tensorboard import context
        from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
        from tensorboard.plugins import base_plugin
        from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
    except ImportError:
        continue
    mux = plugin_event_multiplexer.EventMultiplexer()
    mux.AddRunsFromDirectory(run)
    mux.Reload()
    seen = backend_context.Context(base_plugin.TBContext(data_provider=data_provider.MultiplexerDataProvider(mux, run), logdir=run))
    asked = api_pb2.ListSessionGroupsRequest(slice_size=9, allowed_statuses=[0, 1, 2, 3], include_metrics=True)
    group, = list_session_groups.Handler(context.RequestContext(), seen, "", asked).run().session_groups
    assert group.hparams.keys() == hparams.keys() and group.sessions[0].status == 1
    assert {(value.name.group, value.name.tag) for value in group.sessions[0].metric_values} == {key[:2] for key in board}
    print(f"{run}: TensorBoard sees {len(group.hparams)} hyper-parameters and {len(group.sessions[0].metric_values)} numbers")
print(f"{len(table)} names, and {len(runs)} runs that have them everywhere")
