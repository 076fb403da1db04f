"""Members go on from the best at the same epoch, with changed floats, whatever was interrupted on the way."""

import math
from dataclasses import replace

import pytest

from orchestrator.space import SearchSpace
from orchestrator.study.population import Population, population_of
from orchestrator.study.proposals import Proposal, Wait
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, TrialState
from tests.support.specs import toy_spec

SETTINGS = {"type": "pbt", "population": 4, "interval_epochs": 2, "resample_probability": 0.0}
SPACE = {
    "x": {"type": "float", "low": 0.1, "high": 1.0},
    "z": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.25},
    "kind": {"type": "categorical", "choices": ["a", "b"]},
}


def population(*, trials=100, epochs=6, constraints=(), **settings) -> Population:
    """Four members of three stretches."""
    spec = toy_spec(sampler={**SETTINGS, **settings}, space=SPACE, constraints=constraints, trials=trials)
    return population_of(spec, SearchSpace(spec.space, spec.constraints), epochs=epochs)


def ended(proposal: Proposal, number: int, value: float, *, state=TrialState.COMPLETE) -> TrialRecord:
    """A trial of the proposal that ended with `value`."""
    assert proposal.segment is not None
    last = Measurement(proposal.segment.until, {"val/score": value}, 0.1, number)
    cause = Cause.FINISHED if state is TrialState.COMPLETE else Cause.ERROR
    return TrialRecord(
        number, state, proposal.params, (last,), value, last.step, Ending(cause, ""), segment=proposal.segment
    )


def play(members: Population, value_of) -> list[TrialRecord]:
    """One trial after another until there are no more."""
    trials: list[TrialRecord] = []
    while isinstance(proposal := members.next(trials), Proposal):
        trials.append(ended(proposal, len(trials), value_of(len(trials), proposal)))
    return trials


def by_number(number, proposal):
    """Lower numbers are better at each epoch."""
    return -float(number % 4)


def test_all_members_reach_an_epoch_before_any_goes_beyond_it():
    trials = play(population(), by_number)
    assert [trial.segment.until for trial in trials] == [2] * 4 + [4] * 4 + [6] * 4
    assert [trial.segment.member for trial in trials] == [0, 1, 2, 3] * 3


def test_the_worst_goes_on_from_the_best_and_the_others_from_themselves():
    trials = play(population(), by_number)
    assert [trial.segment.parent for trial in trials[4:8]] == [0, 1, 2, 0]
    assert [trial.params for trial in trials[4:7]] == [trial.params for trial in trials[:3]]


def test_a_copied_member_has_perturbed_floats_and_the_choices_of_its_weights():
    best, copy = (play(population(), by_number)[number] for number in (0, 7))
    assert copy.params["kind"] == best.params["kind"]
    x = best.params["x"]
    assert any(math.isclose(copy.params["x"], min(max(x * f, 0.1), 1.0)) for f in (1.2, 1 / 1.2))
    assert copy.params["z"] in (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_resampled_float_is_drawn_from_its_range():
    changed = play(population(resample_probability=1.0), by_number)[7].params["x"]
    assert 0.1 <= changed <= 1.0
    assert changed != play(population(), by_number)[7].params["x"]


def test_the_direction_of_the_objective_decides_who_is_best():
    members = population()
    spec = members.spec.model_copy(
        update={"objective": members.spec.objective.model_copy(update={"direction": "minimize"})}
    )
    trials = play(replace(members, spec=spec), by_number)
    assert trials[4].segment.parent == 3


def test_a_stretch_that_failed_goes_on_from_the_best():
    members, trials = population(), []
    for number in range(4):
        proposal = members.next(trials)
        state = TrialState.FAILED if number == 0 else TrialState.COMPLETE
        trials.append(ended(proposal, number, -float(number), state=state))
    proposal = members.next(trials)
    assert (proposal.segment.member, proposal.segment.parent) == (0, 1)


def test_when_all_have_failed_a_member_begins_again():
    members, trials = population(), []
    for number in range(4):
        trials.append(ended(members.next(trials), number, 0.0, state=TrialState.FAILED))
    segment = members.next(trials).segment
    assert (segment.member, segment.parent, segment.until) == (0, None, 4)


def test_it_waits_for_a_running_stretch_that_others_are_to_follow():
    members, trials = population(epochs=2), []
    for number in range(4):
        trials.append(ended(members.next(trials), number, 0.0))
    assert members.next(trials) is None
    members = population()
    running = replace(trials[3], state=TrialState.RUNNING, ending=None)
    trials = [*trials[:3], running]
    for number in range(4, 11):
        proposal = members.next(trials)
        if isinstance(proposal, Wait):
            break
        trials.append(ended(proposal, number, 0.0))
    assert proposal is Wait.FOR_A_TRIAL
    assert {trial.segment.member for trial in trials if trial.segment.until == 6} == {0, 1, 2}


def test_constraints_hold_after_a_change():
    for seed in range(5):
        members = population(constraints=["x + z <= 1.2"])
        members = replace(members, spec=members.spec.model_copy(update={"seed": seed}))
        assert all(trial.params["x"] + trial.params["z"] <= 1.2 for trial in play(members, by_number))


def test_the_last_stretch_is_shorter_and_the_budget_cuts():
    assert [trial.segment.until for trial in play(population(epochs=3), by_number)] == [2] * 4 + [3] * 4
    assert len(play(population(trials=6), by_number)) == 6


def test_without_a_number_of_epochs_there_is_no_population():
    from orchestrator.errors import UsageError

    with pytest.raises(UsageError, match="epochs"):
        population(epochs=None)
