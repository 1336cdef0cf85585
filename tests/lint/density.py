#!/usr/bin/env python3
"""How dense the sources are: tokens a line, tokens a function (median, 90 %), functions with a sentence above them, and the
comments' share of the bytes, by room. usage: density.py [ROOT ...]   (it decides nothing)"""
import collections, pathlib, re, statistics, sys

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|\.?\d[\w.]*|[-+*/%&|^<>=!]=|<<=|>>=|->|\+\+|--|<<|>>|&&|\|\||\S')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def functions(text):
    """(tokens, whether a comment ends right above) of each function: from a brace at the end of an unindented line to `}`."""
    lines, start = text.split("\n"), None
    for number, line in enumerate(lines):
        if start is None and line.endswith("{") and "(" in line and not line.startswith((" ", "#", "typedef", "}")):
            start = number
            first = number
            while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith(("}", "#", "/*", " *")) and not lines[first - 1].endswith((";", "*/")):
                first -= 1
            told = first > 0 and lines[first - 1].rstrip().endswith("*/")
        elif start is not None and line == "}":
            yield len(TOKEN.findall(COMMENT.sub("", "\n".join(lines[start:number + 1])))), told
            start = None


def measure(root):
    rooms = collections.defaultdict(lambda: {"lines": 0, "tokens": 0, "comment": 0, "bytes": 0, "functions": []})
    for top in ("include", "src", "actors", "learner", "league"):
        for path in sorted((root / top).rglob("*.[ch]")):
            text = path.read_text()
            parts = path.relative_to(root).parts
            code = COMMENT.sub("", text)
            for name in ("/".join(parts[:2]) if len(parts) > 2 else parts[0], "all"):
                room = rooms[name]
                room["lines"] += sum(1 for line in code.split("\n") if line.strip())
                room["tokens"] += len(TOKEN.findall(code))
                room["comment"] += sum(len(m) for m in COMMENT.findall(text))
                room["bytes"] += len(text)
                room["functions"] += functions(text)
    return rooms


for root in map(pathlib.Path, sys.argv[1:] or ["."]):
    print(f"{root}\n{'room':18} {'lines':>6} {'tokens a line':>13} {'a function':>10} {'90 %':>5} {'told':>6} {'comments':>8}")
    for name, room in sorted(measure(root).items()):
        sizes = sorted(size for size, _ in room["functions"]) or [0]
        told = 100 * sum(told for _, told in room["functions"]) / max(len(room["functions"]), 1)
        print(f"{name:18} {room['lines']:6} {room['tokens'] / max(room['lines'], 1):13.1f} {statistics.median(sizes):10.0f} "
              f"{sizes[int(0.9 * (len(sizes) - 1))]:5} {told:5.0f}% {100 * room['comment'] / max(room['bytes'], 1):7.1f}%")
