"""`orch export` and `orch retrain` as commands: words, JSON, refusals, and MLflow up or down."""

import shutil

import pytest

from tests.orchestrator.cli.conftest import NOWHERE
from trainables.exported import load_model

ADAPTER = """\
name: small
trainable: adapter
objective: {metric: val/r2, direction: maximize}
space:
  clip.optimizer.lr: {type: float, low: 1e-3, high: 1e-2, log: true}
config:
  epochs: 1
  batch_size: 8
  clip: {adapter: {hidden: 8}}
  t5: {adapter: {hidden: 8}}
  data: {source: generated, num_train: 16, num_val: 16, dims: 16, clip: {dims: 24}, t5: {dims: 16}}
sampler: {type: random}
budget: {trials: 1}
resources: {gpu: 0}
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory, finished_once):
    """A folder for the sweep of the module; its ledger and MLflow store are there already, which saves seconds."""
    return shutil.copytree(finished_once.folder, tmp_path_factory.mktemp("exports") / "here")


@pytest.fixture
def small(kept, orch, monkeypatch):
    """The working directory, with a finished sweep of the adapter that MLflow has."""
    monkeypatch.chdir(kept)
    if not (kept / "small.yaml").exists():
        (kept / "small.yaml").write_text(ADAPTER)
        assert orch("sweep", "small.yaml", "--runner", "local", "--quiet").code == 0
    return kept


def test_export_writes_a_model_that_loads_and_registers_it(small, orch, tmp_path):
    answer = orch("export", "small-1", "--to", tmp_path / "model")
    assert answer.code == 0
    assert answer.out == (
        f"small-1 trial 0, epoch 1, seed 0: exported to {tmp_path}/model\nregistered in MLflow: small-1 version 1\n"
    )
    assert load_model(tmp_path / "model").trainable == "adapter"
    again = orch("export", "small-1", "0", "--to", tmp_path / "again", "--register", "mine", "--json")
    assert again.json["registered"] == {"name": "mine", "version": "1", "error": None}


def test_mlflow_may_be_down(small, orch, tmp_path):
    answer = orch("export", "small-1", "--to", tmp_path / "model", "--tracking-uri", NOWHERE)
    assert (answer.code, answer.err) == (0, f"not registered in MLflow: nothing answers at {NOWHERE}\n")
    assert (tmp_path / "model" / "MODEL_CARD.md").exists()


def test_retrain_says_each_epoch_and_exports(small, orch, tmp_path):
    answer = orch("retrain", "small-1", "best", "--to", tmp_path / "model", "--seed", "3", "--no-register", "--json")
    assert answer.code == 0 and answer.err == "epoch 0 of 1\nepoch 1 of 1\n"
    assert (answer.json["seed"], answer.json["epoch"], answer.json["registered"]) == (3, 1, None)
    assert "train and val together" in (tmp_path / "model" / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "small-1", "--to", "."), ". is there already; choose another folder with --to, or remove it"),
        (("export", "small-1", "7", "--to", "x"), "sweep small-1 has no trial 7"),
        (("export", "small-1", "default", "--to", "x"), "make one with: orch confirm small-1"),
        (("retrain", "nothing", "--to", "x"), "nothing"),
        (("export", "small-1", "--to", "x", "--register", "a", "--no-register"), "contradict each other"),
    ],
)
def test_what_cannot_be_is_refused_in_words(small, orch, arguments, message):
    answer = orch(*arguments)
    assert answer.code == 2 and message in answer.err
    assert not (small / "x").exists()
