"""From a spec to a pruner."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.spec import HyperbandPruner
from orchestrator.study.pruning import build_pruner


def test_hyperband_needs_to_know_the_longest_trial():
    with pytest.raises(UsageError, match="set max_epochs"):
        build_pruner(HyperbandPruner(type="hyperband"), max_epochs=None)
    build_pruner(HyperbandPruner(type="hyperband", max_epochs=9), max_epochs=None)
    build_pruner(HyperbandPruner(type="hyperband"), max_epochs=9)
