"""Each kind of decision in words."""

import pytest

from orchestrator.cli.decisions import decision_words
from orchestrator.study.decisions import Decision, Spared


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision(3, 1, 0.25, 0.5, 4, 6, True), "epoch 3, rung 1: value 0.25, cutoff 0.5, rank 4 of 6: pruned"),
        (Decision(1, 0, 0.5, 0.5, 1, 1, False), "epoch 1, rung 0: value 0.5, cutoff 0.5, rank 1 of 1: goes on"),
        (
            Decision(5, None, 0.25, 0.5, 2, 2, True, p_value=0.03125),
            "epoch 5: mean 0.25, best trial's mean 0.5, p 0.03125: pruned",
        ),
        (
            Decision(4, None, 0.1, 0.3, None, 0, True, floor="val/f1"),
            "epoch 4: val/f1 never above 0.1, floor 0.3: pruned",
        ),
        (
            Decision(4, None, 0.1, 0.3, None, 0, True, epochs_without_improvement=2),
            "epoch 4: value 0.1, its best 0.3, 2 epochs without improvement: pruned",
        ),
        (
            Decision(3, 1, 0.25, 0.5, 4, 6, False, epochs_without_improvement=0, spared=Spared.IMPROVING),
            "epoch 3, rung 1: value 0.25, cutoff 0.5, rank 4 of 6, 0 epochs without improvement: "
            "spared, it still improves",
        ),
        (
            Decision(3, None, 0.25, 0.5, 4, 6, False, standard_error=0.25, spared=Spared.STANDARD_ERROR),
            "epoch 3: value 0.25, cutoff 0.5, rank 4 of 6, standard error 0.25: spared, within its own standard error",
        ),
    ],
)
def test_a_decision_in_words(decision, words):
    assert decision_words(decision.to_json()) == words
