"""What all tests share: a quiet environment, modules under `tests.` importable, and a desk to run sweeps on."""

import os
import signal
import sys
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # seven processes for each server
os.environ["OMP_NUM_THREADS"] = "1"
# Of the clusters that tests start and of the commands that join them.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = "of-no-use-outside-of-a-test"
for variable in ("ORCH_HOME", "ORCH_LEDGER", "ORCH_STORAGE", "ORCH_RAY_ADDRESS", "MLFLOW_TRACKING_URI", "RAY_ADDRESS"):
    os.environ.pop(variable, None)
ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import pytest  # noqa: E402

from tests.support.desk import Desk  # noqa: E402
from tests.support.no_mlflow import without_mlflow  # noqa: E402
from tests.support.postgres import Postgres, binaries, missing  # noqa: E402


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory):
    """A ledger without sweeps; making its tables takes longer than most tests, so tests copy it."""
    from orchestrator.study import Storage

    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    Storage(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def desk(tmp_path, empty_ledger, monkeypatch):
    """A place to run sweeps: real ledger, real outbox, and an MLflow that is down."""
    without_mlflow(monkeypatch)
    made = Desk(tmp_path, empty_ledger)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server on a loopback port; skips where none is installed."""
    if why := missing():
        pytest.skip(why)
    server = Postgres(binaries())
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres):
    """The URL of a new and empty database."""
    return postgres.database()


@pytest.fixture
def hears_hangups():
    """The tests may be run under nohup themselves, and what they start inherits that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
