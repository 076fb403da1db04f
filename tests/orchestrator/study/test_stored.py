"""Trials as Optuna has them."""

from orchestrator.study.stored import stored_trials, sweep_text
from orchestrator.trial import TrialState
from tests.support.specs import modes, toy_spec


def test_values_and_states_are_optunas(desk):
    desk.run(toy_spec(**modes("learn", "raise")))

    ledger = desk.reopen()
    stored = {trial.params["mode"]: stored_trials(ledger)[trial.number] for trial in ledger.records()}

    assert {mode: trial.state for mode, trial in stored.items()} == {
        "learn": TrialState.COMPLETE,
        "raise": TrialState.FAILED,
    }
    best = next(trial for trial in ledger.records() if trial.params["mode"] == "learn")
    assert stored["learn"].values == (best.value,)
    assert stored["learn"].intermediate == {m.step: m.metrics["val/score"] for m in best.measurements}
    assert stored["raise"].values == ()
    assert "no luck" in stored["raise"].text
    assert not any(trial.imported for trial in stored.values())


def test_all_that_is_written_of_the_sweep(desk):
    desk.create(toy_spec(trials=1))

    assert '"trainable"' in sweep_text(desk.reopen())
