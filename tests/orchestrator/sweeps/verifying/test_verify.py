"""Whole verifications."""

import pytest

from orchestrator.errors import ExitCode, SweepNotFoundError, UsageError
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.verifying.report import CheckId, Health
from orchestrator.sweeps.verifying.verify import CHECKS, verify
from tests.support.home import driven


def test_a_finished_sweep_is_sound(patient):
    verification = patient.verify()

    assert verification.is_sound, verification.to_json()
    assert verification.exit_code is ExitCode.DONE
    assert verification.state == "COMPLETE"
    assert list(verification.outcomes) == list(CHECKS)


def test_every_check_has_an_id_and_every_id_a_check():
    assert list(CHECKS) == list(CheckId)


def test_a_sweep_with_a_driver_is_running(patient):
    with driven(patient.home):
        verification = patient.verify()

    assert verification.is_sound
    assert verification.outcomes[CheckId.TRIAL_STATES].health is Health.NOT_APPLICABLE


def test_what_is_not_there(patient, tmp_path):
    with pytest.raises(SweepNotFoundError):
        verify(patient.home, "nobody")
    with pytest.raises(UsageError, match="there is no ledger"):
        verify(Home(tmp_path / "nowhere"), "toy-1")
