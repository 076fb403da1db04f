"""How faults read, and which exit code each error has."""

import pytest

from orchestrator import errors
from orchestrator.errors import ExitCode, Fault, SpecError


def test_a_fault_is_one_line_with_its_place():
    fault = Fault("multitask.yaml", 14, 9, "space.optimizer.lr.low", "0.0 with log: true", "use 1e-6")
    assert str(fault) == "multitask.yaml:14:9 space.optimizer.lr.low: 0.0 with log: true (use 1e-6)"
    assert str(Fault("a.yaml", 0, 0, "", "cannot be read")) == "a.yaml: cannot be read"


def test_a_spec_error_has_its_faults_in_file_order():
    late, early = Fault("a", 9, 1, "", "late"), Fault("a", 2, 5, "", "early")
    error = SpecError([late, early])
    assert error.faults == (early, late)
    assert str(error) == "a:2:5: early\na:9:1: late"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.OrchError, ExitCode.FAILURES),
        (errors.UsageError, ExitCode.USAGE),
        (errors.SpecError, ExitCode.USAGE),
        (errors.SweepNotFoundError, ExitCode.USAGE),
        (errors.InfrastructureError, ExitCode.INFRASTRUCTURE),
        (errors.LockedError, ExitCode.LOCKED),
        (errors.IntegrityError, ExitCode.INTEGRITY),
    ],
)
def test_exit_codes(kind, code):
    assert issubclass(kind, errors.OrchError)
    assert kind.exit_code == code


def test_no_error_shows_the_password_of_a_url():
    for kind in (errors.UsageError, errors.InfrastructureError):
        error = kind("cannot reach postgresql://me:secret@host/db")
        assert str(error) == "cannot reach postgresql://***@host/db"
    assert "secret" not in str(SpecError([Fault("a", 1, 1, "", "http://me:secret@host")]))
