"""Rules about what a trial does not live to see."""

import pytest

from tests.support.questions import own, said, shipped


@pytest.mark.parametrize(("min_epochs", "found"), [(2, 1), (3, 1), (4, 0)])
def test_pruned_before_the_peak(min_epochs, found):
    peak = "config.optimizer.schedule.peak_at=0.5"
    hits = said(shipped("toxicity", peak, f"pruner.min_epochs={min_epochs}"), "ORC241")

    assert len(hits) == found
    assert all(f"compared at epoch {min_epochs}, but" in hit and "until epoch 4 of 8" in hit for hit in hits)


def test_the_shipped_cycle_has_peaked_when_trials_are_compared():
    assert said(shipped("toxicity"), "ORC241") == []


def test_a_cycle_without_pruning_is_never_cut():
    assert said(own({"rate": (1e-4, 1e-2)}, config={"peak": 5}), "ORC241") == []


def test_a_cycle_that_a_rule_cuts_off():
    stop = [{"type": "max_epochs", "epochs": 6}]
    (hit,) = said(own({"rate": (1e-4, 1e-2)}, config={"peak": 5}, stop=stop), "ORC241")

    assert "stop[0].epochs: every trial stops after epoch 6: one cycle of 10 epochs never comes down" in hit


def test_a_ramp_that_is_longer_than_a_step():
    ramp = "space.margin.ramp_epochs={type: float, low: 4, high: 120, when: {margin.kind: [linear, gap_adaptive]}}"
    (hit,) = said(shipped("incremental", ramp), "ORC242")

    assert "the margin reaches its end at 120 epochs: training has 8" in hit
    enough = ramp.replace("120", "8")
    assert said(shipped("incremental", enough), "ORC242") == []


@pytest.mark.parametrize(("begins", "found"), [(8, 1), (7, 0)])
def test_a_stage_that_never_begins(begins, found):
    space = "space={margin.start: {type: float, low: 0.1, high: 0.6}}"
    stages = f"config.curriculum=[{{negative: random}}, {{from_epoch: {begins}, negative: hard}}]"

    question = shipped("identification_note001", space, stages, "sampler={type: random}")

    assert len(said(question, "ORC242")) == found


def test_a_memory_that_is_never_warm():
    memory = ("config.memory_size=256", "config.memory_warmup_steps={}")
    late, early = ([memory[0], memory[1].format(steps)] for steps in (200, 199))

    assert "at 201 steps: training has 200" in said(shipped("identification", *late), "ORC242")[0]
    assert said(shipped("identification", *early), "ORC242") == []
