"""`orch plan`: what it prints, and that it writes nothing."""

import json

import pytest

from tests.orchestrator.cli.conftest import SWEEP, listing


@pytest.mark.slow
def test_a_plan_with_a_probe_makes_nothing_here(folder, orch):
    before = listing(folder)
    answer = orch("plan", "toy.yaml", "--runner", "local")

    assert answer.code == 0
    assert listing(folder) == before
    assert "3 short trials, 1 at a time on this process, measured now" in answer.out
    assert "9 in all, up to 3 each; every trial runs to its end" in answer.out
    for row in ("concurrency", "overhead", "memory", "time", "core-hours", "intervals", "disk"):
        assert f"\n{row} " in answer.out


@pytest.mark.slow
def test_a_plan_of_what_would_raise_says_so(folder, orch):
    answer = orch("plan", "toy.yaml", "--runner", "local", "--set", "config.fails=true")

    assert answer.code == 0
    assert "pace         not known: the probe failed: ValueError: no luck" in answer.out
    assert "Traceback" not in answer.err


def test_a_plan_without_a_probe_makes_nothing(folder, orch):
    before = listing(folder)
    answer = orch("plan", "toy.yaml", "--no-probe")

    assert answer.code == 0
    assert listing(folder) == before
    assert not (folder / ".orch").exists()
    assert "3 of toy:train, sampler random, pruner none" in answer.out
    assert "not known: no earlier sweep like this one, and no probe" in answer.out
    assert str(folder / ".orch" / "ledger.db") in answer.out
    assert [line.split()[0] for line in answer.out.splitlines()[-3:]] == ["0", "1", "2"]


def test_a_plan_beside_an_earlier_sweep_leaves_every_byte_and_takes_its_pace(finished, orch):
    before = listing(finished.folder)
    answer = orch("plan", "toy.yaml", "--runner", "local")

    assert "(sweep toy-1, 1 at a time)" in answer.out
    assert "9 in all, up to 3 each" in answer.out
    assert listing(finished.folder) == before


def test_a_plan_shows_what_the_sweep_then_does(finished, orch):
    plan = orch("plan", "toy.yaml", "--json", "--runner", "local").json
    done = json.loads(finished.out)

    assert plan["configurations"] == [trial["params"] for trial in done["trials"]]
    assert plan["trials"] == 3
    assert plan["forecast"]["epochs"] == {"low": 9, "mid": 9, "high": 9}
    assert plan["forecast"]["device_hours"]["low"] > 0


def test_a_budget_is_answered(finished, orch):
    answer = orch("plan", "toy.yaml", "--runner", "local", "--budget", "epochs=4")
    assert "--budget     4 epochs buys 1 trials, 4 epochs, 44% of the sweep" in answer.out
    assert "--set budget.trials=1 fits into it" in answer.out
    assert "a pruner (asha) would end most trials early" in answer.out
    assert "the whole sweep needs up to epochs=9" in answer.out

    answer = orch("plan", "toy.yaml", "--runner", "local", "--budget", "2h")
    assert "--budget     2:00:00 buys 3 trials, 9 epochs, 100% of the sweep" in answer.out
    assert "the whole sweep fits" in answer.out


def test_a_budget_that_cannot_be_read(folder, orch):
    answer = orch("plan", "toy.yaml", "--no-probe", "--budget", "soon")
    assert answer.code == 2
    assert "--budget 'soon' cannot be read; the forms are a time such as 2h" in answer.err


def test_the_budget_of_the_file_and_the_confirmation_are_told(finished, orch):
    answer = orch(
        "plan", "toy.yaml", "--runner", "local", "--set", "budget.epochs=5", "--set", "confirm={top: 1, seeds: 3}"
    )
    assert "budget       5 epochs: 1 of 3 trials end, all of them in 0% of cases" in answer.out
    assert "confirm      6 to 6 trainings in full after the search" in answer.out


def test_a_plan_of_a_pruned_sweep_says_what_its_epochs_rest_on(folder, orch):
    (folder / "toy.yaml").write_text(SWEEP + "pruner: {type: asha, min_epochs: 1, reduction_factor: 3}\n")
    answer = orch("plan", "toy.yaml", "--no-probe", "--set", "config.epochs=9", "--set", "budget.trials=9")
    assert "up to 9 each; asha rehearsed on random curves" in answer.out
