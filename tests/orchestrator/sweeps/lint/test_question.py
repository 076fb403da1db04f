"""What a rule may look at."""

from orchestrator.sweeps.lint.question import Question
from tests.support.questions import shipped
from tests.support.twins import twin


def reach(question: Question, key: str):
    found = question.reach(key)
    assert found is not None
    return found


def test_a_searched_range():
    lr = reach(shipped("multitask"), "optimizer.lr")

    assert (lr.low, lr.high, lr.is_log, lr.is_searched) == (1e-5, 1e-3, True, True)
    assert lr.path() == ("space", "optimizer.lr")
    assert lr.path("high") == ("space", "optimizer.lr", "high")


def test_choices():
    kind = reach(shipped("identification_note001"), "margin.start")

    assert (kind.low, kind.high, kind.is_log) == (0.2, 1.0, False)
    assert kind.path("high") == ("space", "margin.start", "choices", 2)
    assert reach(twin(), "kind").numbers == ()
    assert reach(twin(), "kind").low is None


def test_a_value_of_the_file_and_a_default():
    question = twin("space.temperature={type: fixed, value: 0.2}")

    assert reach(question, "epochs").values == (30,)
    assert reach(question, "epochs").path("low") == ("config", "epochs")
    assert reach(question, "data.num_val").values == (1000,)
    assert reach(question, "temperature").path("low") == ("space", "temperature", "value")
    assert not reach(question, "temperature").is_searched
    assert question.reach("nothing") is None


def test_what_is_searched_and_written():
    question = shipped("multitask")

    assert question.is_searched("temperature")
    assert question.is_searched("margin.kind")
    assert not question.is_searched("data")
    assert question.is_written("data.source")
    assert question.is_written("temperature")
    assert not question.is_written("siglip")


def test_epochs_are_the_most_that_a_trial_has():
    assert twin().epochs == 30
    assert twin("config={}", "space.epochs={type: int, low: 5, high: 60}").epochs == 60


def test_draws_and_configs_are_the_same_each_time():
    assert twin().draws == twin().draws
    assert [whole.params for whole in twin().configs] == [whole.params for whole in twin().configs]


def test_whole_configs_obey_constraints_and_reach_the_corners():
    configs = shipped("multitask", "constraints=['optimizer.lr > 1e-4']").configs
    rates = [whole.params["optimizer.lr"] for whole in configs]

    assert min(rates) > 1e-4
    assert max(rates) == 1e-3
