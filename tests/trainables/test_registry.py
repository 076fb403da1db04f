"""Names become trainables, and wrong names become helpful errors."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from trainables.contract import Purpose, TrialContext
from trainables.registry import TRAINABLES, TrainableError, find_own, load_info, load_train

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """Write a module of one's own; returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source):
        name = f"own_{abs(hash(source))}"
        (tmp_path / f"{name}.py").write_text(source)
        return name

    return write


@pytest.mark.parametrize("name", sorted(TRAINABLES))
def test_a_config_loads_without_torch(name):
    script = (
        "import sys; from trainables.registry import load_info; "
        f"info = load_info({name!r}); info.config_type(); "
        "print([m for m in ('torch', 'numpy', 'ray', 'optuna', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_gets_a_suggestion_and_the_form_for_ones_own():
    with pytest.raises(
        TrainableError, match=r"'multitsk' is not known, did you mean 'multitask'.*my_pkg\.my_module:train"
    ):
        load_info("multitsk")


def test_the_example_of_a_trainable_of_ones_own_runs(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    name = "tests.support.own_trainable:train"
    info = load_info(name)
    assert info.metrics is not None
    measurements = list(load_train(name)(info.config_type.model_validate({"epochs": 3}), TrialContext()))
    assert [m.step for m in measurements] == [0, 1, 2, 3]
    assert measurements[-1].metrics["val/error"] < measurements[0].metrics["val/error"]
    assert info.metrics.keys() == measurements[0].metrics.keys()


def test_the_example_resumes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    train = load_train("tests.support.own_trainable:train")
    config = load_info("tests.support.own_trainable:train").config_type()
    states = []
    whole = list(train(config, TrialContext(save=lambda state: states.append(state()))))
    assert list(train(config, TrialContext(resume=states[2]))) == whole[3:]


def test_the_example_stays_short():
    assert len((ROOT / "tests/support/own_trainable.py").read_text().splitlines()) <= 25


CONFIG = "from pydantic import BaseModel\nclass C(BaseModel):\n    a: int = 1\n"


def test_metrics_may_be_missing(own_module):
    info = load_info(own_module(CONFIG + "def train(config: C, context): yield") + ":train")
    assert info.metrics is None
    assert issubclass(info.config_type, BaseModel)


def test_annotations_may_be_strings(own_module):
    name = own_module("from __future__ import annotations\n" + CONFIG + "def train(config: C, context): yield")
    assert load_info(f"{name}:train").config_type.__name__ == "C"


@pytest.mark.parametrize(
    ("source", "attribute", "message"),
    [
        ("x = 1 / 0", "train", "failed: ZeroDivisionError: division by zero"),
        ("def train(:", "train", "failed: SyntaxError"),
        ("import sys; sys.exit(3)", "train", "failed: SystemExit: 3"),
        ("import no_such_library", "train", "failed: ModuleNotFoundError: No module named 'no_such_library'"),
        (CONFIG + "def training(config: C, context): yield", "train", "no such function, did you mean 'training'"),
        ("train = 3", "train", "it is not a function"),
        ("def train(config, context): yield", "train", "'config' is annotated with None"),
        ("def train(config: dict, context): yield", "train", "'config' is annotated with <class 'dict'>"),
        ("def train(): yield", "train", "has no parameter"),
        ("def train(config: 'Missing', context): yield", "train", "its annotations cannot be read"),
        (CONFIG + "METRICS = 3\ndef train(config: C, context): yield", "train", "METRICS must map"),
    ],
)
def test_what_is_wrong_with_a_trainable_of_ones_own(own_module, source, attribute, message):
    with pytest.raises(TrainableError, match=message) as caught:
        load_info(f"{own_module(source)}:{attribute}")
    assert "\n" not in str(caught.value)


def test_a_module_is_found_without_being_imported(own_module, tmp_path, monkeypatch):
    find_own(f"{own_module('raise SystemExit')}:train")
    find_own("tests.support.own_trainable:train")  # folders without __init__.py
    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit")
    (package / "inner.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(str(tmp_path))
    find_own("some_package.inner:train")
    with pytest.raises(TrainableError, match=r"there is no module 'some_package\.outer' here"):
        find_own("some_package.outer:train")


@pytest.mark.parametrize("name", ["no_such_module:train", "a b:train", ":train", "..x:train", "os.no_such_part:train"])
def test_names_of_nothing_are_refused_without_an_import(name):
    with pytest.raises(TrainableError):
        find_own(name)


@pytest.mark.parametrize("name", ["no_such_module:train", "a b:train", ":train", "..x:train", "", "a.py:train:x"])
def test_impossible_names(name):
    with pytest.raises(TrainableError):
        load_info(name)


def own(purposes):
    return (
        "from collections.abc import Iterator\n"
        "from pydantic import BaseModel\n"
        "from trainables.contract import Measurement, Purpose, TrialContext\n"
        "class Config(BaseModel): ...\n"
        f"{purposes}\n"
        "def train(config: Config, context: TrialContext) -> Iterator[Measurement]: ...\n"
    )


@pytest.mark.parametrize(
    ("line", "purposes"),
    [
        ("", (Purpose.SEARCH,)),
        ("PURPOSES = (Purpose.SEARCH, Purpose.TEST)", (Purpose.SEARCH, Purpose.TEST)),
        ("PURPOSES = ['search', 'retrain']", (Purpose.SEARCH, Purpose.RETRAIN)),
    ],
)
def test_ones_own_module_says_what_it_can_be_run_for(own_module, line, purposes):
    assert load_info(f"{own_module(own(line))}:train").purposes == purposes


@pytest.mark.parametrize("value", ["Purpose.TEST", "(Purpose.TEST,)", "['serach']", "3"])
def test_wrong_purposes_are_refused(own_module, value):
    with pytest.raises(TrainableError, match=r"PURPOSES must hold Purpose\.SEARCH and may hold the others of"):
        load_info(f"{own_module(own(f'PURPOSES = {value}'))}:train")
