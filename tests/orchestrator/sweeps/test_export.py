"""Real sweeps and a real confirmation of the adapter, exported: weights with the ledger's figures, card, refusals."""

import json
import shutil

import pytest
import torch
import yaml

from orchestrator.errors import IntegrityError, UsageError
from orchestrator.spec import SweepSpec
from orchestrator.sweeps.choosing import choose
from orchestrator.sweeps.confirming.confirm import Asked, confirm
from orchestrator.sweeps.export import Destination, export
from orchestrator.sweeps.read import show
from tests.conftest import ROOT
from tests.support.home import House
from tests.support.no_mlflow import without_mlflow
from tests.support.quick_configs import QUICK
from trainables.data.embeddings.load import load_embeddings
from trainables.exported import load_model
from trainables.loop import Moment
from trainables.tasks.adapter.task import AdapterTask


def adapter_spec(**sections):
    return SweepSpec.model_validate(
        {
            "name": "adapter",
            "trainable": "adapter",
            "objective": {"metric": "val/r2", "direction": "maximize"},
            "space": {"clip.optimizer.lr": {"type": "float", "low": 1e-3, "high": 1e-2, "log": True}},
            "config": QUICK["adapter"],
            "sampler": {"type": "random"},
            "budget": {"trials": 2},
            "resources": {"gpu": 0.0},
            **sections,
        }
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory, empty_ledger):
    """A search, its confirmation, and a search with two seeds a trial; MLflow is down."""
    with pytest.MonkeyPatch.context() as patch:
        without_mlflow(patch)
        made = House(tmp_path_factory.mktemp("export"))
        made.home.ledger_file.parent.mkdir(parents=True)
        shutil.copy(empty_ledger, made.home.ledger_file)
        made.launch(adapter_spec())
        confirm("adapter-1", made.around(), Asked(who="me", command="-", top=1, seeds=3), sweep_id="id-2")
        made.launch(adapter_spec(name="twice", repeats=2, budget={"trials": 1}), sweep_id="id-3")
        made.launch(adapter_spec(name="alone"), sweep_id="id-4")
        yield made


def to(folder, **fields):
    return Destination(folder, ROOT, **{"registers": False, **fields})


def measured(folder):
    """What the exported model measures on val after its last epoch."""
    exported = load_model(folder)
    task = AdapterTask(exported.config, load_embeddings(exported.config.data), device="cpu")
    moment = Moment(epoch=2, epochs=2, generator=torch.Generator())
    with torch.no_grad():
        return task.evaluate(exported.model, moment)


@pytest.mark.parametrize(
    ("sweep", "which", "trained_as"),
    [("alone-1", "best", "alone-1"), ("alone-1", "0", "alone-1"), ("adapter-1", "1", "adapter-1")],
)
def test_the_weights_of_a_trial_reproduce_its_metrics_on_val(house, tmp_path, sweep, which, trained_as):
    report = export(house.home, sweep, which, to(tmp_path / "model"))
    trial = show(house.home, sweep).best if which == "best" else show(house.home, sweep).trials[int(which)]
    assert (report.choice.source.name, report.choice.trial.number) == (trained_as, trial.number)
    ledger = next(m.metrics for m in trial.measurements if m.step == trial.best_step)
    again = measured(tmp_path / "model")
    assert {n: v for n, v in ledger.items() if n.startswith("val/")} == {n: again[n] for n in ledger if n[:4] == "val/"}
    config = yaml.safe_load((tmp_path / "model" / "config.yaml").read_text())
    assert config["clip"]["optimizer"]["lr"] == trial.params["clip.optimizer.lr"]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "MODEL_CARD.md",
        "config.yaml",
        "model.json",
        "model.safetensors",
    ]


def test_the_best_of_a_confirmed_sweep_is_the_winners_best_seed(house, tmp_path):
    report = export(house.home, "adapter-1", "best", to(tmp_path / "model"))
    confirmation = report.choice.report
    assert report.choice.source.name == "adapter-1-confirm-1" == confirmation.confirmation
    named = confirmation.verdict.names or [candidate.label for candidate in confirmation.candidates]
    assert report.choice.candidate.label in named
    trials = show(house.home, "adapter-1-confirm-1").trials
    same = [trial.value for trial in trials if trial.params == report.choice.trial.params]
    assert len(same) == 3 and report.choice.trial.value == max(same)
    assert measured(tmp_path / "model")["val/r2"] == report.choice.trial.value
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert confirmation.verdict.sentence in card
    assert f"| test/r2 | {report.choice.candidate.test.mean:.4g} | (" in card


def test_the_default_is_a_candidate_by_its_name(house, tmp_path):
    report = export(house.home, "adapter-1", "default", to(tmp_path / "model"))
    assert report.choice.candidate.is_reference
    assert report.to_json()["candidate"] == "default" and report.to_json()["registered"] is None


def test_a_trial_of_several_seeds_gives_the_best_of_them(house, tmp_path):
    report = export(house.home, "twice-1", "best", to(tmp_path / "model"))
    trial = report.choice.trial
    at_best = next(m.metrics for m in trial.measurements if m.step == trial.best_step)
    by_seed = {seed: at_best[f"val/r2/seed_{seed}"] for seed in trial.seeds}
    assert by_seed[report.seed] == max(by_seed.values()) and len(by_seed) == 2
    assert measured(tmp_path / "model")["val/r2"] == by_seed[report.seed]


def test_what_is_there_is_not_overwritten(house, tmp_path):
    (tmp_path / "empty").mkdir()
    export(house.home, "alone-1", "0", to(tmp_path / "empty"))
    with pytest.raises(UsageError, match="is there already; choose another folder"):
        export(house.home, "alone-1", "0", to(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("sweep", "which", "message"),
    [
        ("alone-1", "9", "has no trial 9"),
        ("alone-1", "default", "has no finished confirmation whose candidates have names; make one with: orch confirm"),
        ("adapter-1", "trial 77", "is no candidate of adapter-1-confirm-1 that has a value; there are: '"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(house, tmp_path, sweep, which, message):
    with pytest.raises(UsageError, match=message):
        export(house.home, sweep, which, to(tmp_path / "model"))
    assert not (tmp_path / "model").exists()


def test_a_lost_checkpoint_is_told(house, tmp_path):
    trial = choose(house.home, "alone-1", "1").trial
    path = house.home.sweep("id-4").checkpoints_of(trial)["best"]
    shutil.copytree(path, tmp_path / "kept")
    (path / "manifest.json").write_text("{}")
    try:
        with pytest.raises(IntegrityError, match=r"alone-1 trial 1 cannot be exported: .*not a checkpoint's manifest"):
            export(house.home, "alone-1", "1", to(tmp_path / "model"))
        shutil.rmtree(path)
        with pytest.raises(IntegrityError, match="has no checkpoint of its best epoch"):
            export(house.home, "alone-1", "1", to(tmp_path / "model"))
    finally:
        shutil.copytree(tmp_path / "kept", path, dirs_exist_ok=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"], "nothing half-written is left"


def test_the_export_is_there_when_mlflow_is_not(house, tmp_path):
    report = export(house.home, "alone-1", "0", to(tmp_path / "model", registers=True))
    assert report.registration.version is None and report.registration.name == "alone-1"
    assert "MLflow does not know the run of this trial yet" in report.registration.error
    assert json.loads((tmp_path / "model" / "model.json").read_text())["trained_for"] == "search"
