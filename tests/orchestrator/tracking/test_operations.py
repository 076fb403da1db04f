import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.tracking.operations import (
    EndSweep,
    EndTrial,
    LogArtifact,
    LogMetrics,
    LogText,
    SetTags,
    StartSweep,
    StartTrial,
    dump,
    parse,
)
from orchestrator.trial import RunStatus

EXAMPLES = [
    StartSweep(name="s", params={"a": "1"}, tags={"t": "ü"}, start_ms=1),
    StartTrial(number=3, name="s 3", params={}, tags={}, start_ms=2),
    LogMetrics(number=3, step=0, metrics={"x": 0.1}, at_ms=3),
    LogMetrics(step=0, metrics={"x": 0.1}, at_ms=3),
    SetTags(number=3, tags={"a": "b"}),
    LogText(text="line\nline", artifact_file="a.txt"),
    LogArtifact(number=3, path="/somewhere", artifact_path="folder"),
    EndTrial(number=3, status=RunStatus.KILLED, end_ms=4, tags={}),
    EndSweep(status=RunStatus.FINISHED, end_ms=4, tags={}),
]


@pytest.mark.parametrize("operation", EXAMPLES, ids=lambda operation: operation.kind)
def test_every_operation_survives_json(operation):
    assert parse(dump(operation)) == operation


@given(st.dictionaries(st.text(), st.floats(allow_nan=False)))
def test_every_float_survives_json(metrics):
    operation = LogMetrics(step=1, metrics=metrics, at_ms=1)
    assert parse(dump(operation)) == operation


def test_nan_survives_json():
    operation = parse(dump(LogMetrics(step=1, metrics={"x": math.nan}, at_ms=1)))
    assert math.isnan(operation.metrics["x"])


def test_a_trial_has_a_number_and_a_sweep_has_none():
    with pytest.raises(ValidationError):
        StartTrial(number=None, name="s", params={}, tags={}, start_ms=1)
    with pytest.raises(ValidationError):
        EndSweep(number=1, status=RunStatus.FINISHED, end_ms=1, tags={})
