"""What whole sweeps need."""

import pytest

from tests.support.commands import Orch


@pytest.fixture
def orch(tmp_path):
    """The command in a folder of its own; what it starts is stopped."""
    made = Orch(tmp_path)
    yield made
    made.close()
