"""The doctor names each planted fault and leaves the healthy twin alone, on one seed that no threshold was tuned on.

It is one of those on which the doctor makes no mistake, so that a change shows; `make planted` counts the mistakes on
others.
"""

import pytest

from tests.faults.planted.measure import Outcome, Trainings, alarms, alarms_at_any_epoch, is_caught, table
from tests.faults.planted.plants import PLANTS, QUICK_TWINS, TWINS
from trainables.health import CHECKS

SEED = 11


@pytest.fixture(scope="module")
def trainings():
    return Trainings(SEED)


def _marked(twin):
    return () if twin in QUICK_TWINS else pytest.mark.slow


@pytest.mark.parametrize("twin", [pytest.param(twin, marks=_marked(twin)) for twin in TWINS])
def test_a_healthy_training_gives_no_alarm(twin, trainings):
    assert alarms_at_any_epoch(trainings.of(twin, {})) == set()


@pytest.mark.parametrize(
    "plant", [pytest.param(p, id=f"{p.check} in {p.twin} {n}", marks=_marked(p.twin)) for n, p in enumerate(PLANTS)]
)
def test_a_planted_fault_is_named(plant, trainings):
    history = trainings.of(plant.twin, plant.fault)
    assert is_caught(plant, history), alarms(history)


def test_each_check_has_a_plant():
    assert {plant.check for plant in PLANTS} == set(CHECKS)


def test_the_table_counts():
    quiet = {twin: set() for twin in TWINS}
    loud = quiet | {"adapter": {PLANTS[0].check}}
    caught = (True,) + (False,) * (len(PLANTS) - 1)
    text = table([Outcome(caught, quiet, loud), Outcome(caught, quiet, quiet)])
    first = next(line for line in text.splitlines() if line.startswith(f"| {PLANTS[0].check} "))
    assert first.endswith(f"| 2 | 0 | 0/{2 * len(TWINS)} | 1/{2 * len(TWINS)} |")
    assert f"Caught: 2 of {2 * len(PLANTS)}" in text
