"""The import contracts of pyproject.toml hold, and each of them catches a break."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BREAKS = {
    "1 orchestrator stands above trainables": ("trainables/loop/trial.py", "import orchestrator.errors"),
    "2 the rooms of orchestrator are layers": ("orchestrator/spec/nodes.py", "import orchestrator.study.storage"),
    "3 the rooms of trainables are layers": ("trainables/schedules.py", "import trainables.losses.clip"),
    "4 tasks are independent": ("trainables/tasks/other/__init__.py", "import trainables.tasks.multitask.config"),
    "5 the core is plain data": ("orchestrator/trial.py", "import torch"),
    "6 trainables know no sweep library": ("trainables/data/pairs/pairs.py", "import optuna"),
    "7 task configs load without torch": ("trainables/tasks/multitask/config.py", "import numpy"),
    "8 only execution and sweeps touch trainables": ("orchestrator/analysis/table.py", "import trainables.contract"),
    "9a mlflow lives in tracking": ("orchestrator/study/ledger.py", "import mlflow"),
    "9b ray lives in execution": ("orchestrator/sweeps/plan.py", "import ray"),
    "9c optuna lives in study": ("orchestrator/execution/control.py", "import optuna"),
    "9d click lives in cli": ("orchestrator/tracking/uri.py", "import click"),
}
"""Contract to a file and a line in it that break this contract."""


def lint(folder):
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, timeout=120
    )


def copy_tree(folder):
    for package in ("orchestrator", "trainables"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def test_every_contract_is_kept():
    done = lint(ROOT)

    assert done.returncode == 0, done.stdout
    assert f"{len(BREAKS)} kept, 0 broken" in done.stdout


def test_every_contract_has_a_break_to_catch():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert [contract["name"] for contract in contracts] == list(BREAKS)


@pytest.mark.parametrize("contract", BREAKS)
def test_a_planted_break_is_caught(tmp_path, contract):
    copy_tree(tmp_path)
    file, line = BREAKS[contract]
    planted = tmp_path / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text((planted.read_text() if planted.exists() else '"""New."""\n') + f"\n{line}\n")

    done = lint(tmp_path)

    assert done.returncode == 1
    assert f"{contract} BROKEN" in done.stdout


def test_an_unlisted_room_is_caught(tmp_path):
    copy_tree(tmp_path)
    (tmp_path / "orchestrator" / "drawer.py").write_text('"""New."""\n')

    assert lint(tmp_path).returncode == 1
