"""One finished sweep for all, and a copy for each test that damages it."""

import pytest

from tests.support.verified import copied, finished_sweep


@pytest.fixture(scope="session")
def sound_home(tmp_path_factory):
    return finished_sweep(tmp_path_factory.mktemp("verified"))


@pytest.fixture
def patient(sound_home, tmp_path):
    return copied(sound_home, tmp_path)
