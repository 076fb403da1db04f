"""Successive halving over ordered values; `test_ledger.py` compares its decisions with Optuna's own pruner."""

import random

import pytest

from orchestrator.spec.model import Direction
from orchestrator.study.rungs import Rungs


def rungs(direction=Direction.MAXIMIZE, **options):
    return Rungs(first=1, factor=2, direction=direction, **options)


def test_who_leads_goes_beyond_several_rungs_at_once():
    ladder = rungs()
    assert ladder.climb(0, step=4, value=0.5)
    assert ladder.num_reached(0) == 3
    assert not ladder.climb(0, step=5, value=0.6), "the next rung is at epoch 8"


@pytest.mark.parametrize("direction", Direction)
def test_the_numbers_of_a_look_are_those_of_a_sorted_list(direction):
    rng, ladder, values = random.Random(0), rungs(direction), []
    for number in range(50):
        value = round(rng.random(), 1)
        values.append(value)
        ladder.climb(number, step=1, value=value)
        found = ladder.look(number, step=1)
        best_first = sorted(values, reverse=direction is Direction.MAXIMIZE)
        cutoff = best_first[max(len(values) // 2 - 1, 0)]
        assert (found.value, found.cutoff, found.num_compared) == (value, cutoff, len(values))
        assert found.rank == 1 + best_first.index(value)
        assert found.pruned == (value < cutoff if direction is Direction.MAXIMIZE else value > cutoff)


def test_brackets_compete_among_themselves_and_start_later():
    ladder = rungs(bracket=lambda number: number % 2)
    assert ladder.climb(0, step=1, value=0.9)
    assert not ladder.climb(1, step=1, value=0.1)
    ladder.climb(1, step=2, value=0.1)
    assert not ladder.look(1, step=2).pruned, "nobody else is in its bracket"


def test_what_is_recalled_in_any_order_decides_the_same():
    values = {0: [0.9, 0.9], 1: [0.2], 2: [0.5, 0.6]}
    for order in (list(values), list(reversed(values))):
        recalled = rungs()
        for number in order:
            recalled.recall(number, values[number])
        recalled.climb(3, step=1, value=0.6)
        assert recalled.look(3, step=1).rank == 2
