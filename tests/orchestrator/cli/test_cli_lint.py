"""`orch lint`, and what `validate`, `plan` and `sweep` tell of it."""

import pytest

from orchestrator.sweeps.lint.table import RULES
from tests.orchestrator.cli.conftest import SWEEP

WIDE = ("{type: float, low: 0, high: 1}", "{type: float, low: 0.001, high: 1}")
IMPOSSIBLE = ("budget:", "floors: {val/accuracy: 30}\nbudget:")


@pytest.fixture
def write(folder):
    def write(*changes, metric="val/score"):
        text = SWEEP
        for old, new in changes:
            text = text.replace(old, new)
        (folder / "toy.yaml").write_text(text)
        module = (folder / "toy.py").read_text()
        (folder / "toy.py").write_text(module.replace('"val/other": "for', '"val/accuracy": "", "val/other": "for'))

    return write


def test_a_file_without_fault_or_warning(folder, orch):
    answer = orch("lint", "toy.yaml", "--import")

    assert (answer.code, answer.out) == (0, "toy.yaml: no warnings\n")
    unseen = orch("lint", "toy.yaml").out
    assert unseen == "toy.yaml: no warnings; its Config was not checked: --import does, and runs its module\n"


def test_a_warning_has_its_place_its_edit_and_a_summary(write, orch):
    write(WIDE)
    answer = orch("lint", "toy.yaml", "--import")

    where, edit, summary = answer.out.splitlines()
    assert answer.code == 0
    assert where.startswith("toy.yaml:5:3 ORC101 warning: space.x: 0.001 to 1 is a factor of 1e+03 on a linear scale")
    assert edit == "    edit: log: true"
    assert summary == "toy.yaml: 1 warning; `orch lint --explain ORC101` says why"


def test_strict_exits_with_2_at_a_warning_but_not_at_a_note(write, orch):
    assert orch("lint", "toy.yaml", "--strict", "--set", "budget.trials=10").code == 0
    write(WIDE)
    assert orch("lint", "toy.yaml", "--strict").code == 2


def test_an_error_exits_with_2(write, orch):
    write(IMPOSSIBLE)
    answer = orch("lint", "toy.yaml")

    assert answer.code == 2
    assert "ORC161 error: floors.val/accuracy" in answer.out
    assert "1 error" in answer.out


def test_an_ignored_rule_is_counted(write, orch):
    write(WIDE)
    answer = orch("lint", "toy.yaml", "--import", "--strict", "--set", "lint.ignore.ORC101=a pilot")

    assert (answer.code, answer.out) == (0, "toy.yaml: no warnings, 1 ignored with a reason\n")


def test_json_is_one_document(write, orch):
    write(WIDE)
    told = orch("lint", "toy.yaml", "--json").json

    assert told["valid"]
    assert told["lint"]["warnings"] == 1
    assert told["lint"]["advice"][0]["line"] == 5
    faulty = orch("lint", "toy.yaml", "--json", "--set", "budget.trials=0")
    assert faulty.code == 2
    assert faulty.json["lint"] is None
    assert faulty.json["faults"][0]["path"] == "budget.trials"


def test_a_fault_comes_before_any_advice(folder, orch):
    answer = orch("lint", "toy.yaml", "--set", "budget.trials=0")

    assert (answer.code, answer.out) == (2, "")
    assert "budget.trials: 0 is not allowed" in answer.err


def test_a_rule_is_explained(folder, orch):
    answer = orch("lint", "--explain", "orc104")

    assert answer.out.startswith("# ORC104 whole-field-range\n")
    assert "lint: {ignore: {ORC104:" in answer.out
    wrong = orch("lint", "--explain", "ORC1004")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean 'ORC104'?" in wrong.err


def test_rules_are_listed(folder, orch):
    lines = orch("lint", "--rules").out.splitlines()

    assert [line.split()[0] for line in lines] == list(RULES)


def test_nothing_to_lint(folder, orch):
    answer = orch("lint")

    assert answer.code == 2
    assert "needs a FILE, --explain RULE or --rules" in answer.err


@pytest.mark.parametrize("command", [("validate",), ("plan", "--no-probe")])
def test_a_warning_is_told_first_and_stops_nothing(write, orch, command):
    write(WIDE)
    answer = orch(*command, "toy.yaml")

    assert answer.code == 0
    assert "toy.yaml:5:3 ORC101 warning" in answer.err
    assert "toy.yaml: 1 warning; `orch lint --explain ORC101` says why" in answer.err
    assert orch(*command, "toy.yaml", "--json").json["lint"]["warnings"] == 1


def test_a_sweep_tells_warnings_before_it_starts(write, orch):
    write(WIDE, ("trials: 3", "trials: 1"))
    answer = orch("sweep", "toy.yaml", "--runner", "local", "--json")

    assert answer.code == 0
    assert answer.err.startswith("toy.yaml:5:3 ORC101 warning")
    assert answer.json["lint"]["warnings"] == 1


@pytest.mark.parametrize("command", [("validate",), ("plan", "--no-probe"), ("sweep", "--runner", "local")])
def test_an_error_ends_a_command_before_anything_starts(write, orch, folder, command):
    write(IMPOSSIBLE)
    answer = orch(*command, "toy.yaml")

    assert answer.code == 2
    assert "cannot answer its question (ORC161)" in answer.err
    assert not (folder / ".orch" / "ledger.db").exists()


def test_notes_are_lint_s_alone(folder, orch):
    assert "ORC165 note" in orch("lint", "toy.yaml", "--set", "budget.trials=10").out
    assert "ORC" not in orch("validate", "toy.yaml", "--set", "budget.trials=10").err


def test_quiet_hides_warnings_but_no_error(write, orch):
    write(WIDE, IMPOSSIBLE)
    answer = orch("sweep", "toy.yaml", "--runner", "local", "--quiet")

    assert answer.code == 2
    assert "ORC161 error" in answer.err
    assert "ORC101" not in answer.err
