"""Trials of a sweep drafted anew."""

import pytest

from orchestrator.study.redrafting import Redraft, redrafted
from tests.support.specs import toy_spec

SAMPLERS = [
    {"type": "random"},
    {"type": "tpe", "startup_trials": 3},
    {"type": "cmaes", "startup_trials": 3},
    {"type": "nsga2", "population": 3},
    {"type": "qmc"},
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler["type"])
def test_they_are_what_was_tried(desk, sampler):
    desk.run(toy_spec(trials=7, sampler=sampler, pruner={"type": "median"}))

    drafts = list(redrafted(desk.reopen()))

    assert [draft.number for draft in drafts] == list(range(7))
    assert all(draft.agrees for draft in drafts)


def test_after_an_interruption_too(desk):
    desk.run(toy_spec(trials=6), listener=lambda control, event: pause_once(control, event))
    desk.run()

    assert all(draft.agrees for draft in redrafted(desk.reopen()))
    assert len(desk.records()) == 6


def pause_once(control, event):
    if event.kind == "measured" and "trial 2 epoch 2" in event.text:
        control.request_pause("enough")


def test_kinds_count():
    assert not Redraft(0, {"a": 1}, {"a": True}).agrees
    assert not Redraft(0, {"a": 1}, None).agrees
    assert Redraft(0, {"a": 1}, {"a": 1}).agrees
