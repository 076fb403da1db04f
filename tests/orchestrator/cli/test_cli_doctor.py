"""`orch doctor`: a table, JSON, and exit 3 when something is broken."""

from tests.orchestrator.cli.conftest import NOWHERE, listing


def test_a_healthy_machine(folder, orch):
    before = listing(folder)
    answer = orch("doctor")

    assert answer.code == 0
    for name in ("packages", "processors", "disk", "ledger", "MLflow"):
        assert name in answer.out
    assert "none yet" in answer.out
    assert listing(folder) == before


def test_as_json(finished, orch):
    checks = orch("doctor", "--json").json

    assert {check["name"] for check in checks} >= {"packages", "processors", "disk", "ledger", "MLflow"}
    assert "1 sweep" in next(check["text"] for check in checks if check["name"] == "ledger")


def test_an_mlflow_that_is_down_is_a_warning_only(folder, orch):
    answer = orch("doctor", "--tracking-uri", NOWHERE)

    assert answer.code == 0
    assert "does not answer" in answer.out


def test_a_broken_ledger_and_a_missing_cluster_are_3(folder, orch):
    for option in (("--ledger", "nonsense"), ("--address", "127.0.0.1:9"), ("--address", "nonsense")):
        answer = orch("doctor", *option)
        assert answer.code == 3
        assert "broken" in answer.out
