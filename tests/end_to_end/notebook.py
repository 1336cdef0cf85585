"""Runs a notebook's code cells in their order, in one namespace, as a kernel would: notebook.py FILE.ipynb
First it must be a notebook of format 4.5: by nbformat's own validation where that is installed, and here for what makes one."""
import ast, json, re, sys

path = sys.argv[1]
notebook = json.load(open(path, encoding="utf-8"))
assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5 and isinstance(notebook["metadata"], dict)
assert notebook.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"} and notebook["metadata"]["kernelspec"]["name"] == "python3"
ids = [cell["id"] for cell in notebook["cells"]]
assert len(set(ids)) == len(ids) and all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", one) for one in ids)
for cell in notebook["cells"]:
    expected = {"id", "cell_type", "metadata", "source"} | ({"outputs", "execution_count"} if cell["cell_type"] == "code" else set())
    assert cell.keys() == expected and cell["cell_type"] in ("code", "markdown"), cell
    assert all(isinstance(line, str) for line in cell["source"]) and all(line.endswith("\n") for line in cell["source"][:-1])
    if cell["cell_type"] == "code": assert cell["outputs"] == [] and cell["execution_count"] is None, "it is kept without outputs"
try: import nbformat
except ImportError: pass
else: nbformat.validate(nbformat.from_dict(notebook))

names = {"__name__": "__main__"}
for cell in notebook["cells"]:
    if cell["cell_type"] != "code": continue
    tree = ast.parse("".join(cell["source"]), f"{path}, {cell['id']}")
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None  # its value is what a notebook shows
    exec(compile(tree, f"{path}, {cell['id']}", "exec"), names)
    if last is not None:
        shown = eval(compile(ast.Expression(last.value), f"{path}, {cell['id']}", "eval"), names)
        if shown is not None: print(repr(shown))
