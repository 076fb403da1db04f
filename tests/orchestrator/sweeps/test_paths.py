"""Which MLflow a sweep speaks to."""

from pathlib import Path

import pytest

from orchestrator.sweeps.paths import Home

HOME = Path("/somewhere")


@pytest.mark.parametrize(
    ("asked", "recorded", "uri"),
    [
        (None, None, "sqlite:////somewhere/mlflow.db"),
        (None, "http://server:5000", "http://server:5000"),
        ("http://other:5000", "http://server:5000", "http://other:5000"),
        ("http://other:5000", None, "http://other:5000"),
    ],
)
def test_what_is_asked_for_now_goes_before_what_was_recorded(asked, recorded, uri):
    assert Home(HOME, tracking=asked).tracking_of(recorded) == uri
