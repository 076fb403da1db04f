"""Parameters that are not those of an uninterrupted sweep."""

from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.parameters import why_not_redrafted
from orchestrator.sweeps.verifying.report import CheckId, Health


def test_every_trial_of_a_sequential_sweep_is_drafted_again(patient):
    outcome = patient.verify().outcomes[CheckId.PARAMETERS]

    assert (outcome.health, outcome.note) == (Health.OK, "6 trials drafted again")


def test_a_parameter_that_was_changed(patient):
    with patient.ledger() as db:
        db.execute(
            "UPDATE trial_params SET param_value = param_value + 1e-12 WHERE param_name = 'x' "
            "AND trial_id = (SELECT trial_id FROM trials WHERE number = 5)"
        )

    (violation,) = patient.violations(CheckId.PARAMETERS)

    assert violation.trial == 5
    assert violation.seen["x"] != violation.expected["x"]


def test_no_replay(patient):
    outcome = patient.verify(Scope(replay=False)).outcomes[CheckId.PARAMETERS]

    assert (outcome.health, outcome.note) == (Health.NOT_APPLICABLE, "--no-replay")


def test_trials_side_by_side_are_not_replayed(patient):
    with patient.ledger() as db:
        db.execute("UPDATE trials SET datetime_complete = datetime('now', '+1 day') WHERE number = 0")

    outcome = patient.verify().outcomes[CheckId.PARAMETERS]

    assert outcome.health is Health.NOT_APPLICABLE
    assert "same time" in outcome.note
    assert callable(why_not_redrafted)
