"""What a sweep left behind."""

from contextlib import closing
from dataclasses import replace

from orchestrator.execution.clock import Clock
from orchestrator.study import Storage
from orchestrator.sweeps.lock import _claim
from orchestrator.sweeps.verifying import gathering
from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.repair import repair
from orchestrator.sweeps.verifying.report import CheckId, Health
from orchestrator.sweeps.verifying.workers import Worker
from orchestrator.tracking.operations import SetTags
from orchestrator.tracking.outbox import Outbox
from tests.support.verified import LEDGER_ONLY


def test_half_written_checkpoints_and_ray_tunes_folder(patient):
    half = patient.paths.checkpoints / "trial-0000" / ".step-000009.77.new"
    half.mkdir()
    patient.paths.tune.mkdir()

    violations = patient.violations(CheckId.LEFTOVERS)

    assert [v.seen for v in violations] == [str(half), str(patient.paths.tune)]
    assert all(v.repairable for v in violations)


def test_a_worker_without_a_driver(patient, monkeypatch):
    monkeypatch.setattr(gathering, "workers_left", lambda sweep_id: [Worker(77, f"ray::orch-{sweep_id}")])

    (violation,) = patient.violations(CheckId.PROCESSES)

    assert violation.seen.startswith("77 ray::orch-")
    assert violation.advice == "kill 77"


def test_what_mlflow_has_refused(patient):
    with closing(Outbox(patient.paths.outbox)) as outbox:
        outbox.append([SetTags(number=1, tags={"a": "b"})], at_ms=0)
        outbox.reject(outbox.pending(1)[0], "too long")

    (violation,) = patient.violations(CheckId.OUTBOX)

    assert violation.seen == 1


def test_what_waits_for_mlflow_is_said(patient):
    with closing(Outbox(patient.paths.outbox)) as outbox:
        outbox.append([SetTags(number=1, tags={"a": "b"})], at_ms=0)

    outcome = patient.verify(LEDGER_ONLY).outcomes[CheckId.OUTBOX]

    assert (outcome.health, outcome.note) == (Health.OK, "1 operations wait for MLflow: orch sync toy-1")


def test_secrets_in_ledger_files_and_mlflow(patient):
    (patient.paths.folder / "note.txt").write_text("hunter2hunter2")
    with patient.ledger() as db:
        db.execute(
            "UPDATE study_user_attributes SET value_json = json_set(value_json, '$.tracking_uri', 'http://a:b@c') "
            "WHERE key = 'orch:progress'"
        )
    with patient.mlflow() as store:
        store.execute("UPDATE params SET value = 'hunter2hunter2' WHERE key = 'mode'")

    scope = Scope(replay=False, environment={"MY_TOKEN": "hunter2hunter2"})
    violations = patient.violations(CheckId.SECRETS, scope)

    assert {v.seen.split(",")[0].split("/")[-1] for v in violations} == {"the ledger", "MLflow", "note.txt"}
    assert "hunter2" not in str([v.to_json() for v in violations])


def test_the_claim_of_a_dead_driver_is_found_and_removed(patient):
    with closing(Storage(patient.home.ledger_url)) as storage, closing(storage.leases()) as leases:
        dead = replace(_claim(storage.find("toy-1").id, now_ms=0), boot_id="an earlier boot")
        assert leases.take(dead, replacing=None)

    (violation,) = patient.violations(CheckId.CLAIM)
    repaired = repair(patient.home, "toy-1", LEDGER_ONLY, clock=Clock())

    assert violation.seen == dead.words
    assert repaired.done == [f"remove the claim of {dead.words}"]
    assert not patient.violations(CheckId.CLAIM)
