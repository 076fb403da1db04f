"""What holds for every source file: a docstring, no drawer modules, no absolute paths, imports at the top."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "trainables")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LAZY = ("orchestrator/cli/", "orchestrator/execution/ray_actor.py", "trainables/registry.py")
"""Where first-party imports may stand inside of a function."""
ABSOLUTE = re.compile(r"""["'`(=\s](/(?:home|root|Users|work|tmp|mnt|data|workspace)/\S*)""")


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_opens_with_a_docstring(path):
    text = ast.get_docstring(ast.parse(path.read_text()))

    assert text
    assert text[0].isupper() or text[0] == "`"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_first_party_imports_stand_at_the_top(path):
    if relative(path).startswith(LAZY):
        return
    tree = ast.parse(path.read_text())
    nested = [node for function in ast.walk(tree) if is_function(function) for node in ast.walk(function)]
    late = [ast.unparse(node) for node in nested if is_first_party_import(node)]

    assert late == []


def is_function(node):
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def is_first_party_import(node):
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").split(".")[0] in PACKAGES
    return isinstance(node, ast.Import) and any(alias.name.split(".")[0] in PACKAGES for alias in node.names)


def test_the_import_walk_sees_each_form():
    source = "def f():\n    import orchestrator.x\n    from trainables import y\n    from . import z\n    import json\n"
    nodes = list(ast.walk(ast.parse(source).body[0]))

    assert sum(map(is_first_party_import, nodes)) == 3


def test_there_are_no_drawers():
    drawers = {"utils", "util", "common", "helpers", "helper", "misc", "shared", "base"}

    assert [relative(path) for path in MODULES if {*path.parent.parts, path.stem} & drawers] == []


@pytest.mark.parametrize(
    "path",
    [
        *MODULES,
        *sorted((ROOT / "search_spaces").glob("*")),
        *sorted((ROOT / "benchmarks").glob("*.py")),
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *(ROOT / name for name in ("pyproject.toml", "Makefile", ".ci/run")),
    ],
    ids=relative,
)
def test_no_path_of_one_machine(path):
    assert ABSOLUTE.findall(path.read_text()) == []
