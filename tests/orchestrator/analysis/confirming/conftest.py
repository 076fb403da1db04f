"""Candidates and runs for the statistics of a confirmation."""

import numpy as np
import pytest

from orchestrator.analysis.confirming import Candidate, Run
from orchestrator.spec.model import Direction, Objective


@pytest.fixture
def objective():
    return Objective(metric="val/recall_at_1", direction=Direction.MAXIMIZE)


@pytest.fixture
def candidates():
    return [Candidate("default", default=True), Candidate("trial 4", 0.9), Candidate("trial 7", 0.8)]


@pytest.fixture
def runs_of():
    """Runs with `means` of a candidate on val plus noise of standard deviation `sd`, for `seeds` seeds."""

    def build(means, *, seeds=10, sd=0.01, draw=0):
        rng = np.random.default_rng(draw)
        return [Run(name, seed, mean + sd * rng.normal()) for name, mean in means.items() for seed in range(seeds)]

    return build
