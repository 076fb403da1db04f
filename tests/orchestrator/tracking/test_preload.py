"""MLflow gets ready beside the start of a cluster, and leaves nothing behind where a start fails."""

import sqlite3

from orchestrator.tracking import Preload


def tables(path):
    with sqlite3.connect(path) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_missing_store_gets_its_schema(tmp_path):
    store = tmp_path / "home" / "mlflow.db"
    preload = Preload(f"sqlite:///{store}")
    preload.wait()
    assert not store.parent.exists()
    preload.put_in_place()
    assert {"runs", "metrics", "alembic_version"} <= tables(store)


def test_a_failed_start_leaves_nothing(tmp_path):
    preload = Preload(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}")
    preload.discard()
    preload.put_in_place()
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "home"])
    assert not (tmp_path / "home" / "mlflow.db").exists()


def test_a_store_that_is_there_stays_as_it_is(tmp_path):
    store = tmp_path / "mlflow.db"
    preload = Preload(f"sqlite:///{store}")
    store.write_bytes(b"")
    preload.put_in_place()
    assert store.read_bytes() == b""


def test_a_server_needs_no_file(tmp_path):
    preload = Preload("http://127.0.0.1:9")
    preload.wait()
    preload.put_in_place()
    preload.discard()
