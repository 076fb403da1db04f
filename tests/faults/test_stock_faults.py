"""The comparison with the stock stack counts what it says, and one scenario runs on both sides."""

import optuna
import pytest

from benchmarks.stock_faults import __main__ as report
from benchmarks.stock_faults.counts import Counts, Epoch, Places, Recorded, count, tear
from benchmarks.stock_faults.question import Question
from benchmarks.stock_faults.scenarios import SCENARIOS, AtMost, is_right
from benchmarks.stock_faults.toy import METRIC, score

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own, when the store is read here
EPOCHS = 2


@pytest.fixture
def question(tmp_path):
    return Question(str(tmp_path), trials=2, epochs=EPOCHS)


@pytest.fixture
def places(question):
    return Places("stock", f"sqlite:///{question.folder}/optuna.db", "stock", "trial_name")


def note(question, *epochs):
    lines = [f"{x!r} {number} {at_s} 1\n" for at_s, (x, number) in enumerate(epochs)]
    question.diary.write_text("".join(lines))


def told(places, *trials):
    study = optuna.create_study(study_name="stock", storage=places.study_url, direction="maximize")
    space = {"x": optuna.distributions.FloatDistribution(0.0, 1.0)}
    for x, value in trials:
        state = optuna.trial.TrialState.RUNNING if value is None else optuna.trial.TrialState.COMPLETE
        study.add_trial(optuna.create_trial(state=state, value=value, params={"x": x}, distributions=space))


def run(question, trial, status, steps, *, parent=None):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=question.tracking)
    found = client.get_experiment_by_name("stock")
    experiment = found.experiment_id if found else client.create_experiment("stock")
    tags = {"trial_name": trial} | ({"mlflow.parentRunId": parent} if parent else {})
    made = client.create_run(experiment, tags=tags)
    for step in steps:
        client.log_metric(made.info.run_id, METRIC, 0.5, step=step)
    if status != "RUNNING":
        client.set_terminated(made.info.run_id, status)


def test_everything_is_counted(question, places):
    note(question, (0.1, 1), (0.1, 2), (0.7, 1), (0.1, 2), (0.7, 2))
    told(places, (0.1, score(0.1, EPOCHS, epochs=EPOCHS)), (0.7, score(0.7, 1, epochs=EPOCHS)), (0.7, None))
    run(question, "a", "FINISHED", [1, 2], parent="p")
    run(question, "a", "RUNNING", [2])
    run(question, "b", "FINISHED", [1])
    before = [Epoch(0.1, 1, 0.0), Epoch(0.1, 2, 1.0), Epoch(0.7, 1, 2.0)]

    counts = count(question, places, [Recorded(0.7, ended=False)], exit_codes=["137", "0"], before=before)

    assert counts == Counts(
        exit_codes="137, 0",
        recorded=1,
        unended=1,
        lost=1,
        twice=1,
        again=1,
        after_nan=0,
        repeated=1,
        optuna_running=1,
        optuna_wrong=1,
        runs=3,
        doubled_runs=1,
        running_runs=1,
        orphan_runs=2,
        points=3,
        gap_s=1.0,
    )


def test_training_after_nan_is_counted(tmp_path, places):
    question = Question(str(tmp_path), epochs=EPOCHS, nan_above=0.6)
    note(question, (0.7, 1), (0.7, 2), (0.1, 1), (0.1, 2))
    counts = count(question, places, [], exit_codes=["0"], before=[])
    assert counts.after_nan == 1


def test_what_is_right_is_judged():
    assert is_right(2, AtMost(2))
    assert not is_right(3, AtMost(2))
    assert is_right(None, 0)
    assert is_right("anything", None)
    assert not is_right("0", "130, 0")


def test_a_torn_file_has_its_first_half(tmp_path):
    (tmp_path / "file").write_bytes(b"abcdef")
    tear(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(900)
def test_a_scenario_runs_on_both_sides():
    (nan,) = [scenario for scenario in SCENARIOS if "NaN" in scenario.title]
    columns = report.measure(nan)
    (orch,), (stock,) = columns["Orch"], columns["stock"]
    assert report._share([orch], nan) == "6 of 6"
    assert (stock.exit_codes, stock.recorded) == ("0", 12)
    assert stock.optuna_running > 0
    assert stock.after_nan > 0
    assert "| 0 | **" in report.section(nan, columns)
