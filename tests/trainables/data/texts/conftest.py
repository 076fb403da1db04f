"""Where the real tweets are, for those who have them."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_tweets():
    root = Path(__file__).parents[4]
    folder = Path(os.environ.get("ORCH_REAL_DATA", root.parent / "shared" / "data")) / "hate-speech"
    if not (folder / "labeled_data.csv").is_file():
        pytest.skip(f"no real data: {folder} has no labeled_data.csv")
    return str(folder)
