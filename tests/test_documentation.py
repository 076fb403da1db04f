"""The documentation is true: links lead somewhere, commands parse, make targets exist, and the example runs."""

import re
import shlex
from pathlib import Path

import click
import pytest

from orchestrator.cli.main import COMMANDS, cli
from orchestrator.sweeps.checks import check_file
from tests.support import own_trainable
from trainables.contract import TrialContext

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "trainables").rglob("*.md"))
    if not page.name.startswith(".")
)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
EXAMPLE = Path(own_trainable.__file__)


def code(page):
    """Fenced shell blocks as lines, and inline code."""
    text = page.read_text()
    blocks = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`([^`]+)`", prose)


def commands(page):
    """Arguments of each `orch ...` in a page; those with placeholders such as `...` and `[--json]` are left out."""
    for line in code(page):
        stripped = line.removeprefix("$ ").strip()
        words = stripped.split(" #")[0].split()
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if words[:1] == ["orch"] and len(words) > 1 and not re.search(r"\.\.\.|[\[\]<>|]", " ".join(words)):
            yield [word.replace("TRIAL", "0") for word in shlex.split(" ".join(words))[1:]]


def found(kind):
    return [pytest.param(page, item, id=f"{page.name}: {item}") for page in PAGES for item in kind(page)]


def links(page):
    return [
        target
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if not re.match(r"[a-z]+:", target) and not target.startswith("#")
    ]


@pytest.mark.parametrize(("page", "target"), found(links))
def test_a_relative_link_leads_somewhere(page, target):
    assert (page.parent / target.partition("#")[0]).exists()


@pytest.mark.parametrize(("page", "words"), found(lambda page: [" ".join(map(shlex.quote, w)) for w in commands(page)]))
def test_a_command_parses(page, words):
    name, *arguments = shlex.split(words)
    if name.startswith("-"):
        return
    assert name in COMMANDS
    command = cli.get_command(click.Context(cli), name)
    if not arguments:
        return  # `orch sweep` in prose names the command
    try:
        command.make_context(name, list(arguments))
    except click.exceptions.Exit:
        pass  # --help
    except click.UsageError as error:
        pytest.fail(f"{page.name}: orch {words}: {error.format_message()}")


def make_targets(page):
    return sorted({t for line in code(page) for t in re.findall(r"(?:^|\s)make ([a-z-]+)", line)})


@pytest.mark.parametrize(("page", "target"), found(make_targets))
def test_a_make_target_exists(page, target):
    assert target in TARGETS


def test_the_readme_opens_with_the_two_commands():
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)

    assert block
    assert [line.split(" #")[0].strip() for line in block[1].strip().splitlines()] == ["make sweep", "make test"]


def test_sweep_files_that_pages_name_are_there():
    named = {
        (page.name, file)
        for page in PAGES
        for file in re.findall(r"\b((?:search_spaces|benchmarks)/[\w./-]+\.\w+)", page.read_text())
        if file != "search_spaces/x.yaml"  # any file
    }

    assert [(page, file) for page, file in sorted(named) if not (ROOT / file).exists()] == []


def test_the_example_is_shown_as_it_is_and_is_short():
    text = EXAMPLE.read_text().strip()

    assert len(text.splitlines()) <= 25
    assert any(text in page.read_text() for page in PAGES)


def test_the_example_learns_and_resumes_where_it_was():
    kept = []
    config = own_trainable.Config(epochs=4, lr=0.25)
    context = TrialContext(save=lambda state: kept.append(state()))
    whole = list(own_trainable.train(config, context))

    assert [m.step for m in whole] == [0, 1, 2, 3, 4]
    assert whole[-1].metrics["val/error"] < whole[0].metrics["val/error"]
    assert list(own_trainable.train(config, TrialContext(resume=kept[2]))) == whole[3:]


def test_the_question_about_the_example_is_valid(tmp_path):
    """Each whole sweep file that a page shows."""
    shown = [
        block
        for page in PAGES
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        if re.match(r"(#.*\n)*name:", block) and "budget:" in block
    ]
    for number, block in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        check_file(file, directory=ROOT)
    assert shown
