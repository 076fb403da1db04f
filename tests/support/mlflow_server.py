"""A real MLflow server on a loopback port that can be stopped and started again."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from orchestrator.tracking import is_reachable, ui_command, ui_environment


class Server:
    """`mlflow server` as `orch ui` starts it; keeps its port and its store."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Do not wait for it."""
        store = f"sqlite:///{self._folder}/server.db"
        command = ui_command(store, artifacts=self._folder / "served", port=self.port)
        environment = ui_environment(store, os.environ)
        log = (self._folder / "server.log").open("a")
        with log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers."""
        assert self._process is not None
        end = time.monotonic() + 240
        while not is_reachable(self.uri, timeout_s=1):
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it; nothing when it does not run."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its own session: the server and its worker
            self._process.wait()
            self._process = None
