"""A loss in its range, and its temperature."""

import pytest

from tests.support.histories import history
from trainables.health.losses import loss_pinned, loss_squeezed, temperature_out_of_range


def pinned(position, train):
    return loss_pinned(
        history(
            val_contrastive_position=[1.1, *position],
            train_contrastive_loss=[None, *train],
            val_contrastive_chance=[3.0] * (1 + len(position)),
            val_contrastive_floor=[0.0] * (1 + len(position)),
        )
    )


def test_a_loss_that_stays_at_chance_in_training_too_is_pinned():
    assert pinned([1.0, 0.995, 1.005], [3.0, 3.01, 2.99]).evidence["train/contrastive_loss"] == 2.99
    assert pinned([1.0, 0.995, 1.005], [3.0, 2.8, 2.5]) is None
    assert pinned([1.0, 0.995, 0.98], [3.0, 3.01, 2.99]) is None
    assert pinned([1.0, 1.0], [3.0, 3.0]) is None


def test_note_002s_range_at_a_temperature_of_10_is_squeezed():
    def measured(chance, floor):
        length = {"val_contrastive_position": [0.9, 0.9]}
        return history(val_contrastive_chance=[chance] * 2, val_contrastive_floor=[floor] * 2, **length)

    assert loss_squeezed(measured(2.996, 2.896)).evidence["range/chance"] == pytest.approx(0.0334, abs=1e-3)
    assert loss_squeezed(measured(2.996, 2.03)) is None
    assert loss_squeezed(measured(4.84, 4.14)) is None


@pytest.mark.parametrize(
    ("value", "config", "found"),
    [
        (0.07, {}, False),
        (1.0, {}, False),
        (10.0, {}, True),
        (0.001, {}, True),
        (0.01, {"temperature.kind": "learned"}, True),
        (0.05, {"temperature.kind": "learned"}, False),
        (None, {"temperature.start": 10.0}, True),
        (None, {}, False),
    ],
)
def test_temperatures(value, config, found):
    assert (temperature_out_of_range(history(train_temperature=[None, value], config=config)) is not None) is found
