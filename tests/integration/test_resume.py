"""A driver that is killed at any moment: whatever it was doing, the resumed sweep ends with the exact counts."""

import random
import time
from collections import Counter

import pytest

from orchestrator.trial import TrialState
from tests.support.commands import Orch, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(290), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
TRIALS, EPOCHS, KILLS = 14, 6, 10


def outcome(records):
    """What must not depend on being killed."""
    return [
        (r.number, r.state, r.params, r.ending.reason, r.decisions, [(m.step, m.metrics["val/score"]) for m in
         r.measurements])
        for r in records
    ]  # fmt: skip


def test_ten_kills_change_nothing(orch, tmp_path):
    sections = {
        "trials": TRIALS,
        "config": {"epochs": EPOCHS, "epoch_s": 0.03},
        "sampler": {"type": "tpe", "startup_trials": 4},
        "pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
        "stop": [{"type": "target", "value": 0.98}],
    }
    file = orch.file(**sections)
    (tmp_path / "straight").mkdir()
    straight = Orch(tmp_path / "straight")
    assert straight.run("sweep", file, "--runner", "local", "--quiet").code == 0

    rng = random.Random(0)
    process = orch.start("sweep", file, "--runner", "local", "--quiet")
    wait_for(lambda: (orch.home / "ledger.db").exists() and orch.records(), what="the first trial")
    kills = 0
    while kills < KILLS:
        time.sleep(rng.uniform(0.0, 0.4))
        if process.poll() is not None:
            break
        process.kill()
        orch.end(process)
        kills += 1
        before = len([m for r in orch.records() for m in r.measurements])
        process = orch.start("resume", "toy-1", "--runner", "local", "--quiet")
        wait_for(
            lambda: process.poll() is not None or len([m for r in orch.records() for m in r.measurements]) > before,  # noqa: B023
            what="another measurement",
        )
    done = orch.end(process)
    while done.code == -9:
        done = orch.run("resume", "toy-1", "--runner", "local", "--quiet")
    assert done.code == 0, done.err
    assert kills >= 5
    records = orch.records()
    assert outcome(records) == outcome(straight.records())
    assert {r.state for r in records} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert max(r.attempt for r in records) > 1
    runs = Counter((number, status) for _, number, status in orch.runs())
    assert runs == Counter((number, status) for _, number, status in straight.runs())
    assert len(runs) == TRIALS + 1
    straight.close()
