"""Shared options: a flag, its environment variable, and its default."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from orchestrator.cli.options import home_options, run_options
from orchestrator.sweeps.paths import Home


def parsed(decorator, arguments=(), environment=None):
    seen = {}

    @click.command()
    @decorator
    def command(**values):
        seen.update(values)
        return 0

    result = CliRunner().invoke(command, list(arguments), env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen


def test_home_is_one_value_with_defaults():
    assert parsed(home_options) == {"home": Home(Path(".orch"), None, None, None)}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--home", "h", "--ledger", "l", "--tracking-uri", "t", "--storage", "s"], {"ORCH_HOME": "overruled"}),
        ([], {"ORCH_HOME": "h", "ORCH_LEDGER": "l", "MLFLOW_TRACKING_URI": "t", "ORCH_STORAGE": "s"}),
    ],
)
def test_flags_and_environment_say_the_same(arguments, environment):
    assert parsed(home_options, arguments, environment) == {
        "home": Home(Path("h"), SecretStr("l"), SecretStr("t"), Path("s"))
    }


def test_run_options():
    options = parsed(run_options, ["--runner", "local", "--epochs"], {"ORCH_RAY_ADDRESS": "a:1"})["options"]

    assert (options.runner, options.address, options.epochs, options.quiet) == ("local", "a:1", True, False)
