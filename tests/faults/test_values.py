"""Values that are none: NaN, infinity, text, nothing, steps that go back. The trial fails, and nothing else does."""

import math

import pytest

from orchestrator.study import SweepState
from orchestrator.trial import Cause, TrialState
from tests.support.specs import modes, toy_spec

DIVERGED = "the trial ends as diverged with metric and step; the next ones run"
FAILS = "the trial fails and says so; the next ones run"
BAD = {
    "nan": ("NaN objective", Cause.DIVERGED, "diverged", DIVERGED),
    "infinite": ("infinite objective", Cause.DIVERGED, "diverged", DIVERGED),
    "text_metric": ("metric that is text", Cause.ERROR, "TypeError: the metric val/score is str, not a number", FAILS),
    "none_metric": ("metric that is None", Cause.ERROR, "TypeError: the metric noise is NoneType, not a number", FAILS),
    "dict": ("measurement that is a dict", Cause.ERROR, "TypeError: the trainable yielded dict", FAILS),
    "backwards": ("steps that go back", Cause.ERROR, "ValueError: step", FAILS),
    "raise": ("exception", Cause.ERROR, "ValueError: no luck", FAILS),
    "exit": ("sys.exit()", Cause.ERROR, "SystemExit: enough", FAILS),
}


def cases():
    for mode, (fault, cause, reason, outcome) in BAD.items():
        for phase, at in {"untrained model": 0, "mid-training": 2}.items():
            if mode == "backwards" and at == 0:
                continue
            mark = pytest.mark.fault(fault, phase=phase, outcome=outcome)
            yield pytest.param(mode, at, cause, reason, marks=mark, id=f"{mode} at {at}")


@pytest.mark.parametrize(("mode", "at", "cause", "reason"), list(cases()))
def test_a_bad_value_ends_its_trial_and_no_more(desk, mode, at, cause, reason):
    halt = desk.run(toy_spec(**modes(mode, "learn", epochs=4, at=at)))
    assert halt.state is SweepState.COMPLETE
    bad, good = sorted(desk.records(), key=lambda r: r.params["mode"] == "learn")
    assert (bad.state, bad.ending.cause) == (TrialState.FAILED, cause)
    assert bad.ending.reason.startswith(reason)
    assert good.state is TrialState.COMPLETE
    assert bad.epochs <= max(at, 1)
    assert bad.value is None or math.isfinite(bad.value)


@pytest.mark.fault("NaN in another metric", phase="mid-training", outcome="kept as it is; the trial completes")
def test_another_metric_may_be_nan(desk):
    desk.run(toy_spec(**modes("side_nan", "learn")))
    assert [record.state for record in desk.records()] == [TrialState.COMPLETE] * 2


@pytest.mark.fault("metric not reported", phase="{phase}", outcome="the sweep ends at once and names what is reported")
@pytest.mark.parametrize(("phase", "at"), [("untrained model", 0), ("mid-training", 2)])
def test_a_metric_that_is_not_there(desk, phase, at):
    halt = desk.run(toy_spec(trials=3, config={"mode": "missing", "at": at}))
    assert halt.state is SweepState.FAILED
    assert halt.reason == "the trainable does not report the objective val/score; it reports noise"
    (record,) = desk.records()
    assert (record.state, record.ending.cause) == (TrialState.FAILED, Cause.ERROR)


@pytest.mark.fault("every trial fails alike", phase="first trials", outcome="the sweep ends at `max_failures`, exit 1")
def test_equal_failures(desk):
    halt = desk.run(toy_spec(budget={"trials": 50, "max_failures": 3}, config={"mode": "raise"}))
    assert halt.state is SweepState.FAILED
    assert len(desk.records()) == 3
