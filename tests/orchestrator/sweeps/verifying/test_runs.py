"""Runs that are missing, too many, misplaced or in another state."""

import pytest

from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.report import CheckId, Health
from tests.support.verified import copy_run

MLFLOW = Scope(replay=False)


def test_a_run_that_was_deleted(patient):
    with patient.mlflow() as store:
        store.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (patient.run_of(3),))

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.repairable) == (3, True)


def test_a_second_run_of_a_trial(patient):
    second = copy_run(patient, patient.run_of(2))

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.seen, violation.repairable) == (2, second, True)


def test_a_second_run_of_the_sweep(patient):
    with patient.mlflow() as store:
        (parent,) = store.execute("SELECT run_uuid FROM tags WHERE key = 'orch.kind' AND value = 'sweep'").fetchone()
    second = copy_run(patient, parent)

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.seen) == (None, second)


def test_a_run_of_a_trial_that_there_is_not(patient):
    stray = copy_run(patient, patient.run_of(2), trial="9")

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.seen, violation.repairable) == (9, stray, True)


def test_a_run_below_another_one(patient):
    with patient.mlflow() as store:
        update = "UPDATE tags SET value = 'other' WHERE key = 'mlflow.parentRunId' AND run_uuid = ?"
        store.execute(update, (patient.run_of(4),))

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.seen) == (4, "other")


def test_a_run_that_the_ledger_does_not_know(patient):
    with patient.ledger() as db:
        db.execute("DELETE FROM study_user_attributes WHERE key = 'orch:run:1'")

    (violation,) = patient.violations(CheckId.MLFLOW_RUNS, MLFLOW)

    assert (violation.trial, violation.seen, violation.expected) == (1, None, patient.run_of(1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE runs SET status = 'RUNNING' WHERE run_uuid = ?", "FINISHED"),
        ("UPDATE tags SET value = 'RUNNING' WHERE key = 'orch.state' AND run_uuid = ?", "COMPLETE"),
        ("UPDATE tags SET value = '2' WHERE key = 'orch.attempt' AND run_uuid = ?", "1"),
    ],
)
def test_another_state(patient, change, expected):
    with patient.mlflow() as store:
        store.execute(change, (patient.run_of(0),))

    (violation,) = patient.violations(CheckId.MLFLOW_STATES, MLFLOW)

    assert (violation.trial, violation.expected, violation.repairable) == (0, expected, True)


def test_counts_of_the_sweeps_run(patient):
    with patient.mlflow() as store:
        store.execute("UPDATE tags SET value = '7' WHERE key = 'orch.num_failed'")

    (violation,) = patient.violations(CheckId.MLFLOW_STATES, MLFLOW)

    assert (violation.trial, violation.seen, violation.expected) == (None, "7", "2")


def test_what_waits_in_the_outbox_is_not_missed_yet(patient):
    from orchestrator.tracking.operations import SetTags
    from orchestrator.tracking.outbox import Outbox

    outbox = Outbox(patient.paths.outbox)
    outbox.append([SetTags(number=1, tags={"a": "b"})], at_ms=0)
    outbox.close()
    with patient.mlflow() as store:
        store.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (patient.run_of(3),))

    verification = patient.verify(MLFLOW)

    assert verification.is_sound
    assert verification.outcomes[CheckId.MLFLOW_STATES].health is Health.NOT_APPLICABLE
    assert "orch sync toy-1" in verification.outcomes[CheckId.MLFLOW_STATES].note
