"""A store gets its schema elsewhere first, and appears when it is wanted."""

import sqlite3

from orchestrator.tracking.fresh_store import get_ready, put_in_place


def tables(path):
    with sqlite3.connect(path) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_missing_store_gets_its_schema(tmp_path):
    folder, store = tmp_path / "ready", tmp_path / "home" / "mlflow.db"
    folder.mkdir()
    get_ready(f"sqlite:///{store}", folder)
    assert not store.parent.exists()
    put_in_place(f"sqlite:///{store}", folder)
    assert {"runs", "metrics", "alembic_version"} <= tables(store)


def test_a_store_that_came_in_between_stays_as_it_is(tmp_path):
    store = tmp_path / "mlflow.db"
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "mlflow.db").write_bytes(b"fresh")
    store.write_bytes(b"")
    put_in_place(f"sqlite:///{store}", tmp_path / "ready")
    assert store.read_bytes() == b""


def test_what_is_no_file_needs_none(tmp_path):
    for uri in ("http://127.0.0.1:9", "postgresql://127.0.0.1/mlflow"):
        get_ready(uri, tmp_path)
        put_in_place(uri, tmp_path)
    assert list(tmp_path.iterdir()) == []
