"""Successive halving in numbers."""

import pytest
from pydantic import TypeAdapter

from orchestrator.spec import Pruner
from orchestrator.sweeps.lint.generic.halving import halving_of, least_epochs, rung_epochs


def pruner(**data):
    return TypeAdapter(Pruner).validate_python(data)


@pytest.mark.parametrize(
    ("first", "factor", "epochs", "rungs"),
    [(2, 3, 10, (2, 6)), (16, 3, 40, (16,)), (2, 3, 6, (2,)), (1, 2, 8, (1, 2, 4)), (5, 2, 5, ())],
)
def test_rungs(first, factor, epochs, rungs):
    assert rung_epochs(pruner(type="asha", min_epochs=first, reduction_factor=factor), epochs) == rungs


def test_epochs_of_a_trial_on_the_average():
    # All to 2, a third to 6, a ninth to 10.
    assert least_epochs(pruner(type="asha", min_epochs=2), 10) == pytest.approx(2 + 4 / 3 + 4 / 9)
    assert least_epochs(pruner(type="none"), 10) == 10
    assert least_epochs(pruner(type="median", min_epochs=3), 10) == 3


def test_patience_hides_no_halving():
    assert halving_of(pruner(type="patient", patience=1, pruner={"type": "asha"})) is not None
    assert halving_of(pruner(type="patient", patience=1)) is None
