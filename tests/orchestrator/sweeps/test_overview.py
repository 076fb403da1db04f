"""Reading changes nothing and creates nothing; numbers and names that are not there are named."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.execution.clock import Clock
from orchestrator.sweeps import overview, read
from orchestrator.sweeps.maintain import deliver, request_stop
from orchestrator.sweeps.summary import trial_to_json
from tests.support.specs import toy_spec


def test_an_empty_home_has_no_sweeps_and_stays_empty(house):
    assert overview.list_sweeps(house.home) == []
    with pytest.raises(UsageError, match="there is no ledger"):
        read.show(house.home, "toy-1")
    assert not house.home.root.exists()


def test_a_trial_is_found_by_its_number(house):
    summary = house.launch(toy_spec(trials=2))
    assert overview.find_trial(summary, 1).number == 1
    with pytest.raises(UsageError, match="sweep toy-1 has no trial 2; its trials are 0 to 1"):
        overview.find_trial(summary, 2)


def test_sweeps_and_single_trials_are_compared(house):
    house.launch(toy_spec(trials=3))
    house.launch(toy_spec(trials=2, seed=4), sweep_id="id-2")
    compared = overview.compare(house.home, ["toy-1", "toy-2/1"], top=2)
    assert [s.sweep.name for s in compared.summaries] == ["toy-1", "toy-2"]
    with pytest.raises(UsageError, match="the form is SWEEP or SWEEP/NUMBER"):
        overview.compare(house.home, ["toy-1/best"], top=2)


def test_the_json_of_a_sweep_has_what_scripts_rely_on(house):
    data = house.launch(toy_spec(trials=2, pruner={"type": "asha"})).to_json()
    assert {"sweep", "state", "counts", "best", "wall_s", "train_s", "tracking_uri", "parent_run_id", "trials"} <= set(
        data
    )
    assert {"complete", "pruned", "stopped", "failed"} <= set(data["counts"])
    assert {"number", "value", "params", "epoch"} == set(data["best"])
    assert {"number", "state", "reason", "value", "params", "epochs", "run_id"} <= set(data["trials"][0])
    whole = trial_to_json(read.show(house.home, "toy-1").trials[0], checkpoints={})
    assert [m["step"] for m in whole["measurements"]] == [0, 1, 2, 3, 4]
    assert [d["rung"] for d in whole["decisions"]] == [0, 1]


def test_only_a_running_sweep_can_be_asked_to_stop(house):
    house.launch(toy_spec(trials=1))
    with pytest.raises(UsageError, match="sweep toy-1 is not running: its state is COMPLETE"):
        request_stop(house.home, "toy-1")
    assert not house.home.sweep("id-1").stop_request.exists()


def test_a_delivery_that_fails_says_what_is_left(house):
    house.launch(toy_spec(trials=1))
    _, report = deliver(house.home, "toy-1", clock=Clock(), timeout_s=0.1)
    assert report.pending > 0
    assert report.error == "ConnectionError: no store here"
