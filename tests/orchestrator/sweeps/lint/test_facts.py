"""What is known of this machine at once."""

from orchestrator.sweeps.lint.facts import facts_here
from orchestrator.sweeps.paths import Home
from tests.support.specs import toy_spec


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    facts = facts_here(toy_spec(), Home(tmp_path / "a" / "b"))

    assert facts.free_bytes is not None
    assert facts.free_bytes > 0
    assert not (tmp_path / "a").exists()


def test_the_concurrency_is_the_file_s_or_unknown(tmp_path):
    assert facts_here(toy_spec(), Home(tmp_path)).concurrency is None
    assert facts_here(toy_spec(resources={"max_concurrent": 3}), Home(tmp_path)).concurrency == 3
