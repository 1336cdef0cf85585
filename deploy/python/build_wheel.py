#!/usr/bin/env python3
"""Writes the wheel of the Python package: build_wheel.py LIBRARY FOLDER --version V [--machine x86_64]
The CMake target agon_wheel calls it. Nothing but Python's own library is needed, and the same input gives the same bytes."""

import argparse
import base64
import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import zipfile

here = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("binary", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--version", required=True)
parser.add_argument("--machine", default="x86_64")
given = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:  # symbols for debuggers are most of a library
    bare = pathlib.Path(folder, "libagon_wheel.so")
    shutil.copy(given.binary, bare)
    if shutil.which("strip"): subprocess.run(["strip", "--strip-unneeded", bare], check=True)
    files = {"agon/libagon_wheel.so": bare.read_bytes()}
for path in sorted((here / "agon").glob("*.py")): files["agon/" + path.name] = path.read_bytes()
files["agon/run.py"] = (here / "agon_run.py").read_bytes()
tag, info = f"py3-none-linux_{given.machine}", f"agon-{given.version}.dist-info"
files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: agon\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
files[f"{info}/METADATA"] = f"""Metadata-Version: 2.1
Name: agon
Version: {given.version}
Summary: Games and players of agon, league self-play: batched environments and exported agents
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: numpy
Provides-Extra: pettingzoo
Requires-Dist: pettingzoo; extra == 'pettingzoo'
Requires-Dist: gymnasium; extra == 'pettingzoo'
Provides-Extra: gymnasium
Requires-Dist: gymnasium; extra == 'gymnasium'
Provides-Extra: run
Requires-Dist: h5py; extra == 'run'
Description-Content-Type: text/markdown

""".encode() + (here / "README.md").read_bytes()
files[f"{info}/licenses/LICENSE"] = (here.parent.parent / "LICENSE").read_bytes()
record = [f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
          for name, data in files.items()]
files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
given.folder.mkdir(parents=True, exist_ok=True)
out = given.folder / f"agon-{given.version}-{tag}.whl"
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
    for name, data in files.items():
        entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        wheel.writestr(entry, data)
print(out)
