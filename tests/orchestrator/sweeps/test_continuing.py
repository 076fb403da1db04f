"""Which trials of an earlier sweep a new one takes over, and what is refused."""

from dataclasses import replace

import pytest

from orchestrator.errors import SweepNotFoundError, UsageError
from orchestrator.study import Storage, SweepRecord
from orchestrator.sweeps import drive, overview
from orchestrator.sweeps.continuing import History, history_of, take_over
from orchestrator.trial import Cause, Ending, Measurement
from tests.support.home import ROOT
from tests.support.specs import toy_spec

X = {"type": "float", "low": -1.0, "high": 1.0}
KIND = {"type": "categorical", "choices": ["a", "b"]}


def new(**sections):
    """Eight trials by default; the space is x and kind."""
    return toy_spec(**{"space": {"x": X, "kind": KIND}, "trials": 8, "config": {"epochs": 2}, **sections})


class Old:
    """A sweep whose trials have all ended, in a ledger in memory."""

    def __init__(self, house, **sections):
        self.house = house
        self.storage = Storage("sqlite://")
        self.record, self.ledger = self.begin("toy-1", new(**sections))
        run(self.ledger)
        self.trials = self.ledger.records()

    def begin(self, name, spec, history=None):
        checked = self.house.checked(spec)
        record = SweepRecord(name, f"{name}-id", spec, created_ms=0, fixed=checked.fixed)
        if history is not None:
            record = replace(record, continued=history.continued)
        return record, self.storage.create(record, history=history.trials if history else ())

    def found(self, spec, *, may_differ=()) -> History:
        checked = self.house.checked(spec)
        return take_over(self.record, self.ledger.history(), checked, directory=ROOT, may_differ=may_differ)


def run(ledger):
    """All trials: x is best at 0.3; the mode `raise` fails."""
    while (suggestion := ledger.ask()) is not None:
        number, params = suggestion.number, suggestion.params
        if params.get("mode") == "raise":
            ledger.tell(number, Ending(Cause.ERROR, "no luck"))
            continue
        for step in range(3):
            value = step * (1 - (params.get("x", 0.0) - 0.3) ** 2)
            if ending := ledger.report(number, Measurement(step, {"val/score": value}, 0.1, step), last=step == 2):
                break
        ledger.tell(number, ending or Ending(Cause.FINISHED, "finished"))


def test_the_same_space_takes_all(house):
    before = old = Old(house)
    history = old.found(new())
    assert (history.continued.taken, history.continued.dropped) == (8, {})
    assert [trial.params for trial in history.trials] == [trial.params for trial in before.trials]


def test_a_narrower_range_and_a_removed_choice_drop_what_is_outside(house):
    before = old = Old(house)
    history = old.found(new(space={"x": {**X, "low": 0.0}, "kind": KIND}))
    kept = [trial.params for trial in before.trials if trial.params["x"] >= 0]
    assert [trial.params for trial in history.trials] == kept
    reason = "x was outside of what is searched now: between 0.0 and 1.0"
    assert history.continued.dropped == {reason: 8 - len(kept)}


def test_a_wider_range_and_another_choice_keep_all(house):
    old = Old(house)
    wider = {"x": {**X, "high": 2.0}, "kind": {**KIND, "choices": ["c", "b", "a"]}}
    assert old.found(new(space=wider)).continued.taken == 8


def test_a_new_parameter_has_the_value_that_the_old_sweep_had(house):
    old = Old(house, space={"x": X}, config={"epochs": 2, "z": 0.5})
    space = {"x": X, "z": {"type": "float", "low": 0.0, "high": 1.0}, "kind": KIND}
    assert {(t.params["z"], t.params["kind"]) for t in old.found(new(space=space)).trials} == {(0.5, "a")}
    outside = {"x": X, "z": {"type": "float", "low": 0.75, "high": 1.0}}
    with pytest.raises(UsageError, match=r"8 x z was outside of what is searched now: between 0.75 and 1.0"):
        old.found(new(space=outside))


def test_a_parameter_that_is_not_searched_any_more_must_have_the_value_of_now(house):
    before = old = Old(house)
    history = old.found(new(space={"x": X}, config={"epochs": 2, "kind": "b"}))
    of_b = sum(1 for trial in before.trials if trial.params["kind"] == "b")
    assert 0 < of_b < 8
    assert history.continued.taken == of_b
    assert history.continued.dropped == {"it was trained with another kind": 8 - of_b}
    assert {tuple(trial.params) for trial in history.trials} == {("x",)}


def test_another_type_and_a_step_take_the_equal_values(house):
    grid = {"x": {"type": "float", "low": -1.0, "high": 1.0, "step": 0.5}, "z": {"type": "int", "low": 0, "high": 1}}
    old = Old(house, space=grid, trials=10, sampler={"type": "grid"})
    coarser = {"x": {"type": "int", "low": -1, "high": 1}, "z": {"type": "float", "low": 0.0, "high": 1.0}}
    history = old.found(new(space=coarser))
    assert {trial.params["x"] for trial in history.trials} == {-1, 0, 1}
    assert all(type(trial.params["x"]) is int and type(trial.params["z"]) is float for trial in history.trials)
    assert sum(history.continued.dropped.values()) == 4


def test_constraints_and_conditions_of_the_new_space_hold(house):
    before = old = Old(house)
    space = {"kind": KIND, "x": X, "z": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": "b"}}}
    history = old.found(new(space=space, constraints=["x > 0"]))
    assert all(("z" in trial.params) == (trial.params["kind"] == "b") for trial in history.trials)
    assert history.continued.dropped == {
        "it does not satisfy the constraints": sum(1 for trial in before.trials if trial.params["x"] <= 0)
    }


def test_failed_trials_are_not_taken(house):
    modes = {"mode": {"type": "categorical", "choices": ["learn", "raise"]}, "x": X}
    old = Old(house, space=modes, budget={"trials": 8, "max_failures": 9})
    history = old.found(new(space=modes))
    assert history.continued.dropped == {"it failed": 8 - history.continued.taken}
    assert {trial.params["mode"] for trial in history.trials} == {"learn"}


def test_another_question_is_refused(house):
    old = Old(house)
    with pytest.raises(UsageError, match=r"another objective: maximize val/score; the new sweep has: minimize"):
        old.found(new(objective={"metric": "val/score", "direction": "minimize"}))
    with pytest.raises(UsageError, match=r"trained with another config .*\n  z: 0.0 -> 0.25"):
        old.found(new(config={"epochs": 2, "z": 0.25}))
    assert old.found(new(config={"epochs": 2, "z": 0.25}), may_differ=["z"]).continued.taken == 8
    with pytest.raises(UsageError, match="epochs: 2 -> 3"):
        old.found(new(config={"epochs": 3}))
    with pytest.raises(UsageError, match=r"epochs cannot differ.*orch resume toy-1 --extend epochs=N"):
        old.found(new(config={"epochs": 3}), may_differ=["epochs"])


@pytest.mark.parametrize(
    "sampler",
    [
        {"type": "tpe", "startup_trials": 8},
        {"type": "gp", "startup_trials": 8},
        {"type": "cmaes"},
        {"type": "nsga2", "population": 8},
        {"type": "nsga3", "population": 8},
    ],
)
def test_the_sampler_learns_from_them_and_nobody_counts_them(house, sampler):
    space = {"x": X, "z": {"type": "float", "low": 0.0, "high": 1.0}}
    old = Old(house, space=space, trials=12)
    history = old.found(new(space=space))
    spec = new(space=space, sampler=sampler, trials=3)
    _, ledger = old.begin("new", spec, history)
    _, without = old.begin("without", spec)
    assert (ledger.records(), ledger.num_asked, ledger.limit) == ([], 0, 3)
    first = ledger.ask()
    assert first.number == 12
    assert first.params != without.ask().params, "a model proposes, not the startup"
    ledger.tell(first.number, Ending(Cause.ERROR, "no luck"))
    run(ledger)
    assert [trial.number for trial in ledger.records()] == [12, 13, 14]
    assert len(ledger.history()) == 15


def test_what_was_tried_there_is_not_tried_again(house):
    finite = {"x": {**X, "step": 0.5}, "kind": KIND}
    old = Old(house, space=finite, trials=6, sampler={"type": "grid"})
    _, ledger = old.begin("new", new(space=finite, trials=30), old.found(new(space=finite)))
    assert ledger.limit == 4
    run(ledger)
    tried = [tuple(sorted(trial.params.items())) for trial in (*old.trials, *ledger.records())]
    assert len(set(tried)) == len(tried) == 10
    assert ledger.exhausted == "each of the 10 configurations of the space was tried"


def test_they_compete_at_the_rungs_of_successive_halving(house):
    asha = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}
    old = Old(house)
    spec = new(pruner=asha, trials=1, points=[{"x": -1.0, "kind": "b"}])
    _, ledger = old.begin("new", spec, old.found(spec))
    run(ledger)
    (decision,) = ledger.records()[0].decisions
    assert (decision["num_compared"], decision["rung"], decision["pruned"]) == (9, 0, True)


def test_a_whole_sweep_continues_is_resumed_and_is_continued_from(house):
    house.launch(new(trials=3))
    checked = house.checked(new(trials=2))
    history = history_of(house.home, "toy-1", checked, directory=ROOT)
    summary = drive.launch(checked, house.around(), name="new", sweep_id="new", history=history)
    assert (summary.sweep.reason, summary.counts["complete"]) == ("all 2 trials have ended", 2)
    with pytest.raises(UsageError, match="its trials are 3 to 4"):
        overview.find_trial(summary, 1)
    resumed = drive.resume("new", house.around(), extend=["trials=+1"])
    assert [trial.number for trial in resumed.trials] == [3, 4, 5]
    assert (resumed.sweep.continued.sweep, resumed.sweep.continued.taken) == ("toy-1", 3)
    assert resumed.to_json()["continued"] == {"sweep": "toy-1", "sweep_id": "id-1", "taken": 3, "dropped": {}}
    chained = history_of(house.home, "new", checked, directory=ROOT)
    assert chained.continued.taken == 6, "the history of a sweep has a history"
    with pytest.raises(SweepNotFoundError):
        history_of(house.home, "none", checked, directory=ROOT)
