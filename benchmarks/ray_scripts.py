"""What the Ray Tune scripts that Orch is measured against have in common around them: options, a folder, JSON."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""The environment in which neither library reports to its makers."""


def parser(description: str) -> argparse.ArgumentParser:
    """The options of all of them."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--trials", type=int, default=32)
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--concurrent", type=int, default=2)
    return options


def print_figures(run: Callable[..., dict[str, float]], options: argparse.Namespace) -> None:
    """Run a sweep in a folder that is removed again, and print its figures as one JSON line."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory(prefix="ray-tune-") as folder:
        figures = run(Path(folder), **vars(options))
    json.dump(figures, sys.stdout)
    print()
