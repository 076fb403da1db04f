"""What must be instant stays light: no torch, ray, mlflow or optuna for help, validate, lint, schema and lists."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.specs import toy_spec

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "ray", "mlflow", "optuna", "pandas", "scipy", "sklearn", "matplotlib"}
FILE = "search_spaces/multitask.yaml"
COMMANDS = [("--help",), ("validate", FILE), ("lint", FILE), ("schema",), ("schema", "multitask")]
LOADED = "import sys; from orchestrator.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
SLACK = 2
"""The goals hold on a quiet machine; a shared one is allowed this factor."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_heavy_library_is_loaded(command):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize("command", [("ls",), ("status", "toy-1"), ("compare", "toy-1/0")], ids=" ".join)
def test_a_list_of_sweeps_needs_none_either(desk, command):
    desk.run(toy_spec(trials=2))
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command, "--home", desk.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, "toy-1" in done.stdout) == (0, True)
    assert HEAVY & set(done.stderr.split()) == set()


def test_a_driver_on_ray_needs_no_torch():
    """Its workers do: here it would cost a second at the start and 180 MB."""
    imports = "import sys, orchestrator.cli.run, orchestrator.execution.ray_tune, ray.tune"
    done = subprocess.run([sys.executable, "-c", f"{imports}; sys.exit('torch' in sys.modules)"], cwd=ROOT, timeout=120)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("command", "goal_s"),
    [(("--help",), 0.35), (("validate", FILE), 0.6), (("lint", FILE), 0.6)],
    ids=["help", "validate", "lint"],
)
def test_it_is_quick(command, goal_s):
    took_s = []
    for _ in range(5):
        began_s = time.perf_counter()
        subprocess.run([sys.executable, "-m", "orchestrator", *command], cwd=ROOT, check=True, capture_output=True)
        took_s.append(time.perf_counter() - began_s)
        if took_s[-1] < goal_s:
            return

    assert min(took_s) < SLACK * goal_s
