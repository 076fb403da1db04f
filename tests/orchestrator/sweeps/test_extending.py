"""More trials, or more epochs, for a sweep that has ended."""

import shutil

import pytest

from orchestrator.errors import UsageError
from orchestrator.execution.checkpoint_names import steps_in, trial_folder
from orchestrator.study import SweepRecord
from orchestrator.sweeps.extending import extended_record, read_extension
from orchestrator.tracking.operations import LogMetrics
from orchestrator.tracking.outbox import Outbox
from tests.support.specs import toy_spec


def record(**fixed):
    return SweepRecord("toy-1", "id", toy_spec(trials=20), created_ms=0, fixed=fixed)


@pytest.mark.parametrize(
    ("options", "trials", "epochs"),
    [
        (["trials=+5"], 25, None),
        (["trials=40"], 40, None),
        (["epochs=+10"], None, 14),
        (["epochs=20", "trials=21"], 21, 20),
        (["epochs=4"], None, 4),
        ([], None, None),
    ],
)
def test_plus_counts_from_what_there_is(options, trials, epochs):
    extension = read_extension(options, record(epochs=4))
    assert (extension.trials, extension.epochs) == (trials, epochs)
    extended = extended_record(record(epochs=4), extension)
    assert extended.spec.budget.trials == (trials or 20)
    assert extended.fixed["epochs"] == (epochs or 4)


@pytest.mark.parametrize(
    ("option", "fixed", "message"),
    [
        ("trials", {"epochs": 4}, r"the forms are trials=\+20"),
        ("trials=-3", {"epochs": 4}, "the forms are"),
        ("hours=3", {"epochs": 4}, "the forms are"),
        ("trials=20", {"epochs": 4}, "toy-1 has 20 trials; ask for more"),
        ("epochs=3", {"epochs": 4}, "toy-1 has 4 epochs; ask for more"),
        ("epochs=8", {}, "searches its epochs, or its Config has none"),
    ],
)
def test_other_forms_and_less_than_there_is_are_refused(option, fixed, message):
    with pytest.raises(UsageError, match=message):
        read_extension([option], record(**fixed))


def test_full_trials_go_on_for_more_epochs_and_count_once(house):
    pruner = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}
    points = [{"x": 0.1}, {"x": -1.0}, {"x": 0.3}]
    before = house.launch(toy_spec(trials=3, points=points, pruner=pruner, config={"epochs": 2}))
    assert [trial.state for trial in before.trials] == ["COMPLETE", "PRUNED", "COMPLETE"]
    after = house.resume(extend=["epochs=4", "trials=+1"])
    assert after.sweep.spec.config["epochs"] == 4
    assert after.sweep.reason == "all 4 trials have ended"
    assert [(trial.number, trial.extends, trial.epochs) for trial in after.trials[:5]] == [
        (0, None, 2),
        (1, None, 1),
        (2, None, 2),
        (3, 0, 4),
        (4, 2, 4),
    ]
    assert after.counts["complete"] + after.counts["pruned"] == 4
    first, longer = after.trials[0], after.trials[3]
    assert longer.params == first.params
    assert longer.measurements[:3] == first.measurements
    assert longer.seeds == first.seeds
    assert after.best.number == 4
    assert after.train_s == pytest.approx(sum(after.trials[n].train_s for n in (1, 3, 4, 5)))
    paths = house.home.sweep("id-1")
    assert steps_in(trial_folder(paths.checkpoints, 3))[-1] == 4
    outbox = Outbox(paths.outbox)
    said = [entry.operation for entry in outbox.pending(10_000)]
    outbox.close()
    assert {o.step for o in said if isinstance(o, LogMetrics) and o.number == 3} == {0, 1, 2, 3, 4}
    with pytest.raises(UsageError, match="toy-1 has 4 epochs; ask for more"):
        house.resume(extend=["epochs=4"])


def test_checkpoints_that_are_gone_are_an_error_before_anything_changes(house):
    house.launch(toy_spec(trials=2, config={"epochs": 1}))
    paths = house.home.sweep("id-1")
    shutil.rmtree(trial_folder(paths.checkpoints, 1))
    with pytest.raises(UsageError, match="trials 1 cannot go on: their checkpoints are not in"):
        house.resume(extend=["epochs=2"])
    assert "epochs: 1" in paths.spec.read_text()
