"""Configurations trained on train and val together: how long, from what, and what the card says of it."""

import shutil
from dataclasses import replace

import pytest
import torch

from orchestrator.errors import UsageError
from orchestrator.execution import attempt as attempts
from orchestrator.execution.checkpoint_names import steps_in
from orchestrator.spec import resolve
from orchestrator.sweeps.export import Destination
from orchestrator.sweeps.read import show
from orchestrator.sweeps.retrain import RetrainError, retrain
from orchestrator.trial import Segment
from tests.conftest import ROOT
from tests.orchestrator.sweeps.test_export import adapter_spec
from tests.support.home import House
from tests.support.no_mlflow import without_mlflow
from tests.support.specs import toy_spec
from trainables.contract import Purpose, TrialContext
from trainables.exported import load_model
from trainables.registry import load_info, load_train

EPOCHS = 4


@pytest.fixture(scope="module")
def searched(tmp_path_factory, empty_ledger):
    """A search of one trial of the adapter, and one of the toy; MLflow is down."""
    with pytest.MonkeyPatch.context() as patch:
        without_mlflow(patch)
        house = House(tmp_path_factory.mktemp("retrain"))
        house.home.ledger_file.parent.mkdir(parents=True)
        shutil.copy(empty_ledger, house.home.ledger_file)
        config = {**adapter_spec().config, "epochs": EPOCHS}
        house.launch(adapter_spec(name="one", config=config, budget={"trials": 1}))
        house.launch(toy_spec(trials=1), sweep_id="id-2")
        yield house


def to(folder):
    return Destination(folder, ROOT, registers=False)


def trained_by_hand(house, *, seed, epochs):
    """The weights after so many epochs of the loop itself."""
    summary = show(house.home, "one-1")
    info = load_info("adapter")
    config = info.config_type.model_validate(resolve(summary.sweep.spec, summary.trials[0].params))
    states = []
    context = TrialContext(seed=seed, purpose=Purpose.RETRAIN, save=lambda state: states.append(state()))
    for measurement in load_train("adapter")(config, context):
        if measurement.step == epochs:
            break
    return states[-1]["model"]


def same(model, weights):
    return all(torch.equal(model.state_dict()[name], value) for name, value in weights.items())


def test_it_trains_on_both_for_the_best_number_of_epochs_and_says_so(searched, tmp_path):
    trial = show(searched.home, "one-1").trials[0]
    said = []
    report = retrain(
        searched.home, "one-1", "best", to(tmp_path / "model"), seed=None, watch=lambda *at: said.append(at)
    )
    assert said == [(epoch, trial.best_step) for epoch in range(trial.best_step + 1)]
    assert (report.epoch, report.seed) == (trial.best_step, trial.seeds[0])
    weights = trained_by_hand(searched, seed=trial.seeds[0], epochs=trial.best_step)
    assert same(load_model(tmp_path / "model").model, weights)
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert f"Trained on train and val together for {trial.best_step} epochs" in card
    assert "those of the configuration trained on train alone" in card and "test was not read for it" in card
    assert not list(searched.home.sweep("id-1").folder.glob("retrained/*")), "its checkpoints are gone"


def test_another_seed_gives_another_model(searched, tmp_path):
    report = retrain(searched.home, "one-1", "0", to(tmp_path / "model"), seed=5, watch=lambda *_: None)
    assert report.seed == 5
    assert same(load_model(tmp_path / "model").model, trained_by_hand(searched, seed=5, epochs=report.epoch))


def test_who_was_interrupted_goes_on(searched, tmp_path, monkeypatch):
    started = []

    def stop(epoch, _):
        if epoch == 1:
            raise KeyboardInterrupt

    resume = attempts.Attempt._resume

    def noted(self):
        state = resume(self)
        started.append(None if state is None else state["epoch"])
        return state

    monkeypatch.setattr(attempts.Attempt, "_resume", noted)
    monkeypatch.setattr("orchestrator.sweeps.retrain.CHECKPOINT_INTERVAL_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        retrain(searched.home, "one-1", "0", to(tmp_path / "model"), seed=None, watch=stop)
    (folder,) = searched.home.sweep("id-1").folder.glob("retrained/*")
    assert steps_in(folder) == [0, 1] and not (tmp_path / "model").exists()
    report = retrain(searched.home, "one-1", "0", to(tmp_path / "model"), seed=None, watch=lambda *_: None)
    assert started == [None, 1]
    assert same(load_model(tmp_path / "model").model, trained_by_hand(searched, seed=0, epochs=report.epoch))


def test_a_trainable_that_does_not_know_how_is_refused(searched, tmp_path):
    with pytest.raises(UsageError, match=r"put PURPOSES = \(Purpose.SEARCH, Purpose.RETRAIN\) into its module"):
        retrain(searched.home, "toy-1", "best", to(tmp_path / "model"), seed=None, watch=lambda *_: None)


def test_a_training_that_fails_says_why(searched, tmp_path, monkeypatch):
    def fails(*_):
        raise ValueError("no luck")

    monkeypatch.setattr("trainables.tasks.adapter.task.load_embeddings", fails)
    with pytest.raises(RetrainError, match="training on train and val failed: ValueError: no luck"):
        retrain(searched.home, "one-1", "0", to(tmp_path / "model"), seed=None, watch=lambda *_: None)
    assert not (tmp_path / "model").exists()


def test_a_training_whose_parameters_changed_is_refused(searched, tmp_path, monkeypatch):
    trial = show(searched.home, "one-1").trials[0]
    stretch = replace(trial, segment=Segment(member=0, parent=None, until=2))
    monkeypatch.setattr("orchestrator.sweeps.choosing.find_trial", lambda *_: stretch)
    with pytest.raises(UsageError, match="one-1 trial 0 is a stretch of a training whose parameters changed"):
        retrain(searched.home, "one-1", "0", to(tmp_path / "model"), seed=None, watch=lambda *_: None)
