"""When a trial can first be pruned."""

import pytest

from orchestrator.sweeps.lint.grace import grace_of
from tests.support.specs import toy_spec


@pytest.mark.parametrize(
    ("pruner", "epoch"),
    [
        ({"type": "asha", "min_epochs": 2}, 2),
        ({"type": "median", "min_epochs": 0}, 1),
        ({"type": "none"}, None),
        ({"type": "patient", "patience": 3, "pruner": {"type": "asha", "min_epochs": 5}}, 5),
        ({"type": "patient", "patience": 7, "pruner": {"type": "asha", "min_epochs": 5}}, 8),
        ({"type": "patient", "patience": 3}, 4),
    ],
)
def test_the_grace_of(pruner, epoch):
    assert grace_of(toy_spec(pruner=pruner).pruner) == epoch
