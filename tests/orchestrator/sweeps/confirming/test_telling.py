"""A search and its confirmation told again to an MLflow that knows nothing of them."""

import pytest

from orchestrator.execution.clock import Clock
from orchestrator.sweeps.maintain import deliver
from orchestrator.sweeps.telling import EXPERIMENT
from orchestrator.tracking import read_runs
from tests.support.confirming import confirmable_spec, confirmed
from tests.support.home import House

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]


def test_both_come_whole_to_another_store(tmp_path):
    house = House(tmp_path, tracking=f"sqlite:///{tmp_path}/first.db")
    house.launch(confirmable_spec())
    confirmation = confirmed(house)
    assert confirmation.report is not None
    first, second = house.home, House(tmp_path, tracking=f"sqlite:///{tmp_path}/second.db").home
    for name in ("toy-1", confirmation.report.confirmation):
        for home, everything in ((first, False), (second, True)):
            _, report = deliver(home, name, clock=Clock(), timeout_s=120, everything=everything)
            assert (report.pending, report.rejected, report.error) == (0, 0, None)
    for sweep_id in ("id-1", "c-1"):
        there, here = (
            read_runs(sweep_id, experiment=EXPERIMENT, tracking_uri=home.tracking_uri, histories=True)
            for home in (first, second)
        )
        assert [run.trial for run in there] == [run.trial for run in here]
        assert [run.histories for run in there] == [run.histories for run in here]
        tags = [{name: text for name, text in run.tags.items() if name.startswith("orch.")} for run in (*there, *here)]
        assert tags[: len(there)] == tags[len(there) :]
        assert tags[0]["orch.verdict"] == confirmation.report.verdict.outcome
