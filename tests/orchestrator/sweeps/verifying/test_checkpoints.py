"""Checkpoints that are gone or damaged."""

import shutil

import pytest

from orchestrator.sweeps.verifying.report import CheckId, Health
from tests.support.home import driven
from tests.support.verified import LEDGER_ONLY


def best_of(patient):
    """The folder of the best checkpoint."""
    note = patient.verify(LEDGER_ONLY).outcomes[CheckId.BEST_CHECKPOINT].note.split()
    return patient.paths.checkpoints / f"trial-{int(note[1]):04d}" / f"step-{int(note[3]):06d}"


def other_of(patient):
    """A folder of another one of the same trial."""
    best = best_of(patient)
    return next(path for path in sorted(best.parent.glob("step-*")) if path != best)


def test_the_best_is_gone(patient):
    best = best_of(patient)
    shutil.rmtree(best)

    (violation,) = patient.violations(CheckId.BEST_CHECKPOINT)

    assert f"trial-{violation.trial:04d}" == best.parent.name
    assert f"step-{violation.expected:06d}" == best.name
    assert "orch retrain" in violation.advice


@pytest.mark.parametrize("file", ["state.safetensors", "manifest.json"])
@pytest.mark.parametrize("how", ["flipped", "truncated", "removed"])
def test_one_is_damaged(patient, file, how):
    path = other_of(patient) / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    match how:
        case "flipped":
            path.write_bytes(content)
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "removed":
            path.unlink()

    (violation,) = patient.violations(CheckId.SOUND_CHECKPOINTS)

    assert violation.repairable
    assert file in violation.seen


def test_a_damaged_best_is_no_best(patient):
    (best_of(patient) / "state.safetensors").write_bytes(b"")

    broken = patient.verify(LEDGER_ONLY).broken

    assert broken == [CheckId.BEST_CHECKPOINT, CheckId.SOUND_CHECKPOINTS]


def test_without_any(patient):
    shutil.rmtree(patient.paths.checkpoints)

    outcomes = patient.verify(LEDGER_ONLY).outcomes

    assert outcomes[CheckId.BEST_CHECKPOINT].health is Health.NOT_APPLICABLE
    assert outcomes[CheckId.SOUND_CHECKPOINTS].health is Health.NOT_APPLICABLE


def test_while_it_runs_they_come_and_go(patient):
    with driven(patient.home):
        outcomes = patient.verify(LEDGER_ONLY).outcomes

    assert outcomes[CheckId.SOUND_CHECKPOINTS].health is Health.NOT_APPLICABLE
