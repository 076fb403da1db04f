"""The config: what it refuses, and the margin over the epochs of a step."""

import pytest
from pydantic import ValidationError

from trainables.tasks.incremental.config import MAX_STEPS, METRICS, Config, Margin

NOTE_PHASES = [
    {"from_epoch": 0, "margin": 0.1},
    {"from_epoch": 60, "margin": 0.3},
    {"from_epoch": 120, "margin": 0.5},
    {"from_epoch": 170, "margin": 0.6},
]


ANT = {"loss_weights": {"ant": 1}}


def config(**fields):
    return Config.model_validate(fields)


def test_epochs_are_those_of_all_steps():
    assert config(epochs_per_step=7, stream={"num_steps": 3}).epochs == 21


@pytest.mark.parametrize(
    ("fields", "epoch", "expected"),
    [
        ({"kind": "fixed", "start": 0.3}, 50, 0.3),
        ({"kind": "linear"}, 0, 0.1),
        ({"kind": "linear"}, 50, 0.3),
        ({"kind": "linear", "ramp_epochs": 20, "end": 0.4}, 10, 0.25),
        # Past the ramp the margin stays: the note's formula would go on to .6 at epoch 250 of 200.
        ({"kind": "linear", "ramp_epochs": 80}, 100, 0.5),
        ({"kind": "gap_adaptive"}, 100, 0.5),
        ({"kind": "curriculum", "phases": NOTE_PHASES}, 59.9, 0.1),
        ({"kind": "curriculum", "phases": NOTE_PHASES}, 60, 0.3),
        ({"kind": "curriculum", "phases": NOTE_PHASES}, 1000, 0.6),
    ],
)
def test_the_margin_over_a_step_of_100_epochs(fields, epoch, expected):
    assert Margin.model_validate(fields).at(epoch, epochs=100) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (ANT | {"margin": {"end": 0.3}}, "end is not read when kind is fixed"),
        (ANT | {"margin": {"kind": "curriculum", "phases": NOTE_PHASES, "start": 0.1}}, "start is not read"),
        (ANT | {"margin": {"kind": "curriculum"}}, r"phases begin at \[\]"),
        (ANT | {"margin": {"kind": "curriculum", "phases": NOTE_PHASES[1:]}}, r"phases begin at \[60, 120, 170\]"),
        # The note's last phase begins at epoch 170; its incremental steps have 170 epochs.
        (
            ANT | {"margin": {"kind": "curriculum", "phases": NOTE_PHASES}, "epochs_per_step": 170},
            "from epoch 170 is never reached, epochs_per_step is 170",
        ),
        (ANT | {"ant": {"softness": 0.2}}, "softness is not read when aggregation is logsumexp"),
        (ANT | {"ant": {"aggregation": "softplus", "top": 3}}, "top is not read"),
        ({"margin": {"start": 0.2}}, "margin is not read when loss_weights.ant is 0"),
        ({"gap_target": 0.5}, "gap_target is not read when loss_weights.gap is 0"),
        ({"memory": {"per_class": 0, "choice": "random"}}, "choice is not read when per_class is 0"),
        ({"loss_weights": {"nce": 0}}, "all 0"),
        ({"optimizer": {"schedule": {"warmup_epochs": 40}}, "epochs_per_step": 8}, "must be below epochs, 40"),
        ({"stream": {"num_steps": MAX_STEPS + 1}}, "num_steps"),
        (ANT | {"hard_negative_ratio": 0}, "hard_negative_ratio"),
        ({"temperature": 10}, "temperature"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        config(**fields)


def test_a_linear_classifier_alone_may_be_trained():
    assert config(classifier="linear", loss_weights={"nce": 0}).loss_weights.gap == 0


def test_a_learning_rate_of_ones_own_still_falls():
    assert config(optimizer={"lr": 1e-3}).optimizer.schedule.end == 0.1
    assert not config(optimizer={"schedule": {"kind": "constant"}}).optimizer.schedule.moves


def test_every_task_of_the_longest_stream_has_its_metric():
    assert all(f"val/accuracy_task_{j}" in METRICS for j in range(1, MAX_STEPS + 1))
