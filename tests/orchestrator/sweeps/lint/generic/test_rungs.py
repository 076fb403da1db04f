"""Rules about when pruners and stop rules may decide."""

import pytest

from tests.support.twins import report, rules


@pytest.mark.parametrize(
    ("pruner", "said", "edit"),
    [
        ("{type: asha, min_epochs: 10}", "asha prunes only at epoch 10 of 30", "reduction_factor: 2"),
        ("{type: asha, min_epochs: 30}", "asha prunes never of 30", "min_epochs: 7, reduction_factor: 2"),
        ("{type: hyperband, min_epochs: 12}", "hyperband prunes only at epoch 12 of 30", "reduction_factor: 2"),
        ("{type: asha, min_epochs: 20}", "asha prunes only at epoch 20", "min_epochs: 7, reduction_factor: 2"),
    ],
)
def test_too_few_rungs(pruner, said, edit):
    one = next(one for one in report(f"pruner={pruner}").advice if one.rule == "ORC121")

    assert said in one.fault.what
    assert one.fault.hint == edit


def test_the_edit_is_enough():
    assert "ORC121" not in rules("pruner={type: asha, min_epochs: 10, reduction_factor: 2}")
    assert "ORC121" not in rules("pruner={type: asha, min_epochs: 7, reduction_factor: 2}")


def test_the_pruner_inside_patience_is_looked_at():
    patient = "pruner={type: patient, patience: 2, pruner: {type: asha, min_epochs: 10}}"
    (one,) = report(patient).advice

    assert (one.rule, one.fault.path) == ("ORC121", "pruner.pruner.min_epochs")


@pytest.mark.parametrize(
    ("pruner", "path"),
    [
        ("{type: median, startup_trials: 60}", "pruner.startup_trials"),
        ("{type: percentile, startup_trials: 60}", "pruner.startup_trials"),
        ("{type: wilcoxon, min_epochs: 30}", "pruner.min_epochs"),
        ("{type: patient, patience: 29}", "pruner.patience"),
        ("{type: patient, patience: 2, pruner: {type: median, min_epochs: 30}}", "pruner.pruner.min_epochs"),
    ],
)
def test_a_pruner_that_cannot_prune(pruner, path):
    found = [one.fault.path for one in report(f"pruner={pruner}", "budget.epochs=null").advice if one.rule == "ORC122"]

    assert found == [path]


@pytest.mark.parametrize(
    "pruner", ["{type: median}", "{type: patient, patience: 3}", "{type: none}", "{type: wilcoxon}"]
)
def test_pruners_that_can_or_need_not(pruner):
    assert "ORC122" not in rules(f"pruner={pruner}")


def test_a_stop_rule_is_held_against_the_warm_up_too():
    late = ("config.warmup_epochs=4.5", "stop=[{type: below_untrained, after_epochs: 4}]", "pruner.min_epochs=2")
    found = {one.fault.path: one for one in report(*late).advice}

    assert found.keys() == {"pruner.min_epochs", "stop[0].after_epochs"}
    assert found["pruner.min_epochs"].fault.hint == "min_epochs: 6"
    assert "warmup_epochs lasts until epoch 4.5" in found["pruner.min_epochs"].fault.what


def test_a_searched_warm_up_counts_at_its_longest():
    assert rules("space.warmup_epochs={type: float, low: 0, high: 6}") == ["ORC123"]
    assert rules("config.warmup_epochs=3") == []


@pytest.mark.parametrize(
    "rule",
    [
        "{type: plateau, patience: 30}",
        "{type: below_untrained, after_epochs: 30}",
        "{type: max_epochs, epochs: 30}",
        "{type: target, value: 1.5}",
    ],
)
def test_stop_rules_that_never_act(rule):
    assert rules(f"stop=[{rule}]") == ["ORC124"]


def test_stop_rules_that_may_act():
    assert rules("stop=[{type: target, value: 0.9}, {type: max_epochs, epochs: 20}, {type: non_finite}]") == []


def test_a_measurement_every_few_epochs():
    assert rules("config.eval_every=3") == []
    (one,) = report("config.eval_every=6").advice
    assert (one.rule, one.fault.hint) == ("ORC125", "min_epochs: 6")
