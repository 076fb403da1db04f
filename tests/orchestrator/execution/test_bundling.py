"""Which trials go to a worker together, and how many."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.execution.assignment import Assignment
from orchestrator.execution.bundling import Bundler, kind_of
from tests.support.specs import toy_spec
from trainables.contract import Fusing
from trainables.registry import TrainableInfo, load_info

SMALL = {"epochs": 2, "clip": {"optimizer": {"lr": 1e-3}}}


def assignment(number=0, *, trainable="adapter", config=SMALL, **fields):
    given = {"attempt": 1, "objective": toy_spec().objective, "seeds": (0,), "checkpoints": Path("c"), **fields}
    return Assignment(number=number, trainable=trainable, config=config, **given)


def with_lr(lr, **sections):
    return {**SMALL, "clip": {"optimizer": {"lr": lr}}, **sections}


class Desk:
    """A control that hands out what it was given."""

    def __init__(self, *assignments, fuse=3, trainable="adapter"):
        self.spec = SimpleNamespace(trainable=trainable, execution=SimpleNamespace(fuse=fuse))
        self.left, self.said = deque(assignments), []

    def next(self):
        return self.left.popleft() if self.left else None

    def say(self, text):
        self.said.append(text)


def numbers(bundle):
    return [a.number for a in bundle]


def test_what_differs_in_numbers_alone_goes_together():
    desk = Desk(*(assignment(n, config=with_lr(10 ** -(n + 1))) for n in range(5)))
    bundler = Bundler(desk)
    assert [numbers(bundler.next()) for _ in range(3)] == [[0, 1, 2], [3, 4], []]


def test_other_shapes_wait_for_company_and_are_not_forgotten():
    sizes = [16, 8, 16, 8, 16, 32]
    desk = Desk(*(assignment(n, config=with_lr(1e-3, batch_size=size)) for n, size in enumerate(sizes)))
    bundler = Bundler(desk)
    assert [numbers(bundler.next()) for _ in range(4)] == [[0, 2, 4], [1, 3], [5], []]


def test_not_too_many_are_asked_for_in_advance():
    desk = Desk(*(assignment(n, config=with_lr(1e-3, batch_size=n + 1)) for n in range(20)))
    assert numbers(Bundler(desk).next()) == [0]
    assert len(desk.left) == 20 - 6


def test_what_waits_is_released_once():
    desk = Desk(*(assignment(n, config=with_lr(1e-3, batch_size=16 + n % 2)) for n in range(3)), fuse=2)
    bundler = Bundler(desk)
    assert numbers(bundler.next()) == [0, 2]
    assert numbers(bundler.release()) == [1]
    assert bundler.release() == []


def test_without_fusing_each_goes_by_itself_and_nothing_is_looked_at():
    desk = Desk(assignment(0, trainable="no_such"), assignment(1, trainable="no_such"), fuse="off", trainable="no_such")
    bundler = Bundler(desk)
    assert [numbers(bundler.next()) for _ in range(3)] == [[0], [1], []]


def test_why_trials_are_not_fused_is_said_once():
    config = {"negative_mining": "hard", "loss": "contrastive"}
    desk = Desk(
        *(assignment(n, trainable="identification", config=config) for n in range(3)), trainable="identification"
    )
    bundler = Bundler(desk)
    assert [numbers(bundler.next()) for _ in range(3)] == [[0], [1], [2]]
    (said,) = desk.said
    assert said.startswith("not fused: negatives are mined")


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ({"config": with_lr(5e-3)}, True),
        ({"config": with_lr(1e-3, max_grad_norm=9.0)}, True),
        ({"config": with_lr(1e-3, epochs=3)}, False),
        ({"seeds": (1,)}, False),
        ({"last_step": 4}, False),
        ({"config": {**SMALL, "clip": {"loss": {"contrastive_weight": 0.5}}}}, False),
    ],
)
def test_what_fits_together(other, fits):
    info = load_info("adapter")
    assert (kind_of(assignment(), info)[0] == kind_of(assignment(1, **other), info)[0]) is fits


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"seeds": (0, 1)}, "several seeds"), ({"until": 3}, "another one's checkpoint")],
)
def test_what_fits_nobody(fields, why):
    kind, said = kind_of(assignment(**fields), load_info("adapter"))
    assert kind is None
    assert why in said


def test_weights_of_zero_keep_to_themselves():
    info = TrainableInfo("adapter", load_info("adapter").config_type, None, fusing=Fusing((), weights=("*_weight",)))
    kinds = [
        kind_of(assignment(config={"clip": {"loss": {"contrastive_weight": w, "regression_weight": 1.0}}}), info)[0]
        for w in (0.1, 0.2)
    ]
    assert kinds[0] == kinds[1]


def test_assignments_are_not_changed():
    one = assignment(0, config=with_lr(1e-3))
    assert Bundler(Desk(one, replace(one, number=1))).next()[0] is one
