"""Launches sweeps and kills itself at one step of each: `python -m tests.faults.die_while_launching FOLDER`."""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.storages._rdb import storage as rdb

from orchestrator.study import Ledger, lease, storage
from orchestrator.sweeps import drive, lock
from orchestrator.tracking import Tracker
from tests.support.home import House
from tests.support.no_mlflow import without_mlflow
from tests.support.specs import toy_spec

STEPS: dict[str, tuple[object, str]] = {
    "some tables are made": (rdb, "_VersionManager"),
    "the tables are made, without that of claims": (storage, "Fence"),
    "the lock file is held": (lease.Leases, "take"),
    "the claim is taken": (lock, "interruptible"),
    "the claim is written to the lock file": (drive, "_make_folder"),
    "the folder is made": (storage.Storage, "_remove_unfinished"),
    "the study is made": (Ledger, "replace_spec"),
    "half of the record is stored": (Ledger, "update_sweep"),
    "the record is stored": (drive, "write_copy"),
    "the copy is written": (drive, "code_news"),
    "the code is noted": (drive, "open_tracker"),
    "the outbox is made": (Tracker, "start_sweep"),
    "MLflow was told": (drive, "SweepControl"),
    "the control is made": (Ledger, "ask"),
    "the first trial is stored": (Tracker, "start_trial"),
    "the first measurement is made": (Ledger, "report"),
}
"""What has happened, to the next thing that is called: it kills the process."""


NOWHERE = "http://127.0.0.1:9"


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(act: Callable[[], object]) -> int:
    """Do it in a process of its own; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def launch_and_die(folder: Path, owner: object, name: str) -> None:
    without_mlflow(pytest.MonkeyPatch())
    setattr(owner, name, die)
    House(folder, tracking=NOWHERE).launch(toy_spec(trials=2), name="mine", sweep_id="id-1")


def main() -> None:
    # Once, and not in each child.
    importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    root = Path(sys.argv[1])
    for number, (step, (owner, name)) in enumerate(STEPS.items()):
        folder = root / str(number)
        folder.mkdir()
        status = in_child(lambda: launch_and_die(folder, owner, name))  # noqa: B023
        assert os.WIFSIGNALED(status), f"it was not killed when {step}"


if __name__ == "__main__":
    main()
