"""The command group: help, unknown commands, and errors as text and exit codes."""

import click
import pytest

from orchestrator.cli import main as entry
from orchestrator.cli.main import COMMANDS, cli
from orchestrator.errors import ExitCode, InfrastructureError, IntegrityError, LockedError, UsageError


def test_help_lists_every_command_with_its_line(orch):
    answer = orch("--help")

    assert answer.code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in answer.out
        assert line in answer.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_and_its_options(orch, name):
    answer = orch(name, "--help")

    assert answer.code == 0
    assert answer.out.startswith(f"Usage: orch {name}")
    command = cli.get_command(click.Context(cli), name)
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


@pytest.mark.parametrize(
    ("word", "hint"), [("swep", "Did you mean 'sweep'?"), ("xyzzy", "There is no command 'xyzzy'.")]
)
def test_an_unknown_command_is_a_message_with_the_nearest_name(orch, word, hint):
    answer = orch(word)

    assert answer.code == 2
    assert hint in answer.err
    assert answer.out == ""


def test_a_missing_argument_and_an_unknown_option_are_usage_errors(orch):
    assert orch("show").code == 2
    answer = orch("ls", "--jsno")
    assert (answer.code, "--json" in answer.err) == (2, True)


def test_version(orch):
    assert orch("--version").out.startswith("orch, version ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("it cannot be"), ExitCode.USAGE),
        (InfrastructureError("it is down"), ExitCode.INFRASTRUCTURE),
        (LockedError("it is taken"), ExitCode.LOCKED),
        (IntegrityError("it contradicts"), ExitCode.INTEGRITY),
        (PermissionError(13, "Permission denied", "/some/where"), ExitCode.INFRASTRUCTURE),
        (KeyboardInterrupt(), ExitCode.SIGINT),
    ],
)
def test_errors_become_one_line_and_their_exit_code(orch, monkeypatch, error, code):
    def raises(**_):
        raise error

    monkeypatch.setattr(cli, "main", raises)
    answer = orch("ls")

    assert answer.code == code
    assert answer.err.startswith("orch: ")
    assert str(error) in answer.err
    assert answer.err.count("\n") == 1


def test_every_line_of_a_long_message_is_marked_or_indented(orch, monkeypatch):
    def raises(**_):
        raise UsageError("first\n  detail\nsecond")

    monkeypatch.setattr(cli, "main", raises)

    assert orch("ls").err == "orch: first\n  detail\norch: second\n"


def test_the_package_s_entry_point_is_the_command():
    assert callable(entry)
