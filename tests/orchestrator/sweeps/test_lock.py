"""One driver a sweep, named to whoever else comes; a dead one holds nothing."""

import os
import signal
import subprocess
import sys

import pytest

from orchestrator.errors import LockedError
from orchestrator.sweeps.lock import driver_lock, holder
from tests.conftest import ROOT


def test_a_lock_names_its_holder_and_lets_go(tmp_path):
    path = tmp_path / "sub" / "lock"
    assert holder(path) is None
    with driver_lock(path, "toy-1"):
        assert holder(path).startswith(f"process {os.getpid()} on ")
        with (
            pytest.raises(LockedError, match=f"sweep toy-1 is driven by process {os.getpid()}"),
            driver_lock(path, "toy-1"),
        ):
            pass
    assert holder(path) is None
    with driver_lock(path, "toy-1"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from orchestrator.sweeps.lock import driver_lock\n"
        "with driver_lock(Path(sys.argv[1]), 's'):\n print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        assert holder(tmp_path / "lock").startswith(f"process {process.pid} ")
        process.send_signal(signal.SIGKILL)
    assert holder(tmp_path / "lock") is None
