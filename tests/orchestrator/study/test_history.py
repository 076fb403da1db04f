"""What TPE learns from when there are many trials: the good ones are the same as with all of them."""

import random

import optuna
import pytest
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import TrialState, create_trial

from orchestrator.study import history
from orchestrator.study.history import BEST, MOST, History
from orchestrator.study.ledger import search_space
from tests.support.specs import toy_spec


def trials(count, *, complete, seed=0):
    """Trials without parameters; those that are not complete are pruned, fail, run, or break a constraint."""
    rng, found = random.Random(seed), []
    for number in range(count):
        value = round(rng.random(), 2)
        state = TrialState.COMPLETE if rng.random() < complete else rng.choice([TrialState.PRUNED, TrialState.FAIL])
        state = TrialState.RUNNING if number > count - 4 else state
        trial = create_trial(
            state=state,
            value=value if state is TrialState.COMPLETE else None,
            intermediate_values={step: round(rng.random(), 2) for step in range(rng.randrange(4))},
            constraints={"floor": rng.choice([0.0, 0.0, 0.0, value])} if state.is_finished() else None,
        )
        trial.number = number
        found.append(trial)
    return found


def history_of(found, direction):
    spec = toy_spec(sampler={"type": "tpe"}, objective={"metric": "val/score", "direction": direction})
    kept = History(spec, search_space(spec, {}))
    kept.update(found)
    return kept


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("complete", [0.5, 0.01])
def test_the_good_trials_are_those_of_the_whole_history(direction, complete):
    found = trials(4 * MOST, complete=complete)
    seen = history_of(found, direction).to_learn_from()
    ended = [trial for trial in seen if trial.state.is_finished()]
    assert MOST - BEST <= len(ended) <= MOST
    assert [trial.number for trial in seen] == sorted({trial.number for trial in seen})
    assert [trial.number for trial in seen if not trial.state.is_finished()] == [t.number for t in found[-3:]]
    study = optuna.create_study(direction=direction)
    learnable = [trial for trial in found if trial.state is not TrialState.FAIL]
    whole, capped = (_split_trials(study, some, default_gamma(len(some)))[0] for some in (learnable, seen))
    assert [trial.number for trial in capped] == [trial.number for trial in whole]


def test_up_to_the_limit_nothing_is_left_out():
    found = trials(MOST // 2, complete=0.5)
    assert history_of(found, "maximize").to_learn_from() == found


def test_it_follows_from_the_trials_and_not_from_when_it_looked(monkeypatch):
    monkeypatch.setattr(history, "MOST", 20)
    monkeypatch.setattr(history, "BEST", 5)
    found = trials(60, complete=0.6)
    slowly = history_of([], "maximize")
    for count in range(1, 61):
        slowly.update(found[:count])
    expected = [trial.number for trial in history_of(found, "maximize").to_learn_from()]
    assert [trial.number for trial in slowly.to_learn_from()] == expected
    assert len(expected) < 60
