"""Confirmations in real processes: killed while they train and while they read test, in a real MLflow, on Ray."""

import pytest

from tests.support.commands import Orch, diary_lines, wait_for
from tests.support.confirming import CONFIRMABLE, SPACE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(290), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
CONFIRM = {"top": 2, "seeds": 4}
DECIDING = ("verdict", "candidates", "expected_drop")


def file(orch, **config):
    return orch.file(trainable=CONFIRMABLE, space=SPACE, trials=4, config=config, confirm=CONFIRM)


def runs(orch):
    """Sweep and trial number (None for a sweep's own run) to the MLflow run."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{orch.home / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("orch").experiment_id], max_results=1000)
    return client, {(run.data.tags["orch.sweep"], run.data.tags.get("orch.trial")): run for run in found}


def test_a_sweep_ends_with_its_confirmation_and_mlflow_shows_it_below_the_search(orch):
    done = orch.run("sweep", file(orch), "--runner", "local", "--json")
    assert done.code == 0, done.err
    report = done.json["confirmation"]["report"]
    assert report["verdict"]["outcome"] == "winner"
    assert report["verdict"]["sentence"] in done.err
    client, found = runs(orch)
    search, confirmation = found["toy-1", None], found["toy-1-confirm-1", None]
    assert confirmation.data.tags["mlflow.parentRunId"] == search.info.run_id
    assert confirmation.data.tags["orch.confirms"] == "toy-1"
    trained = [run for (sweep, trial), run in found.items() if sweep == "toy-1-confirm-1" and trial is not None]
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} == {confirmation.info.run_id}
    assert len(trained) == report["costs"]["trainings"]
    on_test = [run for run in trained if "test/score" in run.data.metrics]
    assert len(on_test) == sum(c["test"]["num_seeds"] for c in report["candidates"] if c["test"])
    for run in (search, confirmation):
        assert run.data.tags["orch.verdict"] == "winner"
        assert run.data.tags["orch.verdict_text"] == report["verdict"]["sentence"]
    assert confirmation.data.metrics["confirmed/default/test/score"] == pytest.approx(
        next(c["test"]["mean"] for c in report["candidates"] if c["is_reference"])
    )
    shipped = {artifact.path for artifact in client.list_artifacts(confirmation.info.run_id, "report")}
    assert {"report/confirmation.html", "report/confirmation.json"} <= shipped
    assert {run.info.status for run in found.values()} == {"FINISHED"}


def test_killed_while_it_trains_and_while_it_reads_test_it_comes_to_the_same_report(orch, tmp_path):
    (tmp_path / "straight").mkdir()
    straight = Orch(tmp_path / "straight")
    expected = straight.run("sweep", file(straight), "--runner", "local", "--json").json["confirmation"]["report"]
    straight.close()

    diary = tmp_path / "diary.txt"
    trains = file(orch, epoch_s=0.15, kills_test=True, diary=str(diary))
    process = orch.start("sweep", trains, "--runner", "local", "--quiet")
    wait_for(lambda: len(orch.records("toy-1-confirm-1")) > 3, what="a few trainings of the confirmation")
    process.kill()
    orch.end(process)
    assert orch.run("show", "toy-1").out.count("toy-1-confirm-1 is not finished") == 1
    killed = orch.run("resume", "toy-1-confirm-1", "--runner", "local", "--quiet")
    assert killed.code == -9, "the second read of test kills the process"
    assert len(diary_lines(diary)) == 2
    done = orch.run("confirm", "toy-1", "--runner", "local", "--json")
    assert done.code == 0, done.err
    report = done.json["report"]
    assert [report[part] for part in DECIDING] == [expected[part] for part in DECIDING]
    assert [read["finished"] for read in report["reads"]] == [False, True]
    assert len(set(diary_lines(diary))) == len(diary_lines(diary)) - 1, "only what was not stored is read again"
    again = orch.run("confirm", "toy-1", "--runner", "local")
    assert again.code == 2
    assert "test has been read 2 times before" in again.err


@pytest.mark.ray
def test_on_ray_with_two_workers(orch):
    resources = {"cpu": 1, "gpu": 0.0, "max_concurrent": 2, "checkpoint_interval_s": 0.0}
    sections = {"trainable": CONFIRMABLE, "space": SPACE, "trials": 4, "resources": resources}
    done = orch.run("sweep", orch.file(**sections, confirm=CONFIRM), "--json", timeout=240)
    assert done.code == 0, done.err
    report = done.json["confirmation"]["report"]
    assert report["verdict"]["outcome"] == "winner"
    by_label = {candidate["label"]: candidate for candidate in report["candidates"]}
    assert by_label["default"]["seeds"] == sorted(by_label["default"]["seeds"])
    assert set(by_label["default"]["seeds"]) == set(by_label[report["verdict"]["names"][0]]["seeds"])
