"""`--set a.b=c`: where a path leads, how a value is read, and whose fault it is."""

import pytest

from orchestrator.errors import SpecError
from orchestrator.spec import parse

GOOD = """\
name: demo
trainable: toy
objective: {metric: val/x, direction: maximize}
space:
  optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}
  margin.kind: {type: categorical, choices: [constant, linear]}
  margin.end: {type: float, low: 0.2, high: 0.6, when: {margin.kind: linear}}
config: {epochs: 10, data: {source: angiogram}}
stop: [{type: plateau, patience: 4}]
budget: {trials: 4}
"""


def spec(*overrides):
    return parse(GOOD, file="f.yaml", overrides=overrides).spec


def test_values_are_yaml():
    assert spec("budget.trials=7").budget.trials == 7
    assert spec("space.optimizer.lr.low=1e-4").space["optimizer.lr"].low == 1e-4
    assert spec("space.margin.kind.choices=[linear, cosine]").space["margin.kind"].choices == ("linear", "cosine")
    assert spec("constraints=['optimizer.lr < 1']", "name=other").name == "other"
    assert spec("config.text=a=b").config["text"] == "a=b"
    assert spec("config.nothing=").config["nothing"] is None


def test_paths_find_dotted_keys_and_make_missing_ones():
    assert spec("space.margin.end.when.margin.kind=constant").space["margin.end"].when == {"margin.kind": "constant"}
    assert spec("space.layers={type: int, low: 1, high: 2}").space["layers"].high == 2
    assert spec("sampler.type=random").sampler.type == "random"
    assert spec("stop.0.patience=9").stop[0].patience == 9
    assert spec("config.data.source=omniglot", "config.data.size.x=3").config == {
        "epochs": 10,
        "data": {"source": "omniglot", "size": {"x": 3}},
    }


def test_a_mapping_under_config_replaces_dotted_keys():
    text = GOOD.replace("data: {source: angiogram}", "data.source: angiogram")
    assert parse(text, file="f", overrides=["config.data={source: x}"]).spec.config["data"] == {"source": "x"}


def test_later_options_win():
    assert spec("seed=1", "seed=2").seed == 2


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("budget.trails=3", "--set budget.trails=3 budget.trails: unknown key (did you mean 'trials'?)"),
        ("budget.trials=0", "--set budget.trials=0 budget.trials: 0 is not allowed; allowed: 1 or more"),
        ("space.optimzer.lr.low=1e-4", "did you mean 'optimizer.lr'?"),
        ("space.optimizer.lr.lwo=1e-4", "unknown key (did you mean 'low'?)"),
        ("space.optimizer.lr.low=1", "1.0 is above high: 0.001"),
        ("budget", "--set budget: expected dotted.key=value"),
        ("budget..trials=1", "expected dotted.key=value"),
        ("=1", "expected dotted.key=value"),
        ("seed=", "null is not allowed; allowed: a whole number (nothing stands after the '=', which is null)"),
        ("name.x=1", "name is a single value; nothing stands below it"),
        ("stop.3.patience=1", "stop is a list of 1; '3' is not a position"),
        ("stop.first.patience=1", "'first' is not a position"),
        ("seed=[1", "--set seed=[1: not valid YAML"),
        ("seed={a: 1, a: 2}", "--set seed={a: 1, a: 2}: duplicate key 'a'"),
        ("config.epochs.x=1", "config.epochs is a single value"),
    ],
)
def test_faults_name_the_option(option, words):
    with pytest.raises(SpecError) as caught:
        spec(option)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"--set {option}")


def test_faults_of_the_file_keep_their_place():
    with pytest.raises(SpecError, match=r"f\.yaml:1:7 name: 'A B'"):
        parse(GOOD.replace("demo", "A B"), file="f.yaml", overrides=["seed=1"])
