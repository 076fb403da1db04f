"""How classes are cut into steps."""

import pytest

from trainables.data.errors import DataError
from trainables.tasks.incremental.config import Stream
from trainables.tasks.incremental.stream import build_stream


def stream(num_classes=10, **fields):
    return build_stream(Stream.model_validate(fields), num_classes=num_classes)


@pytest.mark.parametrize(
    ("num_classes", "fields", "ends"),
    [
        (10, {"num_steps": 5}, (2, 4, 6, 8, 10)),
        (10, {"num_steps": 3}, (4, 7, 10)),
        (10, {"num_steps": 1}, (10,)),
        (100, {"num_steps": 6, "base_classes": 50}, (50, 60, 70, 80, 90, 100)),
    ],
)
def test_classes_come_in_even_steps_after_the_base(num_classes, fields, ends):
    assert stream(num_classes, **fields).ends == ends


def test_every_class_has_one_place_and_the_order_follows_the_seed():
    first, again, other = stream(), stream(), stream(class_order_seed=1)
    assert sorted(first.place_K.tolist()) == list(range(10))
    assert first.place_K.tolist() == again.place_K.tolist() != other.place_K.tolist()
    assert [list(first.classes(step)) for step in (0, 4)] == [[0, 1], [8, 9]]


@pytest.mark.parametrize(
    ("num_classes", "fields"),
    [
        (10, {"num_steps": 11}),
        (3, {"num_steps": 3}),
        (10, {"num_steps": 3, "base_classes": 9}),
        (10, {"num_steps": 2, "base_classes": 11}),
        (10, {"num_steps": 1, "base_classes": 5}),
    ],
)
def test_steps_that_do_not_fit_are_refused(num_classes, fields):
    with pytest.raises(DataError, match=f"{num_classes} classes cannot be cut"):
        stream(num_classes, **fields)
