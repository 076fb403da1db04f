"""Strangers at the ports of real Ray clusters, and at what is none."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestrator.execution.exposure import asks_for_token, is_private, open_dashboards
from orchestrator.sweeps.examine import Health, _let_in
from tests.support.commands import wait_for

RAY = str(Path(sys.executable).with_name("ray"))


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def head(tmp_path):
    """Starts heads, each with a dashboard for all the world; they end with the test."""
    started = []

    def start(**environment):
        port, dashboard = free_port(), free_port()
        command = [RAY, "start", "--head", "--block", "--port", port, "--num-cpus", 1, "--disable-usage-stats"]
        command += ["--include-dashboard=true", "--dashboard-host", "0.0.0.0", "--dashboard-port", dashboard]
        arguments, environ = [str(part) for part in command], {**os.environ, **environment}
        log = (tmp_path / f"{port}.log").open("w")
        process = subprocess.Popen(arguments, env=environ, stdout=log, stderr=log, start_new_session=True)
        started.append((process, log))
        wait_for_port(port)
        wait_for_port(dashboard)
        return port, dashboard

    yield start
    for process, log in started:
        process.terminate()
        process.wait(60)
        log.close()


def wait_for_port(port):
    def answers():
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    wait_for(answers, timeout=240, what=f"port {port}")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_dashboard_without_a_token_is_found_and_one_with_a_token_is_well(head):
    port, dashboard = head(RAY_AUTH_MODE="disabled")
    assert asks_for_token(f"127.0.0.1:{port}") is False
    assert any(place.endswith(f":{dashboard}") for place in open_dashboards())
    assert not is_private(f"127.0.0.1:{port}"), "Ray listens on all interfaces"
    assert _let_in(f"127.0.0.1:{port}").health is Health.BROKEN


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cluster_with_a_token_is_well(head):
    port, dashboard = head(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="t" * 32)
    assert asks_for_token(f"127.0.0.1:{port}") is True
    assert not any(place.endswith(f":{dashboard}") for place in open_dashboards())
    assert _let_in(f"127.0.0.1:{port}").health is Health.OK


def test_what_is_no_ray_is_said_to_be_none():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        assert asks_for_token(address) is None
        assert is_private(address)
        assert _let_in(address).health is Health.BROKEN
        server.shutdown()
        thread.join()


def test_a_port_for_all_interfaces_is_not_private():
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_private(f"127.0.0.1:{server.getsockname()[1]}")
