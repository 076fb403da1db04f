import sys

import pytest

from orchestrator.errors import UsageError
from orchestrator.tracking.server import ui_command, ui_environment


def test_the_command_is_bound_to_loopback_and_names_store_and_artifacts(tmp_path):
    command = ui_command("sqlite:///m.db", artifacts=tmp_path, port=5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    pairs = dict(zip(command[4::2], command[5::2], strict=True))
    assert pairs == {
        "--artifacts-destination": tmp_path.as_uri(),
        "--host": "127.0.0.1",
        "--port": "5001",
        "--workers": "1",
    }


def test_a_server_needs_no_second_one_and_its_password_is_not_shown(tmp_path):
    with pytest.raises(UsageError, match="open it in a browser") as caught:
        ui_command("http://user:secret@host:5000", artifacts=tmp_path)
    assert "secret" not in str(caught.value)


def test_the_store_is_named_in_the_environment_and_telemetry_is_off_unless_asked_for():
    environment = ui_environment("postgresql://me:secret@host/db", {"PATH": "/bin"})
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:secret@host/db"
    assert (environment["PATH"], environment["MLFLOW_DISABLE_TELEMETRY"]) == ("/bin", "true")
    assert ui_environment("sqlite://", {"MLFLOW_DISABLE_TELEMETRY": "false"})["MLFLOW_DISABLE_TELEMETRY"] == "false"
