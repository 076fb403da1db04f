"""A population trains on from its members' checkpoints, and a driver that stops on the way changes nothing."""

import pytest

from orchestrator.execution.progress import Event
from orchestrator.study import SweepState
from orchestrator.trial import TrialState
from tests.support.specs import toy_spec

PBT = {
    "space": {"x": {"type": "float", "low": -1.0, "high": 1.0}},
    "sampler": {"type": "pbt", "population": 4, "interval_epochs": 2},
    "config": {"epochs": 6},
    "trials": 100,
}


def lineage(records, trial):
    """A trial and those that it goes on from, oldest first."""
    parent = trial.segment.parent
    return [*([] if parent is None else lineage(records, records[parent])), trial]


def test_each_stretch_goes_on_from_its_parents_last_step(desk):
    assert desk.run(toy_spec(**PBT)).state is SweepState.COMPLETE
    records = desk.records()
    assert [trial.state for trial in records] == [TrialState.COMPLETE] * 12
    for trial in records[8:]:
        steps = [m.step for stretch in lineage(records, trial) for m in stretch.measurements]
        assert steps == list(range(7))


def test_a_stretch_continues_its_parents_randomness(desk):
    desk.run(toy_spec(**PBT))
    records = desk.records()
    noises = {
        tuple(m.metrics["noise"] for stretch in lineage(records, trial) for m in stretch.measurements)
        for trial in records[8:]
    }
    assert len(noises) == 1, "all members have one seed, so all draw the same"


@pytest.mark.parametrize("stop_after", [1, 3, 5, 9])
def test_an_interrupted_population_ends_as_one_that_was_not(desk, tmp_path_factory, stop_after, empty_ledger):
    from tests.support.desk import Desk

    whole = Desk(tmp_path_factory.mktemp("whole"), empty_ledger)
    whole.run(toy_spec(**PBT))
    num_measured = 0

    def stop(control, event: Event):
        nonlocal num_measured
        num_measured += event.kind == "measured"
        if num_measured == stop_after:
            control.request_pause("a test")

    assert desk.run(toy_spec(**PBT), listener=stop).state is SweepState.PAUSED
    assert desk.run().state is SweepState.COMPLETE
    expected, resumed = whole.records(), desk.records()
    assert [t.params for t in resumed] == [t.params for t in expected]
    assert [t.segment for t in resumed] == [t.segment for t in expected]
    assert [t.value for t in resumed] == [t.value for t in expected]
    whole.close()
