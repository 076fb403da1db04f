"""A proposer takes the sampler's place: what it says is run, in the space or out of it, with its own seeds."""

from collections.abc import Sequence

import optuna

from orchestrator.study import Ledger
from orchestrator.study.proposals import Proposal
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord
from tests.support.specs import toy_spec

PROPOSALS = (
    Proposal({"x": 0.5}, seeds=(7,)),
    Proposal({"x": 9.0}, seeds=(7, 8)),
    Proposal({"x": 0.5}, seeds=(8,), replicate_of=0),
)


class Listed:
    """Proposes `PROPOSALS` in order."""

    def next(self, trials: Sequence[TrialRecord]) -> Proposal | None:
        """By how many there are."""
        return PROPOSALS[len(trials)] if len(trials) < len(PROPOSALS) else None


def run_all():
    spec = toy_spec(trials=1)
    study = optuna.create_study(direction="maximize")
    ledger = Ledger(study, spec=spec, fixed={}, proposer=Listed())
    while (suggestion := ledger.ask()) is not None:
        ledger.report(suggestion.number, Measurement(1, {"val/score": 0.5}, 0.1, 1))
        ledger.tell(suggestion.number, Ending(Cause.FINISHED, "finished"))
    return ledger, study


def test_what_is_proposed_is_run_whatever_the_budget_says():
    ledger, _ = run_all()
    assert [trial.params for trial in ledger.records()] == [dict(proposal.params) for proposal in PROPOSALS]
    assert [trial.seeds for trial in ledger.records()] == [(7,), (7, 8), (8,)]
    assert [trial.replicate_of for trial in ledger.records()] == [None, None, 0]


def test_a_configuration_outside_of_the_space_is_unknown_to_the_sampler():
    _, study = run_all()
    assert [trial.params for trial in study.trials] == [{"x": 0.5}, {}, {"x": 0.5}]


def test_without_a_proposer_a_trial_has_the_sweeps_seeds():
    ledger = Ledger(optuna.create_study(direction="maximize"), spec=toy_spec(seed=3, repeats=2), fixed={})
    suggestion = ledger.ask()
    assert suggestion is not None
    assert suggestion.seeds == (3, 4)
