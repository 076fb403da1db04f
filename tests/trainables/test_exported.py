"""Exports of every registered trainable: what was trained comes back, without its data."""

import json

import pytest
import torch

from tests.support.quick_configs import QUICK
from trainables.contract import Purpose, TrialContext
from trainables.data.embeddings.load import load_embeddings
from trainables.data.images.load import load_images
from trainables.data.pairs.load import load_pairs
from trainables.data.recordings.load import load_recordings
from trainables.data.texts.load import load_texts
from trainables.exported import ExportError, load_model, weights_of, write_model
from trainables.loop import Moment
from trainables.registry import TRAINABLES, load_info, load_train
from trainables.tasks.adapter.task import AdapterTask
from trainables.tasks.identification.task import IdentificationTask
from trainables.tasks.incremental.task import IncrementalTask
from trainables.tasks.multitask.task import MultitaskTask
from trainables.tasks.toxicity.task import ToxicityTask

TASKS = {
    "adapter": lambda config: AdapterTask(config, load_embeddings(config.data), device="cpu"),
    "identification": lambda config: IdentificationTask(
        config, load_recordings(config.data, config.windows), device="cpu"
    ),
    "incremental": lambda config: IncrementalTask(config, load_images(config.data), device="cpu"),
    "multitask": lambda config: MultitaskTask(config, load_pairs(config.data), device="cpu"),
    "toxicity": lambda config: ToxicityTask(config, load_texts(config.data), device="cpu"),
}
LOADERS = (load_embeddings, load_images, load_pairs, load_recordings, load_texts)


@pytest.fixture(scope="module", params=sorted(TRAINABLES))
def trained(request):
    """A name, its config, the last measurement and the state behind it."""
    config = load_info(request.param).config_type.model_validate(QUICK[request.param])
    states = []
    context = TrialContext(seed=3, save=lambda state: states.append(state()))
    *_, last = load_train(request.param)(config, context)
    return request.param, config, last, states[-1]


@pytest.fixture
def folder(trained, tmp_path):
    name, config, _, state = trained
    write_model(tmp_path / "export", trainable=name, config=config, state=state, purpose=Purpose.SEARCH)
    return tmp_path / "export"


def test_the_loaded_model_reproduces_the_metrics_on_val(trained, folder):
    name, config, last, state = trained
    exported = load_model(folder)
    assert exported.trainable == name and exported.config == config and not exported.model.training
    task = TASKS[name](config)
    task.restore(state["task"])
    moment = Moment(epoch=last.step, epochs=last.step, generator=torch.Generator())
    with torch.no_grad():
        again = task.evaluate(exported.model, moment)
    on_val = {metric: value for metric, value in last.metrics.items() if metric.startswith("val/")}
    assert {metric: again[metric] for metric in on_val} == on_val


def test_no_data_is_read_to_load(folder, monkeypatch):
    for loader in LOADERS:
        loader.cache_clear()
    undisturbed = torch.get_rng_state()
    load_model(str(folder))
    assert all(loader.cache_info().misses == 0 for loader in LOADERS)
    assert torch.equal(torch.get_rng_state(), undisturbed)


def test_a_retrained_model_has_the_facts_of_what_it_learned_from(trained, tmp_path):
    name, config, _, _ = trained
    states = []
    context = TrialContext(seed=3, purpose=Purpose.RETRAIN, save=lambda state: states.append(state()))
    list(load_train(name)(config, context))
    write_model(tmp_path, trainable=name, config=config, state=states[-1], purpose=Purpose.RETRAIN)
    weights = load_model(tmp_path).model.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in states[-1]["model"].items())
    assert json.loads((tmp_path / "model.json").read_text())["trained_for"] == "retrain"


@pytest.mark.parametrize("file", ["model.json", "config.yaml", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused(trained, folder, file):
    (folder / file).unlink()
    with pytest.raises(ExportError, match="export"):
        load_model(folder)


def test_weights_of_another_shape_are_refused(trained, folder):
    described = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(described.replace("epochs: ", "epochz: ", 1))
    with pytest.raises(ExportError, match="not a whole export of this version"):
        load_model(folder)


def test_ones_own_trainable_keeps_its_tensors_by_path(tmp_path):
    own = load_info("tests.support.own_trainable:train").config_type()
    state = {"epoch": 3, "net": {"weight": torch.ones(2), "deep": {"bias": torch.zeros(1)}}}
    assert weights_of(state).keys() == {"net.weight", "net.deep.bias"}
    name = "tests.support.own_trainable:train"
    write_model(tmp_path, trainable=name, config=own, state=state, purpose=Purpose.SEARCH)
    with pytest.raises(ExportError, match=r"a trainable of your own: build its model yourself.*load_file"):
        load_model(tmp_path)
    with pytest.raises(ExportError, match="no tensors"):
        weights_of({"epoch": 3, "slope": 1.5})
