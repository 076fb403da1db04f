"""Rules about disk, hours and epochs."""

from dataclasses import replace

import pytest

from orchestrator.sweeps.lint.question import Facts
from tests.support.twins import FACTS, report, rules


def test_the_disk_is_counted_with_three_checkpoints_a_training():
    tight = replace(FACTS, free_bytes=60 * 3 * 2**20)
    (one,) = report(facts=tight).advice

    assert one.fault.what == "60 trainings x 3 checkpoints of 1 MiB need 180 MiB; 180 MiB are free"
    assert rules(facts=replace(FACTS, free_bytes=2 * 60 * 3 * 2**20)) == []
    assert rules("repeats=2", "budget.epochs=2000", facts=replace(FACTS, free_bytes=2 * 60 * 3 * 2**20)) == ["ORC151"]


def test_hours_at_the_speed_of_an_earlier_sweep():
    slow = replace(FACTS, epoch_s=600.0, concurrency=2)
    found = {one.fault.path: one.fault.what for one in report(facts=slow).advice}

    assert found.keys() == {"budget.wall_hours", "budget.gpu_hours"}
    assert "at the speed of sweep earlier: 2 h are enough for about" in found["budget.wall_hours"]


def test_gpu_hours_count_the_devices_of_a_trial():
    pace = replace(FACTS, epoch_s=20.0)  # about 450 epochs: 2.5 h
    assert rules("budget.wall_hours=null", facts=replace(pace, devices=0.5)) == []
    assert rules("budget.wall_hours=null", facts=replace(pace, devices=2.0)) == ["ORC152"]


@pytest.mark.parametrize("facts", [Facts(), replace(FACTS, epoch_s=None), replace(FACTS, free_bytes=None)])
def test_what_nobody_knows_is_not_judged(facts):
    assert rules("budget.wall_hours=0.001", facts=replace(facts, epoch_s=None)) == []


def test_a_budget_of_epochs():
    (one,) = report("budget.epochs=100").advice

    assert one.fault.what.startswith("60 trials need about 4")
    assert rules("budget.epochs=500") == []
