"""Findings of trials and of sweeps: computed from records, or as stored with an ending."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.study import SweepRecord
from orchestrator.sweeps.findings import explain, sweep_findings, trial_findings
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, TrialState
from tests.support.specs import toy_spec
from trainables.health import CHECKS

SICK = "point_collapse"
SWEEP = SweepRecord("toy-1", "id-1", toy_spec(), created_ms=0)


def trial(number, *lengths, ending=None, **params):
    measurements = [Measurement(s, {"val/score": 0.1 * s, "val/resultant_length": r}, 0.0, 0) for s, r in
                    enumerate(lengths)]  # fmt: skip
    return TrialRecord(number, TrialState.COMPLETE, params, measurements, ending=ending)


def sweep_of_twenty():
    """Ill where x is above 0.5, with one trial that has measured nothing."""
    trials = [trial(n, 0.1, *(3 * [0.999 if n > 11 else 0.2]), x=n / 20) for n in range(20)]
    return [*trials, trial(20, x=0.9)]


def test_illnesses_with_their_trials_and_the_region_that_makes_them():
    found = sweep_findings(SWEEP, sweep_of_twenty())
    (illness,) = found.illnesses

    assert (illness.check, illness.severity, list(illness.trials)) == (SICK, "ill", list(range(12, 20)))
    assert str(illness.excess.region) == "x >= 0.6"
    assert (illness.excess.num_ill, illness.excess.num_inside, illness.excess.num_outside) == (8, 8, 12)
    assert illness.excess.is_sure
    assert len(found.by_trial) == 20
    assert (found.num_grave(12), found.num_grave(0), found.num_grave(20)) == (1, 0, 0)


def test_json_has_one_entry_per_illness():
    document = sweep_findings(SWEEP, sweep_of_twenty()).to_json()

    assert document["num_examined"] == 20
    (entry,) = document["findings"]
    assert entry["check"] == SICK
    assert entry["trials"] == list(range(12, 20))
    assert entry["region"] == {
        "parameter": "x",
        "choice": None,
        "low": 0.6,
        "high": None,
        "ill_inside": 8,
        "inside": 8,
        "ill_outside": 0,
        "outside": 12,
        "p_value": pytest.approx(38 / 125970),
        "num_looks": 38,
    }


def test_a_healthy_or_empty_sweep_has_none():
    assert sweep_findings(SWEEP, []).to_json() == {"num_examined": 0, "findings": []}
    assert sweep_findings(SWEEP, [trial(0, 0.1, 0.2, 0.2, 0.2, x=0.1)]).illnesses == []


def test_since_is_the_first_step_of_the_unbroken_stretch():
    (since,) = trial_findings(SWEEP, trial(0, 0.1, 0.999, 0.999, 0.999, 0.2, 0.999, 0.999, 0.999, 0.999))
    assert (since.finding.check, since.finding.step) == (SICK, 8)
    first_known = since.step

    assert first_known > 4
    assert not CHECKS[SICK](_history(first_known - 1))
    assert all(CHECKS[SICK](_history(step)) for step in range(first_known, 9))


def _history(step):
    from orchestrator.execution.doctor import history_of

    record = trial(0, *[0.1, 0.999, 0.999, 0.999, 0.2, 0.999, 0.999, 0.999, 0.999][: step + 1])
    return history_of(SWEEP, {}, record.measurements)


def test_a_finding_as_json():
    (since,) = trial_findings(SWEEP, trial(0, 0.1, 0.999, 0.999, 0.999))
    document = since.to_json()

    assert document["check"] == SICK
    assert (document["severity"], document["since"], document["step"]) == ("ill", 3, 3)
    assert document["evidence"] == {"val/resultant_length": 0.999, "untrained": 0.1}
    assert document["meaning"]
    assert document["cure"]


def test_keys_that_the_trainable_never_read_are_found():
    ending = Ending(Cause.FINISHED, "finished", {"epochs": 3, "unread": ["x"]})
    found = trial_findings(SWEEP, trial(0, 0.1, 0.2, 0.2, 0.2, ending=ending, x=0.4))

    assert [since.finding.check for since in found] == ["key_without_effect"]


def test_explain():
    assert explain(SICK).startswith(SICK)
    with pytest.raises(UsageError, match=r"no check 'point_colapse' .did you mean 'point_collapse'"):
        explain("point_colapse")
    with pytest.raises(UsageError, match="known: point_collapse, "):
        explain("zzz")
