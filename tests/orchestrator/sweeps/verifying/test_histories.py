"""Points and values in MLflow that are not the ledger's."""

import pytest

from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.report import CheckId

MLFLOW = Scope(replay=False)
POINT = "run_uuid = ? AND key = 'val/score' AND step = 2"


def test_a_point_that_is_missing(patient):
    with patient.mlflow() as store:
        store.execute(f"DELETE FROM metrics WHERE {POINT}", (patient.run_of(0),))

    (violation,) = patient.violations(CheckId.MLFLOW_HISTORIES, MLFLOW)

    assert (violation.trial, violation.expected, violation.repairable) == (0, [2], True)
    assert "val/score" in violation.what


def test_another_value(patient):
    with patient.mlflow() as store:
        store.execute(f"UPDATE metrics SET value = value + 1e-12 WHERE {POINT}", (patient.run_of(0),))

    (violation,) = patient.violations(CheckId.MLFLOW_HISTORIES, MLFLOW)

    assert violation.trial == 0
    assert violation.seen == pytest.approx(violation.expected, abs=1e-11)


@pytest.mark.parametrize(("step", "words"), [(2, "several values"), (9, "steps of val/score that the ledger has not")])
def test_a_point_too_much(patient, step, words):
    with patient.mlflow() as store:
        store.execute(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
            f"SELECT key, value, timestamp + 1, run_uuid, {step}, is_nan FROM metrics WHERE {POINT}",
            (patient.run_of(0),),
        )

    (violation,) = patient.violations(CheckId.MLFLOW_HISTORIES, MLFLOW)

    assert words in violation.what
    assert "delete the run in MLflow" in violation.advice


@pytest.mark.parametrize("table", ["metrics", "tags"])
def test_another_best_value(patient, table):
    with patient.mlflow() as store:
        key, value = ("best_value", 0.5) if table == "metrics" else ("orch.value", "0.5")
        update = f"UPDATE {table} SET value = ? WHERE key = ? AND run_uuid = ?"
        store.execute(update, (value, key, patient.run_of(0)))

    (violation,) = patient.violations(CheckId.MLFLOW_VALUES, MLFLOW)

    assert violation.trial == 0
    assert str(violation.seen) == "0.5"


def test_another_best_trial(patient):
    with patient.mlflow() as store:
        store.execute("UPDATE tags SET value = '1' WHERE key = 'orch.best_trial'")

    (violation,) = patient.violations(CheckId.MLFLOW_VALUES, MLFLOW)

    assert violation.seen["orch.best_trial"] == "1"
