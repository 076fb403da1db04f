"""What a repair would do."""

from orchestrator.sweeps.verifying.gathering import gather
from orchestrator.sweeps.verifying.steps import plan_steps
from tests.support.verified import LEDGER_ONLY, NAME


def planned(patient):
    return plan_steps(gather(patient.home, NAME, LEDGER_ONLY), mlflow_differs=False).words()


def test_nothing_for_a_sound_sweep(patient):
    assert planned(patient) == []


def test_the_ledger_first_then_the_disk(patient):
    half = patient.paths.checkpoints / "trial-0000" / ".step-000009.77.new"
    half.mkdir()
    with patient.ledger() as db:
        db.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number IN (4, 5)")
        db.execute(
            "DELETE FROM trial_user_attributes WHERE key = 'ending' "
            "AND trial_id = (SELECT trial_id FROM trials WHERE number = 4)"
        )

    assert planned(patient) == [
        "tell the sampler the stored ending of trial 5",
        "mark trial 4 as paused: nobody runs it",
        "mark the sweep as paused: trials of it are open",
        f"remove {half}",
    ]
