"""Repairs: what was planted is mended, and the sweep is sound again."""

import shutil

import pytest

from orchestrator.errors import LockedError
from orchestrator.execution.clock import Clock
from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.repair import repair
from orchestrator.sweeps.verifying.report import CheckId
from tests.support.home import driven
from tests.support.verified import LEDGER_ONLY, NAME, copy_run


def mend(patient, scope=LEDGER_ONLY, **options):
    return repair(patient.home, NAME, scope, clock=Clock(), **options)


def test_nothing_to_do(patient):
    repaired = mend(patient)

    assert repaired.done == []
    assert repaired.verification.is_sound


def test_a_stored_ending_is_told(patient):
    with patient.ledger() as db:
        before = db.execute("SELECT * FROM trial_values ORDER BY trial_id").fetchall()
        db.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 5")
        db.execute("DELETE FROM trial_values WHERE trial_id = (SELECT trial_id FROM trials WHERE number = 5)")

    repaired = mend(patient)

    assert repaired.done == ["tell the sampler the stored ending of trial 5"]
    assert repaired.verification.is_sound, repaired.verification.to_json()
    with patient.ledger() as db:
        after = db.execute("SELECT * FROM trial_values ORDER BY trial_id").fetchall()
    assert [row[1:] for row in after] == [row[1:] for row in before]


def test_a_damaged_checkpoint_and_what_is_left_over_go(patient):
    best = patient.verify(LEDGER_ONLY).outcomes[CheckId.BEST_CHECKPOINT].note.split()
    folder = patient.paths.checkpoints / f"trial-{int(best[1]):04d}"
    damaged = next(path for path in sorted(folder.glob("step-*")) if path.name != f"step-{int(best[3]):06d}")
    (damaged / "manifest.json").write_text("{")
    patient.paths.tune.mkdir()

    repaired = mend(patient)

    assert repaired.done == [f"remove {damaged}", f"remove {patient.paths.tune}"]
    assert repaired.verification.is_sound
    assert not damaged.exists()
    assert (folder / f"step-{int(best[3]):06d}").is_dir()


def test_a_dry_run_changes_nothing(patient):
    patient.paths.tune.mkdir()

    repaired = mend(patient, dry_run=True)

    assert repaired.done == [f"remove {patient.paths.tune}"]
    assert patient.paths.tune.exists()
    assert repaired.verification.broken == [CheckId.LEFTOVERS]


def test_what_cannot_be_mended_is_said(patient):
    shutil.rmtree(patient.paths.checkpoints / "trial-0000")
    with patient.ledger() as db:
        db.execute("UPDATE trial_values SET value = 0.5")

    repaired = mend(patient)

    assert repaired.done == []
    assert CheckId.OBJECTIVE_VALUES in repaired.verification.broken
    assert all(v.advice for v in repaired.verification.violations if not v.repairable)


def test_not_while_it_is_driven(patient):
    with driven(patient.home), pytest.raises(LockedError, match="orch stop toy-1"):
        mend(patient)


def test_mlflow_is_mended(patient):
    second, stray = copy_run(patient, patient.run_of(2)), copy_run(patient, patient.run_of(3), trial="9")
    with patient.mlflow() as store:
        store.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (patient.run_of(4),))
        store.execute("UPDATE runs SET status = 'RUNNING' WHERE run_uuid = ?", (patient.run_of(0),))
        store.execute("DELETE FROM metrics WHERE run_uuid = ? AND step = 1", (patient.run_of(0),))
        moved = "UPDATE tags SET value = 'other' WHERE key = 'mlflow.parentRunId' AND run_uuid = ?"
        store.execute(moved, (patient.run_of(5),))
    with patient.ledger() as db:
        db.execute("DELETE FROM study_user_attributes WHERE key = 'orch:run:1'")

    repaired = mend(patient, Scope(replay=False))

    assert repaired.verification.is_sound, repaired.verification.to_json()
    assert any(second in line for line in repaired.done)
    assert any(stray in line for line in repaired.done)
    assert repaired.done[-1] == "tell MLflow everything again, and note its runs in the ledger"


def test_an_mlflow_that_has_forgotten_everything(patient):
    for file in patient.home.root.glob("mlflow.db*"):
        file.unlink()
    shutil.copy(patient.home.root / "ledger.db", patient.home.root / "before.db")
    make_empty_store(patient)

    repaired = mend(patient, Scope(replay=False))

    assert repaired.verification.is_sound, repaired.verification.to_json()


def make_empty_store(patient):
    from orchestrator.tracking.store import configure

    configure()
    from mlflow.tracking import MlflowClient

    MlflowClient(tracking_uri=patient.home.tracking_uri).search_experiments()
