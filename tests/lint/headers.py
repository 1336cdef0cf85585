#!/usr/bin/env python3
"""Every header compiles alone: as C, and those of include/ as C++17 too. usage: headers.py ROOT [CC [CXX]]"""
import concurrent.futures, os, pathlib, shlex, subprocess, sys

root = pathlib.Path(sys.argv[1])
cc, cxx = (sys.argv[2:] + ["cc", "c++"][len(sys.argv[2:]):])[:2]
libraries = subprocess.run(["pkg-config", "--cflags", "jansson", "hdf5"], capture_output=True, text=True).stdout


def compile_alone(job):
    header, compiler, language, standard = job
    command = [*shlex.split(compiler), "-fsyntax-only", "-x", language, f"-std={standard}", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
               "-Wno-unused-function", "-DLANES=4", f"-I{root}/include", f"-I{root}/src", f"-I{root}", *libraries.split(), "-"]
    done = subprocess.run(command, input=f'#include "{header}"\n', capture_output=True, text=True)
    return None if done.returncode == 0 else f"{header.relative_to(root)} does not compile alone as {standard}:\n{done.stderr}"


jobs = []
for top in ("include", "src", "actors", "learner", "league"):
    for header in sorted((root / top).rglob("*.h")):
        jobs.append((header, cc, "c", "gnu11"))
        if top == "include": jobs.append((header, cxx, "c++", "c++17"))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    faults = [fault for fault in pool.map(compile_alone, jobs) if fault]
print("\n".join(faults) or f"{len(jobs)} headers compile alone")
sys.exit(1 if faults else 0)
