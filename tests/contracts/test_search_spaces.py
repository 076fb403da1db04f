"""Every sweep file that is shipped: it loads, fits its trainable, and says what it asks and costs."""

from pathlib import Path

import pytest

from orchestrator.execution.reads import Reads
from orchestrator.spec import resolve
from orchestrator.study.preview import first_configurations
from orchestrator.sweeps.checks import check_file
from trainables.contract import TrialContext
from trainables.registry import load_train

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_has_no_fault_and_a_header(path):
    checked = check_file(path, directory=ROOT)
    first, *rest = path.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=sweep.schema.json"
    header = "\n".join(line for line in rest if line.startswith("#"))
    assert all(word in header for word in ("Question:", "Budget:", "Cost:"))
    assert checked.spec.budget.trials >= 1


def test_the_names_of_shipped_sweeps_differ():
    names = [check_file(path, directory=ROOT).spec.name for path in FILES]
    assert len(set(names)) == len(names) > 0


def bundled():
    return [path for path in FILES if "root:" not in path.read_text() and "path:" not in path.read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.stem)
def test_a_trainable_reads_every_key_that_a_shipped_file_sets(path):
    checked = check_file(path, directory=ROOT)
    (params,) = first_configurations(checked.spec, checked.fixed, count=1)
    nested = resolve(checked.spec, params)
    reads = Reads(checked.info.config_type.model_validate(nested))
    list(load_train(checked.spec.trainable)(reads.config, TrialContext(seed=0)))
    assert reads.unread(nested) == ()
