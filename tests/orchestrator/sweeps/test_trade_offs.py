"""Whole sweeps with several objectives, floors and several seeds a trial: what is stored, shown and told."""

import csv
import json
import math

import pytest

from orchestrator.execution.doctor import history_of
from orchestrator.study import SweepState
from orchestrator.sweeps import read
from orchestrator.tracking.operations import LogMetrics
from orchestrator.trial import Cause, TrialState
from tests.support.specs import toy_spec

COST = {"metric": "val/cost", "direction": "minimize"}


def spec(**sections):
    config = {"epochs": 3, **sections.pop("config", {})}
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.125}}
    return toy_spec(
        **{"trainable": "tests.support.trade_offs:train", "space": space, "sampler": {"type": "grid"}, **sections},
        config=config,
    )


def test_a_sweep_with_two_objectives_shows_its_front_and_its_volume(house):
    summary = house.launch(spec(trials=6, further_objectives=[COST], floors={"val/f1": 0.3}))
    feasible = {t.number for t in summary.trials if t.params["x"] <= 1 - 0.3 / 0.875}
    assert {t.number for t in summary.front} == feasible, "each has less of one and more of the other"
    assert {t.number for t in summary.trials if t.violated} == {t.number for t in summary.trials} - feasible
    assert summary.best.number in feasible
    document = read.show(house.home, "toy-1").to_json()
    assert {point["trial"] for point in document["pareto"]["front"]} == feasible
    assert document["pareto"]["hypervolume"] > 0
    assert set(document["pareto"]["reference_point"]) == {"val/score", "val/cost"}
    json.dumps(document)
    report = house.home.sweep("id-1").report
    rows = list(csv.DictReader((report / "leaderboard.csv").read_text().splitlines()))
    assert {int(row["trial"]) for row in rows if row["pareto_front"]} == feasible
    assert {int(row["trial"]) for row in rows if row["below_floor"] == "val/f1"} == {
        t.number for t in summary.trials
    } - feasible
    page = (report / "plots.html").read_text()
    assert "Pareto-front Plot" in page
    assert "Dominated volume" in page


def test_with_one_objective_there_is_no_front(house):
    document = house.launch(spec(trials=2)).to_json()
    assert document["pareto"] is None
    assert document["trials"][0]["values"].keys() == {"val/score"}


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        ({"further_objectives": [COST]}, "the objective val/cost"),
        ({"floors": {"val/cost": 1.0}}, "the metric of a floor, val/cost"),
    ],
)
def test_a_metric_that_is_not_reported_ends_the_sweep(desk, sections, what):
    halt = desk.run(spec(trials=5, config={"without": "val/cost"}, **sections))
    assert halt.state is SweepState.FAILED
    assert f"does not report {what}; it reports" in halt.reason
    assert len(desk.records()) == 1


@pytest.mark.parametrize("sections", [{"further_objectives": [COST]}, {"floors": {"val/cost": 0.0}}])
def test_a_further_objective_or_floor_that_is_not_finite_is_a_divergence(desk, sections):
    desk.run(spec(trials=2, config={"nan_at": 2}, **sections))
    for record in desk.records():
        assert (record.state, record.ending.cause, record.epochs) == (TrialState.FAILED, Cause.DIVERGED, 2)
        assert record.ending.detail["metric"] == "val/cost"


# --- seeds

REPEATED = {"repeats": 3, "seed": 5, "config": {"noise": 0.05}}


def curve(record):
    return [(m.step, dict(m.metrics)) for m in record.measurements]


def test_each_trial_is_the_mean_of_its_seeds_which_mlflow_shows_too(desk):
    desk.run(spec(trials=2, floors={"val/f1": 0.0}, **REPEATED))
    for record in desk.records():
        assert record.seeds == (5, 6, 7)
        for measurement in record.measurements:
            metrics = measurement.metrics
            seeds = [metrics[f"val/score/seed_{seed}"] for seed in record.seeds]
            mean = sum(seeds) / 3
            assert metrics["val/score"] == pytest.approx(mean)
            error = math.sqrt(sum((value - mean) ** 2 for value in seeds) / 2 / 3)
            assert metrics["val/score/standard_error"] == pytest.approx(error)
            assert "val/f1/standard_error" in metrics
    shipped = {name for operation in desk.said() if isinstance(operation, LogMetrics) for name in operation.metrics}
    assert {"val/score", "val/score/seed_5", "val/score/seed_7", "val/score/standard_error"} <= shipped


def test_a_sweep_of_several_seeds_that_was_paused_goes_on_exactly(desk, tmp_path, monkeypatch):
    whole_spec = spec(trials=2, pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 2}, **REPEATED)

    def pause(control, event):
        if event.kind == "measured" and "epoch 1 " in event.text:
            control.request_pause("test")

    assert desk.run(whole_spec, listener=pause).state is SweepState.PAUSED
    assert desk.run().state is SweepState.COMPLETE
    paused = [curve(record) for record in desk.records()]
    desk.url = f"sqlite:///{tmp_path / 'other.db'}"
    desk.checkpoints = tmp_path / "others"
    assert desk.run(whole_spec).state is SweepState.COMPLETE
    assert [curve(record) for record in desk.records()] == paused


def test_the_doctor_sees_the_means_alone(desk):
    desk.run(spec(trials=1, **REPEATED))
    (record,) = desk.records()
    history = history_of(desk.reopen().sweep, record.params, record.measurements)
    assert set(history.measurements[0].metrics) == {"val/score", "val/cost", "val/f1"}
