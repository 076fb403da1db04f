"""Which MLflow a sweep speaks to."""

from pathlib import Path

import pytest

from orchestrator.errors import IntegrityError
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


@pytest.mark.parametrize("sweep_id", ["../../x", "..", ".", "", "a/b", "/etc", "a\x00b", "x" * 64, "-rf", "a\n"])
def test_an_id_is_the_name_of_a_folder_under_the_root_and_nothing_else(sweep_id):
    with pytest.raises(IntegrityError, match="is not the id of a sweep"):
        Home(HOME).sweep(sweep_id)


@pytest.mark.parametrize("name", ["", "checkpoints", "report", "outbox.db", "lock", "stop", "sweep.yaml", "tune"])
def test_no_file_of_a_sweep_is_a_symbolic_link(tmp_path, name):
    folder = tmp_path / "home" / "sweeps" / "id-1"
    place = folder / name if name else folder
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path)
    with pytest.raises(IntegrityError, match="is a symbolic link"):
        Home(tmp_path / "home").sweep("id-1")


def test_the_home_itself_may_be_a_symbolic_link(tmp_path):
    (tmp_path / "big").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "big")
    assert Home(tmp_path / "home").sweep("id-1").folder == tmp_path / "home" / "sweeps" / "id-1"
