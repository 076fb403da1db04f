"""A whole sweep told again from its ledger, to a real MLflow store: after the outbox or the store was lost."""

import pytest

from orchestrator.execution.clock import Clock
from orchestrator.sweeps.maintain import deliver
from orchestrator.sweeps.telling import EXPERIMENT
from orchestrator.tracking import read_runs
from tests.support.home import House
from tests.support.specs import toy_spec

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A finished sweep whose MLflow has everything."""
    house = House(tmp_path_factory.mktemp("house"))
    house.launch(toy_spec(trials=3))
    sync(house)
    return house


def sync(house, *, everything=False):
    record, report = deliver(house.home, "toy-1", clock=Clock(), timeout_s=120, everything=everything)
    assert (report.pending, report.rejected, report.error) == (0, 0, None)
    return record, report


def runs(house):
    found = read_runs("id-1", experiment=EXPERIMENT, tracking_uri=house.home.tracking_uri, histories=True)
    assert sorted(-1 if run.trial is None else run.trial for run in found) == [-1, 0, 1, 2]
    return {run.trial: run for run in found}


def test_nothing_is_told_twice_without_need(house):
    assert sync(house)[1].shipped == 0


def test_all_told_again_changes_nothing(house):
    before = runs(house)
    assert sync(house, everything=True)[1].shipped > 20
    assert runs(house) == before


def test_a_lost_outbox_is_told_again_and_changes_nothing(house):
    before = runs(house)
    for file in house.home.sweep("id-1").folder.glob("outbox.db*"):
        file.unlink()
    assert sync(house)[1].shipped > 20
    assert runs(house) == before


def test_an_emptied_store_is_said_and_filled_on_request(house, tmp_path):
    before = runs(house)
    # In another place: a process keeps a store open that it has opened.
    emptied = House(house.home.root.parent, tracking=f"sqlite:///{tmp_path}/mlflow.db")
    more = emptied.resume(extend=["trials=+1"])
    assert (more.exit_code, more.num_pending > 0) == (0, True)
    _, undelivered = deliver(emptied.home, "toy-1", clock=Clock(), timeout_s=5)
    assert (undelivered.pending > 0, undelivered.rejected) == (True, 0)
    assert "is not in this MLflow store" in undelivered.error
    assert "orch sync toy-1 --all" in undelivered.error
    sync(emptied, everything=True)
    found = read_runs("id-1", experiment=EXPERIMENT, tracking_uri=emptied.home.tracking_uri, histories=True)
    after = {run.trial: run for run in found}
    assert (len(found), set(after)) == (5, {None, 0, 1, 2, 3})
    assert [after[n].histories for n in range(3)] == [before[n].histories for n in range(3)]
    assert after[0].run_id != before[0].run_id
    assert {run.status for run in found} == {"FINISHED"}
    assert after[None].tags["orch.host"] == before[None].tags["orch.host"]
