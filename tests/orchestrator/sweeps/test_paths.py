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


def test_passwords_of_a_home_are_not_shown():
    home = Home(HOME, ledger="postgresql://me:secret@host/db", tracking="http://me:secret@host")
    assert "secret" not in repr(home) + str(home)
    assert home.ledger_url == "postgresql://me:secret@host/db"
    assert home.tracking_uri == "http://me:secret@host"
