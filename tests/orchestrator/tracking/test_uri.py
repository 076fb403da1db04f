import http.server
import socket
import threading

import pytest

from orchestrator.tracking.uri import is_reachable, is_server, redact, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:secret@host:5432/db", "postgresql://***@host:5432/db"),
        ("https://user:secret@host/path and http://u:p@other", "https://***@host/path and http://***@other"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("postgresql://user:se/cret@host/db", "postgresql://***@host/db"),
        ("'postgresql://user:se@cret@host/db'", "'postgresql://***@host/db'"),
        (
            "postgresql://host/db?user=me&password=secret&sslmode=require",
            "postgresql://host/db?user=me&password=***&sslmode=require",
        ),
        ("https://host/?access_token=secret", "https://host/?access_token=***"),
    ],
)
def test_passwords_are_hidden(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("uri", "bare"),
    [
        ("https://user:secret@host/path", "https://host/path"),
        ("postgresql://host/db?password=secret&sslmode=require", "postgresql://host/db?sslmode=require"),
        ("postgresql://user:secret@host/db?password=secret", "postgresql://host/db"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
    ],
)
def test_what_is_written_down_has_no_credentials(uri, bare):
    assert without_credentials(uri) == bare


def test_what_is_a_server():
    assert is_server("http://localhost:5000")
    assert is_server("https://user:p@host")
    assert not is_server("sqlite:////tmp/mlflow.db")
    assert not is_server("postgresql://host/db")


class Health(http.server.BaseHTTPRequestHandler):
    code = 200

    def do_GET(self):
        self.send_response(self.code if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_server_is_reachable_even_if_it_wants_a_password(port, monkeypatch):
    assert is_reachable(f"http://user:secret@127.0.0.1:{port}/", timeout_s=5)
    monkeypatch.setattr(Health, "code", 401)
    assert is_reachable(f"http://127.0.0.1:{port}", timeout_s=5)
    monkeypatch.setattr(Health, "code", 503)
    assert not is_reachable(f"http://127.0.0.1:{port}", timeout_s=5)


def test_a_database_is_reachable_when_its_port_answers(port):
    assert is_reachable(f"postgresql://user:secret@127.0.0.1:{port}/db", timeout_s=5)


def test_a_closed_port_is_not_reachable_and_a_file_always_is():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    assert not is_reachable(f"http://127.0.0.1:{closed}", timeout_s=5)
    assert not is_reachable(f"postgresql://127.0.0.1:{closed}/db", timeout_s=5)
    assert is_reachable("sqlite:////nowhere/mlflow.db", timeout_s=5)
