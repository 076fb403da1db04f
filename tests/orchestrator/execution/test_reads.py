"""Which config keys were read: what counts as reading, and that a watched config is as good as a plain one."""

import copy
import pickle
from typing import Literal

import pytest
from pydantic import BaseModel

from orchestrator.execution.reads import Reads
from tests.support.quick_configs import QUICK
from tests.support.specs import toy_spec
from trainables.contract import TrialContext
from trainables.registry import load_info, load_train


class Inner(BaseModel, frozen=True):
    kind: Literal["inner"] = "inner"
    a: float = 1.0
    b: float = 2.0
    many: tuple[Literal["x", "y"], ...] = ("x",)

    def double(self):
        return 2 * self.a


class Outer(BaseModel, frozen=True):
    inner: Inner = Inner()
    c: int = 3
    table: dict[str, int] = {}


GIVEN = {"inner": {"kind": "inner", "a": 1.0, "b": 2.0}, "c": 3, "table": {"k": 1}}


def unread(use):
    reads = Reads(Outer.model_validate(GIVEN))
    use(reads.config)
    return reads.unread(GIVEN)


@pytest.mark.parametrize(
    ("use", "left"),
    [
        (lambda config: None, ("inner.a", "inner.b", "c", "table.k")),
        (lambda config: config.inner, ("inner.a", "inner.b", "c", "table.k")),
        (lambda config: config.inner.a + config.c, ("inner.b", "table.k")),
        (lambda config: config.inner.double(), ("inner.b", "c", "table.k")),
        (lambda config: config.table, ("inner.a", "inner.b", "c")),
        (lambda config: hash(config.inner), ("c", "table.k")),
        (lambda config: config.inner == Inner(), ("c", "table.k")),
        (lambda config: dict(config.inner), ("c", "table.k")),
        (lambda config: vars(config.inner), ("c", "table.k")),
        (lambda config: config.model_dump(), ()),
        (lambda config: pickle.dumps(config), ()),
        (lambda config: copy.deepcopy(config), ()),
    ],
)
def test_what_counts_as_read(use, left):
    assert unread(use) == left


def test_a_watched_config_equals_hashes_pickles_and_is_an_instance_like_a_plain_one():
    plain = Outer.model_validate({"inner": {"a": 5}})
    watched, again = Reads(plain).config, Reads(plain).config
    assert isinstance(watched, Outer)
    assert watched == plain == again
    assert hash(watched.inner) == hash(plain.inner)
    assert {plain.inner: 1}[watched.inner] == 1
    copied = pickle.loads(pickle.dumps(watched))
    assert type(copied) is Outer
    assert copied == plain
    assert watched.model_dump() == plain.model_dump()


def test_watching_leaves_the_config_and_shared_defaults_alone():
    plain = Outer()
    Reads(plain)
    assert type(plain) is Outer
    assert type(Outer().inner) is Inner


def test_a_full_trial_remembers_the_keys_that_it_did_not_read(desk):
    space = {"x": {"type": "float", "low": 0, "high": 1}, "z": {"type": "float", "low": 0, "high": 1}}
    desk.run(toy_spec(space=space, trials=1, config={"epochs": 1}))
    (record,) = desk.records()
    assert record.unread == ("z",)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_every_registered_trainable_reads_all_that_its_quick_config_sets(name):
    reads = Reads(load_info(name).config_type.model_validate(QUICK[name]))
    list(load_train(name)(reads.config, TrialContext(seed=1)))
    assert reads.unread(QUICK[name]) == ()


class Twice(BaseModel, frozen=True):
    first: Inner = Inner()
    second: Inner = first


def test_one_instance_in_two_places_is_watched_in_each():
    reads = Reads(Twice())
    assert reads.config.first.a + reads.config.second.b == 3
    assert reads.unread({"first": {"a": 1.0, "b": 2.0}, "second": {"a": 1.0, "b": 2.0}}) == ("first.b", "second.a")
