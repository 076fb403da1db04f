import json

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.tracking.delta import batches, fold, mlflow_name
from orchestrator.tracking.operations import EndTrial, LogMetrics, LogText, SetTags, StartTrial
from orchestrator.trial import RunStatus


def start(**tags):
    return StartTrial(number=0, name="t", params={"lr": "0.1"}, tags=tags, start_ms=1)


def end(**tags):
    return EndTrial(number=0, status=RunStatus.KILLED, end_ms=9, tags=tags)


def test_all_metrics_are_kept_and_the_last_tag_wins():
    logged = [LogMetrics(number=0, step=i, metrics={"x": i, "y": i}, at_ms=i) for i in range(3)]
    delta = fold([start(state="RUNNING"), *logged, SetTags(number=0, tags={"a": "1"}), end(state="PRUNED")])
    assert len(delta.points) == 6
    assert delta.tags == {"state": "PRUNED", "a": "1"}
    assert (delta.status, delta.end_ms) == (RunStatus.KILLED, 9)


def test_a_start_after_an_end_is_running_again():
    delta = fold([start(), end(), start()])
    assert (delta.status, delta.end_ms) == (RunStatus.RUNNING, None)


def test_metrics_alone_leave_the_status():
    delta = fold([LogMetrics(number=0, step=1, metrics={"x": 1.0}, at_ms=1)])
    assert (delta.start, delta.status) == (None, None)


def test_nothing_to_log_is_no_request():
    assert list(batches(fold([LogText(number=0, text="t", artifact_file="f")]))) == []


@settings(max_examples=25, deadline=None)
@given(num_metrics=st.integers(0, 3000), num_texts=st.integers(0, 450), size=st.integers(0, 7000))
def test_every_request_is_within_the_limits_of_mlflow(num_metrics, num_texts, size):
    metrics = {f"metric/{i}": 1.0 for i in range(num_metrics)}
    texts = {f"text.{i}": "\N{GRINNING FACE}" * size for i in range(num_texts)}
    tags = SetTags(number=0, tags=texts)
    params = StartTrial(number=0, name="t", params=texts, tags={}, start_ms=1)
    made = list(batches(fold([params, tags, LogMetrics(number=0, step=1, metrics=metrics, at_ms=1)])))
    assert sum(len(batch.points) for batch in made) == num_metrics
    assert sum(len(batch.params) for batch in made) == sum(len(batch.tags) for batch in made) == num_texts
    for batch in made:
        assert len(batch.params) <= 100
        assert len(batch.tags) <= 100
        assert len(batch.points) + len(batch.params) + len(batch.tags) <= 1000
        points = [{"key": p.name, "value": p.value, "timestamp": 1, "step": 1} for p in batch.points]
        pairs = [{"key": key, "value": text} for key, text in [*batch.params.items(), *batch.tags.items()]]
        assert len(json.dumps([points, pairs])) < 950_000


def test_a_long_text_is_cut_and_says_so():
    long = StartTrial(number=0, name="t", params={"p": "x" * 9000}, tags={}, start_ms=1)
    (batch,) = batches(fold([long]))
    assert len(batch.params["p"]) == 6000
    assert batch.params["p"].endswith("...")


def test_names_are_made_fit_for_mlflow():
    assert mlflow_name("val/recall@1") == "val/recall_1"
    assert mlflow_name("a b-c.d:e/f_g") == "a b-c.d:e/f_g"
    assert len(mlflow_name("x" * 400)) == 250
