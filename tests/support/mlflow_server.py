"""A real MLflow server on a loopback port, with a store of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from orchestrator.tracking import is_reachable, ui_command


class Server:
    """`mlflow server` as `orch ui` starts it; can be stopped and started again on the same port and store."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process = None

    def start(self):
        store = f"sqlite:///{self._folder}/server.db"
        command = ui_command(store, artifacts=self._folder / "served", port=self.port)
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        log = (self._folder / "server.log").open("a")
        with log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 240
        while not is_reachable(self.uri, timeout_s=1):
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.1)

    def stop(self):
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its own session: the server and its worker
            self._process.wait()
            self._process = None
