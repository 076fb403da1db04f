"""The fault matrix: each test here says which fault it makes, in which phase, and what a user was promised.

    @pytest.mark.fault("MLflow black-holed", phase="mid-sweep", outcome="training goes on, the data catches up")
    def test_...

A test may bear several marks, also through `pytest.param(..., marks=pytest.mark.fault(...))`. A name in braces stands
for a parameter: `phase="{phase}"`. `--fault-table docs/faults.md` writes what ran as a table; `make faults` does that.
A test that starts the command (`orch`) is slow: the quick suite has those alone that strike in process.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.commands import Orch

HEADER = """# Faults

Written by `make faults` from the tests that ran, in `tests/faults/`. Each row is a fault that a test makes, the moment
at which it strikes, and what then holds. [failure-semantics.md](failure-semantics.md) has the promises themselves.

| fault | phase | outcome | tests |
|---|---|---|---|
"""
WORST = ("failed", "known gap", "skipped", "passed")


@pytest.fixture
def orch(tmp_path: Path) -> Iterator[Orch]:
    """The command in a folder of its own; what it starts is stopped."""
    made = Orch(tmp_path)
    yield made
    made.close()


@dataclass(frozen=True, order=True)
class Row:
    """One line of the table, without its result."""

    fault: str
    phase: str
    outcome: str


class FaultTable:
    """Collects the results of marked tests and writes them down at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results: dict[Row, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for setup, call and teardown; the worst of them is the test's result."""
        for row in (value for name, value in report.user_properties if name == "fault"):
            of_row = self._results.setdefault(Row(*row), {})
            of_row[report.nodeid] = min(of_row.get(report.nodeid, "passed"), _result(report), key=WORST.index)

    def pytest_sessionfinish(self) -> None:
        """Write the table; nothing where no marked test ran."""
        lines = [f"| {row.fault} | {row.phase} | {row.outcome} | {_counts(r)} |\n" for row, r in self._results.items()]
        if lines:
            self._path.write_text(HEADER + "".join(sorted(lines)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", type=Path, help="write fault x phase -> outcome as Markdown to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(fault, *, phase, outcome): a row of docs/faults.md")
    path = config.getoption("fault_table", None)
    if path is not None:
        config.pluginmanager.register(FaultTable(path), "fault-table")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Whatever starts the command takes seconds.
        if Path(__file__).parent in item.path.parents and "orch" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        for mark in item.iter_markers("fault"):
            row = _row(*mark.args, **mark.kwargs)
            item.user_properties.append(("fault", tuple(text.format_map(parameters) for text in row)))


def _row(fault: str, *, phase: str, outcome: str) -> tuple[str, str, str]:
    return fault, phase, outcome


def _result(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "known gap"
    return report.outcome


def _counts(results: dict[str, str]) -> str:
    found = list(results.values())
    return ", ".join(f"{found.count(result)} {result}" for result in WORST if result in found)
