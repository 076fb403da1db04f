"""Missing, surplus and contradictory trials."""

from orchestrator.sweeps.verifying.report import CheckId


def set_in_record(db, old, new):
    """Change the sweep's own record."""
    db.execute("UPDATE study_user_attributes SET value_json = replace(value_json, ?, ?)", (old, new))


def test_a_trial_that_the_ledger_has_lost(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET number = 7 WHERE number = 5")

    missing = patient.verify().outcomes[CheckId.TRIAL_NUMBERS].violations

    assert [(v.trial, v.repairable) for v in missing] == [(5, False), (6, False)]


def test_more_trials_than_the_budget(patient):
    with patient.ledger() as db:
        set_in_record(db, '"trials": 6', '"trials": 5')

    (violation,) = patient.violations(CheckId.TRIAL_COUNT)

    assert (violation.seen, violation.expected) == (6, 5)


def test_a_complete_sweep_that_lacks_a_trial(patient):
    with patient.ledger() as db:
        set_in_record(db, '"trials": 6', '"trials": 7')

    (violation,) = patient.violations(CheckId.TRIAL_COUNT)

    assert (violation.seen, violation.expected) == (6, 7)


def test_a_space_that_was_used_up_says_why_there_are_fewer(patient):
    with patient.ledger() as db:
        set_in_record(db, '"trials": 6', '"trials": 7')
        set_in_record(db, 'have ended"', 'have ended; the space was tried"')

    assert patient.violations(CheckId.TRIAL_COUNT) == []


def test_an_ending_that_was_lost(patient):
    with patient.ledger() as db:
        db.execute(
            "DELETE FROM trial_user_attributes WHERE key = 'ending' "
            "AND trial_id = (SELECT trial_id FROM trials WHERE number = 0)"
        )

    (violation,) = patient.violations(CheckId.TRIAL_ENDINGS)

    assert (violation.trial, violation.seen) == (0, "COMPLETE")


def test_a_state_that_is_not_the_endings(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET state = 'FAIL' WHERE number = 5")

    (violation,) = patient.violations(CheckId.TRIAL_ENDINGS)

    assert (violation.trial, violation.expected, violation.repairable) == (5, "COMPLETE", False)


def test_a_trial_that_is_still_open_in_a_complete_sweep(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 1")

    verification = patient.verify()

    assert [(v.trial, v.seen) for v in verification.outcomes[CheckId.TRIAL_STATES].violations] == [(1, "RUNNING")]
    (untold,) = verification.outcomes[CheckId.TRIAL_ENDINGS].violations
    assert (untold.trial, untold.expected, untold.repairable) == (1, "FAILED", True)


def test_an_interrupted_sweep_may_have_open_trials_and_says_that_it_was(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 5")
        set_in_record(db, '"COMPLETE"', '"RUNNING"')

    verification = patient.verify()

    assert (verification.state, verification.is_sound) == ("INTERRUPTED", True)
    assert "1 trials have not ended" in verification.outcomes[CheckId.TRIAL_STATES].note
