"""The proposer of a confirmation: rounds of one seed for everyone, from nothing but the trials."""

from math import isnan

from orchestrator.study import Candidate, Confirming
from orchestrator.study.confirmations import Examined
from orchestrator.sweeps.confirming.proposing import Elimination, confirmed_value, runs_of
from orchestrator.trial import Cause, Ending, TrialRecord, TrialState
from tests.support.confirming import confirmable_spec

CONFIRMING = Confirming(
    sweep="toy-1",
    sweep_id="id-1",
    candidates=(Candidate("trial 3", {"x": 0.9}, 3, 0.95), Candidate("default", {"x": 0.0})),
    reference="default",
    seeds=(1000, 1001, 1002, 1003),
)


def run(number, proposal, value, *, state=TrialState.COMPLETE):
    ending = Ending(Cause.FINISHED, "finished") if state.is_terminal else None
    return TrialRecord(
        number, state, proposal.params, value=value, best_step=1, ending=ending, seeds=proposal.seeds, run_id=None
    )


def play(values, *, trials=100):
    """All that is proposed when a candidate's value is `values(params, seed)`."""
    proposer, done = Elimination(CONFIRMING, confirmable_spec(trials=trials)), []
    while (proposal := proposer.next(done)) is not None:
        done.append(run(len(done), proposal, values(proposal.params["x"], proposal.seeds[0])))
    return [(trial.params["x"], trial.seeds) for trial in done]


def test_every_candidate_trains_with_the_same_seeds_one_round_after_the_other():
    everyone = [(x, (seed,)) for seed in CONFIRMING.seeds for x in (0.0, 0.9)]
    assert play(lambda x, seed: (seed * 7919 % 13) / 13 + (seed * 31 % 7) * x) == everyone


def test_who_is_clearly_worse_trains_no_more():
    assert len(play(lambda x, seed: -100 * x + 1e-3 * (seed % 2))) == 6


def test_no_more_trainings_than_the_budget():
    assert len(play(lambda x, seed: float(seed % 3) * (x + 1), trials=5)) == 4


def test_a_trial_in_work_counts_as_asked_for():
    proposer = Elimination(CONFIRMING, confirmable_spec(trials=100))
    first = proposer.next([])
    second = proposer.next([run(0, first, None, state=TrialState.RUNNING)])
    assert (first.params, second.params) == ({"x": 0.0}, {"x": 0.9})


def test_a_training_that_was_not_finished_has_no_value():
    proposal = Elimination(CONFIRMING, confirmable_spec(trials=100)).next([])
    assert confirmed_value(run(0, proposal, 0.4)) == 0.4
    assert confirmed_value(run(0, proposal, 0.4, state=TrialState.RUNNING)) is None
    assert isnan(confirmed_value(run(0, proposal, 0.4, state=TrialState.FAILED)))


def test_what_was_measured_on_test_stands_beside_the_value_on_val():
    proposal = Elimination(CONFIRMING, confirmable_spec(trials=100)).next([])
    trials = [run(0, proposal, 0.4), run(1, proposal, 0.5)]
    examined = {0: Examined(1, {"test/score": 0.3}, (0.2, 0.4)), 1: Examined(1, {"test/score": float("nan")})}
    with_test, without = runs_of(CONFIRMING, trials, examined, on="test/score")
    assert (with_test.val, with_test.test, with_test.resamples) == (0.4, 0.3, (0.2, 0.4))
    assert (without.val, without.test) == (0.5, None)
