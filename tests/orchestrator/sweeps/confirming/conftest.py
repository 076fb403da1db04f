"""A home for searches and their confirmations, with an MLflow that is down and that nobody waits for."""

import shutil

import pytest

from tests.support.home import House
from tests.support.no_mlflow import without_mlflow

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="package")
def build_house(empty_ledger):
    """A function from a folder and a monkeypatch to a house."""
    from orchestrator.sweeps import drive

    def build(folder, patch):
        without_mlflow(patch)
        patch.setattr(drive, "PATIENCE_S", 0.01)
        house = House(folder, tracking=NOWHERE)
        house.home.root.mkdir()
        shutil.copy(empty_ledger, house.home.ledger_file)
        return house

    return build


@pytest.fixture
def house(tmp_path, monkeypatch, build_house):
    """Of one test alone."""
    return build_house(tmp_path, monkeypatch)
