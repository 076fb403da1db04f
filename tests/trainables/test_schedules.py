"""Values over the epochs, and the rule that a key which is not read is an error."""

import math

import pytest
from pydantic import ValidationError

from trainables.schedules import LearningRateSchedule, MarginSchedule, StrictModel, Temperature, check_warmups


@pytest.mark.parametrize(
    ("fields", "epoch", "value"),
    [
        ({"start": 0.3}, 7, 0.3),
        ({"kind": "linear", "start": 0.0, "end": 0.6}, 0, 0.0),
        ({"kind": "linear", "start": 0.0, "end": 0.6}, 5, 0.3),
        ({"kind": "linear", "start": 0.0, "end": 0.6}, 10, 0.6),
        ({"kind": "linear", "start": 0.0, "end": 0.6}, 12, 0.6),
        ({"kind": "linear", "start": 0.6, "end": 0.2}, 2.5, 0.5),
        ({"kind": "cosine", "start": 1.0, "end": 0.0}, 0, 1.0),
        ({"kind": "cosine", "start": 1.0, "end": 0.0}, 5, 0.5),
        ({"kind": "cosine", "start": 1.0, "end": 0.0}, 2.5, (1 + math.cos(math.pi / 4)) / 2),
        ({"kind": "cosine", "start": 1.0, "end": 0.0}, 10, 0.0),
        ({"kind": "linear", "start": 0.1, "end": 0.5, "warmup_epochs": 2}, 2, 0.1),
        ({"kind": "linear", "start": 0.1, "end": 0.5, "warmup_epochs": 2}, 6, 0.3),
        ({"kind": "linear", "start": 0.1, "end": 0.5, "warmup_epochs": 2}, 10, 0.5),
    ],
)
def test_value_after_some_of_ten_epochs(fields, epoch, value):
    assert MarginSchedule.model_validate(fields).at(epoch, epochs=10) == pytest.approx(value)


@pytest.mark.parametrize(
    ("fields", "epoch", "value"),
    [
        ({"warmup_epochs": 2}, 0, 0.0),
        ({"warmup_epochs": 2}, 1, 0.5),
        ({"warmup_epochs": 2}, 2, 1.0),
        ({"warmup_epochs": 2, "kind": "linear", "end": 0.0}, 1, 0.5),
        ({"warmup_epochs": 2, "kind": "linear", "end": 0.0}, 6, 0.5),
        ({"warmup_epochs": 2, "kind": "cosine", "end": 0.0}, 10, 0.0),
    ],
)
def test_learning_rate_rises_before_it_falls(fields, epoch, value):
    assert LearningRateSchedule.model_validate(fields).at(epoch, epochs=10) == pytest.approx(value)


def test_start_alone_is_enough_for_a_temperature():
    assert Temperature.model_validate({"start": 0.07}).at(3, epochs=10) == 0.07


@pytest.mark.parametrize(
    ("schedule", "fields", "message"),
    [
        (MarginSchedule, {"end": 0.3}, "end is not read when kind is constant"),
        (MarginSchedule, {"kind": "constant", "end": 0.3}, "end is not read when kind is constant"),
        (MarginSchedule, {"warmup_epochs": 1}, "warmup_epochs is not read"),
        (MarginSchedule, {"kind": "linear"}, "end is missing"),
        (MarginSchedule, {"kind": "cosine", "start": 0.1}, "end is missing"),
        (MarginSchedule, {"kind": "linear", "end": 2.0}, "less than 2"),
        (MarginSchedule, {"start": -0.1}, "greater than or equal to 0"),
        (MarginSchedule, {"kind": "learned"}, "'constant', 'linear' or 'cosine'"),
        (MarginSchedule, {"strat": 0.1}, "Extra inputs"),
        (Temperature, {"start": 0.0}, "greater than 0"),
        (Temperature, {"start": 101}, "less than or equal to 100"),
        (Temperature, {"start": math.nan}, "finite"),
        (Temperature, {"kind": "learned", "start": 10.0}, "within"),
        (Temperature, {"kind": "learned", "end": 0.5}, "end is not read when kind is learned"),
        (LearningRateSchedule, {"end": 0.5}, "end is not read"),
    ],
)
def test_refuses(schedule, fields, message):
    with pytest.raises(ValidationError, match=message):
        schedule.model_validate(fields)


def test_high_temperatures_of_note_002_can_be_expressed():
    assert Temperature.model_validate({"kind": "linear", "start": 20, "end": 5}).at(5, epochs=10) == 12.5


@pytest.mark.parametrize("fields", [{}, {"start": 0.5}, {"kind": "linear", "end": 0.1}, {"kind": "learned"}])
def test_a_dump_holds_what_is_read_and_can_be_validated_again(fields):
    temperature = Temperature.model_validate(fields)
    dump = temperature.model_dump(mode="json")
    assert ("end" in dump) == temperature.moves
    assert Temperature.model_validate(dump) == temperature


def test_models_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Temperature().start = 1.0


def test_a_strict_model_reads_everything_by_default():
    assert StrictModel().unread() == {}


def test_a_warmup_that_outlasts_the_trial_is_named():
    schedules = {"optimizer.schedule": LearningRateSchedule(warmup_epochs=3)}
    check_warmups(schedules, epochs=4)
    with pytest.raises(ValueError, match=r"optimizer\.schedule\.warmup_epochs is 3: it must be below epochs, 3"):
        check_warmups(schedules, epochs=3)
