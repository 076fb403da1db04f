"""`orch diagnose`: of a trial, a sweep, a CSV and saved epochs; exit codes; and what a CSV does without."""

import subprocess
import sys

import numpy as np
import pytest

from tests.orchestrator.sweeps.test_diagnose import NOTE_001

LOADED = "import sys; from orchestrator.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(NOTE_001)
    return path


def test_a_trial_by_either_address(finished, orch):
    spaced, joined = orch("diagnose", "toy-1", "1"), orch("diagnose", "toy-1/1")

    assert spaced.code == joined.code == 0
    assert spaced.out == joined.out
    assert spaced.out.startswith("toy-1 trial 1: 4 measurements")
    assert spaced.out.splitlines()[1].split() == ["metric", "first", "best", "last", "trend", "verdict"]
    assert spaced.out.splitlines()[2].split()[0] == "val/score"
    assert "good: better than untrained" in spaced.out
    assert spaced.out.endswith("findings: none\n")
    assert orch("diagnose", "toy-1/1", "--json").json["objective"] == "val/score"


def test_a_sweep(finished, orch):
    assert orch("diagnose", "toy-1").out == "toy-1: nothing found in 3 trials\n"
    assert orch("diagnose", "toy-1", "--json").json == {"sweep": "toy-1", "num_examined": 3, "findings": []}


def test_a_csv(csv, orch):
    answer = orch("diagnose", csv)

    assert answer.code == 0, "findings are no failure"
    assert "left out: strategy (text)" in answer.out
    assert "ranking_falls" in answer.out
    assert "cure: " in answer.out
    assert "bad: worse since epoch 1" in answer.out
    assert orch("diagnose", csv, "--json").json["findings"][0]["check"] == "ranking_falls"


def test_saved_epochs(tmp_path, orch):
    rng = np.random.default_rng(0)
    for epoch in range(2):
        np.savez(tmp_path / f"epoch_{epoch:03d}.npz", embeddings=rng.normal(size=(12, 4)), labels=np.arange(12) % 3)
    answer = orch("diagnose", tmp_path)

    assert answer.code == 0
    assert "chance" in next(line for line in answer.out.splitlines() if line.startswith("val/rank_at_1 "))


def test_explain(orch):
    answer = orch("diagnose", "--explain", "farthest_negatives")

    assert answer.code == 0
    assert answer.out.startswith("farthest_negatives\n")
    assert "Cure: " in answer.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "diagnose what?"),
        (("nowhere.csv",), "nowhere.csv: there is no such file or folder"),
        (("toy-1/best",), "toy-1/best: there is no such file or folder, and a trial is SWEEP/NUMBER"),
        (("toy-1", "9"), "sweep toy-1 has no trial 9; its trials are 0 to 2"),
        (("toy-7",), "toy-7"),
        (("--explain", "nothing"), "there is no check 'nothing'"),
        ((".",), ".: no epochs"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(finished, orch, arguments, message):
    answer = orch("diagnose", *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_a_bad_cell_is_named(csv, orch):
    csv.write_text(NOTE_001.replace("0.031", "0.O31"))
    answer = orch("diagnose", csv)

    assert answer.code == 2
    assert answer.err == f"orch: {csv}, line 5, column 'intra': '0.O31' is not a number\n"


def test_a_csv_needs_no_torch(csv):
    done = subprocess.run([sys.executable, "-c", LOADED, "diagnose", csv], capture_output=True, text=True, timeout=60)
    loaded = set(done.stderr.split())

    assert done.returncode == 0
    assert loaded & {"torch", "ray", "mlflow", "sklearn", "pandas"} == set()
