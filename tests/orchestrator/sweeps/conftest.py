"""A home for whole sweeps, with an MLflow that is down."""

import pytest

from tests.support.home import House
from tests.support.no_mlflow import without_mlflow


@pytest.fixture
def house(tmp_path, monkeypatch, empty_ledger):
    without_mlflow(monkeypatch)
    return House(tmp_path)
