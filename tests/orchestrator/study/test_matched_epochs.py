"""Importance counts stopped trials: a choice whose bad branch is always pruned comes first."""

import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from orchestrator.study import matched_epochs
from orchestrator.study.importance import IMPORTANCE_KEY, StoredImportance
from orchestrator.study.matched_epochs import importance, importance_in, note_importance
from orchestrator.study.records import STEP, write_measurement
from orchestrator.trial import Measurement
from tests.support.specs import toy_spec

SPEC = toy_spec()
KINDS = {"kind": CategoricalDistribution(["good", "bad"])}
UNIT = FloatDistribution(0, 1)


def trial(number, values, *, complete, **params):
    """A trial with one value for each epoch from 1 on."""
    curve = {
        f"{STEP}{epoch}": write_measurement(Measurement(epoch, {"val/score": value}, 1.0, 0), None)
        for epoch, value in enumerate(values, 1)
    }
    made = create_trial(
        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
        value=max(values) if complete else None,
        params=params,
        distributions={name: KINDS.get(name, UNIT) for name in params},
        user_attrs=curve,
    )
    made.number = number
    return made


def planted(num_trials=24, seed=0):
    """The bad kind is pruned after one epoch, always; so are the worse ones of the good kind after three."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(num_trials):
        lr, other = rng.random(2)
        good = number % 2 == 0
        values = [(0.7 if good else 0.1) * (1 - 0.5**epoch) + 0.1 * lr + 0.01 * rng.normal() for epoch in range(1, 10)]
        end = 1 if not good else 9 if lr > 0.4 else 3
        kind = "good" if good else "bad"
        made.append(trial(number, values[:end], complete=end == 9, kind=kind, lr=lr, other=other))
    return made


def stock(trials):
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.importance.get_param_importances(study)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("num_trials", [12, 24, 48])
def test_a_choice_whose_bad_branch_is_always_pruned_comes_first(num_trials, seed):
    trials = planted(num_trials, seed=seed)

    found = importance_in(trials, SPEC)

    assert stock(trials)["kind"] < 0.03
    assert next(iter(found.shares)) == "kind"
    assert found.shares["kind"] > 0.6
    assert sum(found.shares.values()) == pytest.approx(1)


def test_each_trial_counts_once_and_epochs_weigh_by_how_much_their_trials_differ():
    trials = planted()

    at = importance_in(trials, SPEC).epochs

    assert at[0].weight > 5 * at[2].weight
    assert [epoch.epoch for epoch in at] == [1, 3, 9]
    assert [epoch.num_trials for epoch in at] == [24, 12, 12 - at[1].num_last]
    assert sum(epoch.num_last for epoch in at) == 24
    assert at[0].num_last == 12


def test_a_parameter_of_a_branch_takes_part():
    trials = [
        trial(n, [0.5 + 0.3 * (n / 20), 0.6 + 0.3 * (n / 20)], complete=True, kind="good", margin=n / 20)
        if n % 2
        else trial(n, [0.1], complete=False, kind="bad")
        for n in range(20)
    ]

    first, second = importance_in(trials, SPEC).epochs

    assert first.shares["kind"] > first.shares["margin"] > 0
    assert second.shares["margin"] > 0.9


def test_scattered_endings_are_taken_together():
    trials = [trial(n, [0.01 * n] * (1 + n), complete=n > 30, x=n / 40, y=(n * 7 % 40) / 40) for n in range(40)]

    epochs = [at.epoch for at in importance_in(trials, SPEC).epochs]

    assert epochs == [1, 5, 9, 13, 17, 21, 25, 29, 33, 37]


def test_few_trials_and_a_single_parameter_say_nothing():
    assert importance_in(planted()[:3], SPEC) is None
    assert importance_in([trial(n, [n / 9], complete=True, x=n / 9) for n in range(9)], SPEC) is None
    assert importance_in([trial(n, [0.5], complete=True, x=n / 9, y=n / 9) for n in range(9)], SPEC) is None


def test_of_a_real_sweep_with_asha(desk):
    space = {
        "kind": {"type": "categorical", "choices": ["a", "b"]},
        "x": {"type": "float", "low": -1.0, "high": 1.0},
    }
    pruner = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}
    desk.run(toy_spec(trials=12, space=space, pruner=pruner))

    found = importance(desk.reopen())

    assert set(found.shares) == {"kind", "x"}
    assert found.epochs[0].num_trials == 12
    assert found.to_json()["epochs"][0]["weight"] > 0


def test_of_many_trials_some_are_drawn_and_it_is_said(monkeypatch):
    monkeypatch.setattr(matched_epochs, "MAX_TRIALS", 20)
    trials = planted(48)
    found = importance_in(trials, SPEC)

    first, *_, last = found.epochs
    assert (first.num_trials, first.num_drawn, first.words) == (48, 20, "20 of 48 trials")
    assert first.to_json()["drawn"] == 20
    assert (last.num_drawn, "drawn" in last.to_json()) == (None, False)
    assert next(iter(found.shares)) == "kind"
    assert importance_in(trials, SPEC) == found


def test_what_is_noted_reads_back(desk):
    desk.run(toy_spec(trials=6))
    ledger = desk.reopen()
    found = importance_in(planted(), SPEC)
    for important in (found, None):
        note_importance(ledger, important)
        written = desk.reopen().study.user_attrs[IMPORTANCE_KEY]
        assert StoredImportance.from_json(written) == StoredImportance(6, important)
