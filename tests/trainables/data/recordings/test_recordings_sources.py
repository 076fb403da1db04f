"""Sources and windows as config: what fits together, and what is not read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from trainables.data.recordings.sources import EcgIdSource, RecordingSource, Windows


def test_a_source_is_told_by_its_name():
    found = TypeAdapter(RecordingSource).validate_python({"source": "ecg_id", "root": "somewhere", "fold": 2})
    assert isinstance(found, EcgIdSource)
    assert found.fold == 2


def test_samples_of_a_window():
    assert Windows(before_ms=200, after_ms=300, rate_hz=200).num_samples == 100
    assert Windows(kind="fixed", length_ms=1500, rate_hz=200).num_samples == 300


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"length_ms": 1000}, "length_ms is not read when kind is beats"),
        ({"kind": "fixed", "before_ms": 100}, "before_ms is not read when kind is fixed"),
        ({"rate_hz": 60, "high_hz": 40}, "must rise"),
        ({"low_hz": 15, "high_hz": 10}, "must rise"),
    ],
)
def test_what_does_not_fit_is_refused(fields, what):
    with pytest.raises(ValidationError, match=what):
        Windows(**fields)
