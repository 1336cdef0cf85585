#!/usr/bin/env python3
"""Writes the wheel of the Python package: build_wheel.py LIBRARY FOLDER --version V [--machine x86_64] [--native]
The CMake target agon_wheel calls it. Python's own library is enough, and the same input gives the same bytes. What the wheel says
of where it runs is read from the library (by objdump): manylinux_2_34 is every Linux whose C library is glibc 2.34 or newer."""

import argparse
import base64
import hashlib
import pathlib
import re
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
parser.add_argument("--native", action="store_true", help="it was compiled for this machine's processor: no other is promised")
given = parser.parse_args()
PROMISED = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def platform(library):
    """manylinux_2_N_MACHINE where the library needs glibc 2.N and nothing else; where that cannot be said, linux_MACHINE."""
    if given.native or not shutil.which("objdump"): return f"linux_{given.machine}"
    said = subprocess.run(["objdump", "-p", library], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"NEEDED\s+(\S+)", said))
    versions = [tuple(int(part) for part in version.split(".")) for version in re.findall(r"\bGLIBC_([0-9.]+)", said)]
    if not versions or needed - PROMISED: return f"linux_{given.machine}"
    return "manylinux_{}_{}_{}".format(*max(version[:2] for version in versions), given.machine)


with tempfile.TemporaryDirectory() as folder:  # symbols for debuggers are most of a library
    bare = pathlib.Path(folder, "libagon_wheel.so")
    shutil.copy(given.binary, bare)
    if shutil.which("strip"): subprocess.run(["strip", "--strip-unneeded", bare], check=True)
    files = {"agon/libagon_wheel.so": bare.read_bytes()}
    where = platform(bare)
for path in sorted((here / "agon").glob("*.py")): files["agon/" + path.name] = path.read_bytes()
files["agon/run.py"] = (here / "agon_run.py").read_bytes()
tag, info = f"py3-none-{where}", f"agon-{given.version}.dist-info"
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
for old in given.folder.glob("agon-*.whl"): old.unlink()  # of another version or tag
out = given.folder / f"agon-{given.version}-{tag}.whl"
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
    for name, data in files.items():
        entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        wheel.writestr(entry, data)
print(out)
