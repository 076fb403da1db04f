"""Nothing that is read becomes code: no eval, no pickle, no unsafe loader, no shell, in what is shipped."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for room in ("orchestrator", "trainables") for path in (ROOT / room).rglob("*.py"))
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "pandas.read_pickle", "pd.read_pickle",
}  # fmt: skip
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}


ALLOWED = {("trainables/data/images/files.py", "imports pickle")}
"""CIFAR's own files are pickles: an unpickler that makes arrays and nothing else reads them, and its tests try it."""


def name_of(node):
    """`a.b.c` of a called expression; `?` stands for what is computed."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{name_of(value)}.{attr}"
    return "?"


def keywords(call):
    return {keyword.arg: keyword.value for keyword in call.keywords}


def is_true(node):
    return isinstance(node, ast.Constant) and node.value is True


def objections(tree):
    """Line and reason of each thing that could run what it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from ((node.lineno, f"imports {name}") for name in names if name.split(".")[0] in PICKLES)
        if not isinstance(node, ast.Call):
            continue
        name, given = name_of(node.func), keywords(node)
        if name in FORBIDDEN:
            yield node.lineno, f"calls {name}"
        if name == "torch.load" and not is_true(given.get("weights_only")):
            yield node.lineno, "torch.load without weights_only=True"
        if name in ("np.load", "numpy.load") and "allow_pickle" not in given:
            yield node.lineno, "np.load that does not say allow_pickle=False"
        if is_true(given.get("allow_pickle")):
            yield node.lineno, "allow_pickle=True"
        if is_true(given.get("shell")):
            yield node.lineno, "shell=True"
        if name.startswith("subprocess.") and node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
            yield node.lineno, "a subprocess whose command is one string"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_becomes_code(path):
    file = str(path.relative_to(ROOT))
    found = [(line, what) for line, what in objections(ast.parse(path.read_text())) if (file, what) not in ALLOWED]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["eval('1')", "exec(text)", "import pickle", "from cloudpickle import loads", "torch.load(path)",
     "torch.load(path, weights_only=False)", "yaml.load(text, Loader=yaml.SafeLoader)", "os.system('ls')",
     "subprocess.run('ls', shell=True)", "subprocess.run('ls')", "subprocess.run(f'ls {x}')", "np.load(path)",
     "np.load(path, allow_pickle=True)"],
)  # fmt: skip
def test_the_search_finds_each_kind(source):
    assert len(list(objections(ast.parse(source)))) >= 1


def test_what_is_safe_passes():
    safe = "torch.load(p, weights_only=True); subprocess.run(['git']); np.load(p, allow_pickle=False); model().eval()"
    assert list(objections(ast.parse(safe))) == []
