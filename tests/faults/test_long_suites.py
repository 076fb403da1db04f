"""The long suites, short: a few kills of one sweep, some faults in a short soak, and what the accounts would see."""

import pytest

from orchestrator.trial import Measurement, TrialRecord, TrialState
from tests.faults import accounts, long_page, soak
from tests.faults.kills import kill_sweep

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own, when the store is read here


def record(number, *values, state=TrialState.COMPLETE):
    measured = [Measurement(step, {accounts.SCORE: value}, 0.1, 0) for step, value in enumerate(values)]
    return TrialRecord(number, state, {"x": 0.5}, measured)


@pytest.mark.slow
@pytest.mark.timeout(290)
def test_killed_sweeps_end_as_if_left_alone(tmp_path):
    killed = kill_sweep(tmp_path, runner="local", seed=5, kills=4)
    assert killed.faults == []
    assert killed.kills == 4
    assert killed.attempts > sum(killed.states.values())


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(290)
def test_a_short_soak_finds_nothing(tmp_path):
    faults, text = soak.run(tmp_path, trials=40, every_s=5.0, say=print)
    assert faults == []
    assert "0 faults" in text


def test_what_was_acknowledged_and_is_gone_is_lost():
    memory = accounts.Memory()
    memory.look([record(0, 0.1, 0.2), record(1, 0.1)])
    assert list(memory.missing([record(0, 0.1, 0.2, 0.3), record(1, 0.1)])) == []
    assert list(memory.missing([record(0, 0.1, 0.25)])) == [
        "lost: the parameters of trial 1 were {'x': 0.5}",
        "lost: trial 0 had 0.2 at step 1",
        "lost: trial 1 had 0.1 at step 0",
    ]


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([record(0, 1.0, 1.0)], "lost: trial 1"),
        ([record(n, 1.0, 1.0) for n in range(3)], "doubled: trial 2"),
        ([record(0, 1.0, 1.0), record(1, 1.0, state=TrialState.RUNNING)], "stuck: trial 1 is RUNNING"),
        ([record(0, 1.0, 1.0), record(1, 1.0)], "lost: trial 1 is complete with 1 measurements of 2"),
        ([record(0, 1.0, 1.0), record(1, state=TrialState.FAILED)], "failed: trial 1"),
    ],
)
def test_each_fault_of_a_ledger_is_named(records, fault):
    (found,) = accounts._in_ledger(records, trials=2, epochs=1)
    assert found.startswith(fault)


def test_a_suite_replaces_its_own_section(tmp_path, monkeypatch):
    monkeypatch.setattr(long_page, "PAGE", tmp_path / "page.md")
    long_page.write_section("Soak", "old")
    long_page.write_section("Kills", "kept")
    long_page.write_section("Soak", "new")
    text = long_page.PAGE.read_text()
    assert text.count("## Soak") == 1
    assert "old" not in text
    assert text.index("kept") < text.index("new")
