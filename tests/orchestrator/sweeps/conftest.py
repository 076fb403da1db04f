"""A home for whole sweeps, with an MLflow that is down."""

import pytest

from tests.support.home import House


@pytest.fixture
def house(tmp_path, monkeypatch, empty_ledger):
    from orchestrator.tracking import shipper

    def no_store(*_):
        raise ConnectionError("no store here")

    monkeypatch.setattr(shipper, "connect", no_store)
    return House(tmp_path)
