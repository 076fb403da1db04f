"""Every sweep file that is shipped: it loads, fits its trainable, and says what it asks and costs."""

from pathlib import Path

import pytest

from orchestrator.sweeps.checks import check_file

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_has_no_fault_and_a_header(path):
    checked = check_file(path, directory=ROOT)
    first, *rest = path.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=sweep.schema.json"
    header = "\n".join(line for line in rest if line.startswith("#"))
    assert all(word in header for word in ("Question:", "Budget:", "Cost:"))
    assert checked.spec.budget.trials >= 1


def test_the_names_of_shipped_sweeps_differ():
    names = [check_file(path, directory=ROOT).spec.name for path in FILES]
    assert len(set(names)) == len(names) > 0
