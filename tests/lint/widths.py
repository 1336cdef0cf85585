#!/usr/bin/env python3
"""How wide lines may be: sources of the rooms 100 columns, where the formatter is not told to stand back; prose of the READMEs
110. Tables, code and what a program printed are as wide as they are. usage: widths.py ROOT, or --planted: violations are found."""
import pathlib, re, sys, tempfile

ROOMS = ("include", "src", "actors", "learner", "league")
SOURCE, PROSE = 100, 110


def sources(root):
    for top in ROOMS:
        for path in sorted((root / top).rglob("*.[ch]")):
            formatted = True
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if "clang-format off" in line: formatted = False
                if "clang-format on" in line: formatted = True
                if formatted and len(line) > SOURCE: yield path, number, len(line), SOURCE


def readmes(root):
    paths = [root / "README.md"] + [path for top in ROOMS + ("deploy", "tests") for path in (root / top).rglob("README.md")]
    for path in sorted(path for path in paths if path.exists()):
        fenced = indented = False
        before = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            fence = re.match(r"\s*```", line)
            if fence: fenced = not fenced
            # four spaces make code where a block begins; elsewhere they are the margin of an item
            indented = line.startswith("    ") and (indented or not before.strip())
            if not fence and not fenced and not indented and not line.startswith("|") and len(line) > PROSE:
                yield path, number, len(line), PROSE
            before = line


def check(root):
    return [f"{path.relative_to(root)}:{number}: {width} columns, {most} are enough"
            for looked_at in (sources, readmes) for path, number, width, most in looked_at(root)]


def planted():
    wide = "x " * 60
    wrong = {"src/nn/a.c": f"/* {wide}*/\n", "include/agon/b.h": f"// {wide}\n", "league/README.md": f"# league\n\n{wide}\n",
             "README.md": f"```\n{wide}\n```\n{wide}\n", "tests/README.md": f"- an item\n    {wide}\n"}
    right = {"src/nn/c.c": f"/* clang-format off */\n// {wide}\n/* clang-format on */\n", "actors/d.c": "x" * 100 + "\n",
             "src/README.md": f"# src\n\n| {wide} |\n\n    {wide}\n    {wide}\n\n```sh\n{wide}\n```\n", "deploy/README.md": "x" * 110 + "\n"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**wrong, **right}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = [fault.split(":")[0] for fault in check(pathlib.Path(folder))]
    for name in right: assert name not in found, name
    for name in wrong: assert found.count(name) == 1, (name, found)
    print(f"{len(wrong)} of {len(wrong)} planted violations found, and nothing else")


if __name__ == "__main__":
    if sys.argv[1] == "--planted": sys.exit(planted())
    faults = check(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) or "no line is too wide")
    sys.exit(1 if faults else 0)
