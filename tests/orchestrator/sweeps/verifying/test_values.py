"""Values and steps that the ledger and Optuna do not have alike."""

import pytest

from orchestrator.sweeps.verifying.report import CheckId

TRIAL = "trial_id = (SELECT trial_id FROM trials WHERE number = {})"


def test_a_value_that_differs_in_its_last_bit(patient):
    with patient.ledger() as db:
        db.execute(f"UPDATE trial_values SET value = value * (1 + 2.3e-16) WHERE {TRIAL.format(0)}")

    (violation,) = patient.violations(CheckId.OBJECTIVE_VALUES)

    assert violation.trial == 0
    assert violation.seen[0] != violation.expected[0]
    assert violation.seen[0] == pytest.approx(violation.expected[0], rel=1e-15)


def test_a_measurement_that_was_lost(patient):
    with patient.ledger() as db:
        db.execute(f"DELETE FROM trial_user_attributes WHERE key = 'step:2' AND {TRIAL.format(0)}")

    hole, ahead = patient.violations(CheckId.STEPS)

    assert (hole.trial, hole.seen, hole.expected) == (0, [0, 1, 3, 4], [2])
    assert (ahead.trial, "2: " in ahead.seen, "2: " in ahead.expected) == (0, True, False)


def test_a_measurement_that_was_changed(patient):
    with patient.ledger() as db:
        db.execute(
            f"UPDATE trial_intermediate_values SET intermediate_value = 0.5 WHERE step = 1 AND {TRIAL.format(0)}"
        )

    (violation,) = patient.violations(CheckId.STEPS)

    assert "1: 0.5" in violation.seen


def test_a_driver_that_died_between_two_writes_has_lost_nothing(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 5")
        db.execute(f"DELETE FROM trial_user_attributes WHERE key = 'ending' AND {TRIAL.format(5)}")
        db.execute(f"DELETE FROM trial_intermediate_values WHERE step = 4 AND {TRIAL.format(5)}")
        db.execute("""UPDATE study_user_attributes SET value_json = replace(value_json, '"COMPLETE"', '"RUNNING"')""")

    assert patient.violations(CheckId.STEPS) == []


def test_an_outline_that_is_not_what_was_measured(patient):
    was, changed = '"num_measured": 5', '"num_measured": 6'
    with patient.ledger() as db:
        change = f"value_json = replace(value_json, '{was}', '{changed}')"
        db.execute(f"UPDATE trial_user_attributes SET {change} WHERE key = 'ending' AND {TRIAL.format(0)}")

    (violation,) = patient.violations(CheckId.STEPS)

    assert violation.trial == 0
    assert changed in violation.seen
    assert was in violation.expected
