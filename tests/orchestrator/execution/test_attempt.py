"""One attempt: checkpoints that can be trusted, resumes that go on exactly, and clean-up when it ends early."""

import shutil
from dataclasses import replace

import pytest
import torch

from orchestrator.execution import attempt as attempt_module
from orchestrator.execution.assignment import Assignment, Done, Measured, Raised
from orchestrator.execution.attempt import Attempt, is_out_of_memory
from orchestrator.execution.checkpoint_names import step_folder, steps_in
from orchestrator.execution.yielded import checked
from orchestrator.spec import Direction, Objective
from tests.conftest import ROOT
from tests.support.quick_configs import QUICK
from tests.support.specs import TOY
from trainables.contract import Measurement, Purpose
from trainables.metrics.resampling import NUM_RESAMPLES

OBJECTIVE = Objective(metric="val/score", direction=Direction.MAXIMIZE)


@pytest.fixture
def assign(tmp_path):
    """An assignment for the toy; keywords change it, `config` the toy's config."""

    def make(config=None, **fields):
        defaults = {
            "attempt": 1,
            "checkpoints": tmp_path / "checkpoints",
            "checkpoint_interval_s": 0.0,
            "directory": ROOT,
        }
        return Assignment(
            number=0,
            trainable=TOY,
            config={"epochs": 5, "diary": str(tmp_path / "diary"), **(config or {})},
            objective=OBJECTIVE,
            seeds=(7,),
            **{**defaults, **fields},
        )

    return make


def advance(attempt, count=100):
    outcomes = []
    while len(outcomes) < count and not (outcomes and not isinstance(outcomes[-1], Measured)):
        outcomes.append(attempt.advance())
    return outcomes


def curve(outcomes):
    return [(o.step, o.metrics["val/score"], o.metrics["noise"]) for o in outcomes if isinstance(o, Measured)]


def test_an_attempt_goes_from_the_untrained_model_to_done(assign):
    outcomes = advance(Attempt(assign()))
    assert [o.step for o in outcomes[:-1]] == [0, 1, 2, 3, 4, 5]
    assert isinstance(outcomes[-1], Done)
    assert all(o.train_s > 0 for o in outcomes[:-1])


def test_what_was_not_read_is_told_at_the_end_but_not_after_a_resume(assign):
    assert advance(Attempt(assign({"z": 1.0})))[-1] == Done(unread=("z",))
    assert advance(Attempt(assign({"z": 1.0}, last_step=4)))[-1] == Done()


def test_an_attempt_takes_no_more_than_its_share(assign, monkeypatch):
    taken = []
    monkeypatch.setattr(attempt_module, "limit_gpu_memory", taken.append)
    monkeypatch.setattr(attempt_module, "limit_threads", taken.append)
    Attempt(assign(threads=3, gpu_fraction=0.25)).advance()
    assert taken == [3, 0.25]


@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_a_paused_attempt_goes_on_where_it_was(assign, stop):
    straight = curve(advance(Attempt(assign())))
    shutil.rmtree(assign().checkpoints)
    first = Attempt(assign(checkpoint_interval_s=1000.0))
    begun = advance(first, stop + 1)
    first.save()
    first.close()
    rest = advance(Attempt(assign(last_step=stop)))
    assert curve(begun) + curve(rest) == straight


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(assign):
    straight = curve(advance(Attempt(assign()), 4))
    path = step_folder(assign().checkpoints, 3) / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    again = advance(Attempt(assign(last_step=3)), 1)
    assert curve(again) == straight[3:4], "repeats step 3 from the checkpoint of step 2"


def test_without_a_sound_checkpoint_the_trial_begins_again(assign):
    straight = curve(advance(Attempt(assign()), 4))
    for step in steps_in(assign().checkpoints):
        (step_folder(assign().checkpoints, step) / "manifest.json").write_text("{")
    assert curve(advance(Attempt(assign(last_step=3)), 4)) == straight


@pytest.mark.parametrize("last_step", [None, 1])
def test_a_checkpoint_that_is_newer_than_the_ledger_is_not_used(assign, last_step):
    advance(Attempt(assign(checkpoint_interval_s=0.0)), 6)
    assert 5 in steps_in(assign().checkpoints)
    again = Attempt(assign(last_step=last_step))
    (outcome,) = advance(again, 1)
    assert outcome.step == 0, "steps 0 and 1 were thinned out: the trial begins again"
    assert steps_in(assign().checkpoints) == [0]


def test_the_best_checkpoint_outlives_newer_ones(assign):
    advance(Attempt(assign(config={"epochs": 8, "mode": "raise", "at": 9})))
    shutil.rmtree(assign().checkpoints)
    attempt = Attempt(assign(config={"epochs": 8, "mode": "collapse", "at": 3}))
    advance(attempt)  # rises to .75 at epoch 2, then falls to .53 and creeps up
    assert steps_in(assign().checkpoints) == [2, 7, 8]


def test_the_best_checkpoint_is_written_however_the_attempt_ends(assign):
    ends = {"done": {}, "stopped": {}, "raised": {"mode": "raise", "at": 4}}
    for end, config in ends.items():
        shutil.rmtree(assign().checkpoints, ignore_errors=True)
        attempt = Attempt(assign(config=config, checkpoint_interval_s=1000.0))
        advance(attempt, 4 if end == "stopped" else 100)
        attempt.close()
        assert steps_in(assign().checkpoints) == [5 if end == "done" else 3], end


def test_a_best_that_died_with_its_process_is_kept_when_it_is_measured_again(assign):
    advance(Attempt(assign(checkpoint_interval_s=1000.0)), 4)  # killed: step 3 was the best, in memory alone
    again = Attempt(assign(last_step=3, best_value=0.875, best_step=3, checkpoint_interval_s=1000.0))
    advance(again, 4)
    again.close()
    assert steps_in(assign().checkpoints) == [3]


def test_the_untrained_model_is_no_best(assign):
    attempt = Attempt(assign(config={"mode": "sink"}, checkpoint_interval_s=1000.0))
    advance(attempt, 3)
    attempt.close()
    assert steps_in(assign().checkpoints) == [1]


def test_an_early_end_runs_the_trainables_clean_up(assign, tmp_path):
    attempt = Attempt(assign())
    advance(attempt, 3)
    assert "end" not in (tmp_path / "diary").read_text()
    attempt.close()
    attempt.close()
    assert (tmp_path / "diary").read_text().splitlines()[-1].endswith("end")


@pytest.mark.parametrize("interval_s", [0.0, 1000.0])
def test_a_state_that_cannot_be_written_fails_the_trial_and_not_the_driver(assign, interval_s):
    attempt = Attempt(assign(config={"mode": "odd_state"}, checkpoint_interval_s=interval_s))
    last = advance(attempt)[-1]
    assert isinstance(last, Raised)
    assert "a checkpoint cannot hold a function" in last.message
    attempt.close()


def test_a_pause_survives_a_state_that_cannot_be_written(assign, capsys):
    attempt = Attempt(assign(config={"mode": "odd_state"}, checkpoint_interval_s=1000.0))
    advance(attempt, 1)
    attempt.save()
    attempt.close()
    assert "CheckpointError" in capsys.readouterr().err


def test_a_refused_config_is_one_line(assign):
    (outcome,) = advance(Attempt(assign(config={"x": 99.0})))
    assert outcome.message.startswith("the config is not valid: x: ")


def test_nothing_runs_before_the_first_step(assign, tmp_path):
    Attempt(assign()).close()
    assert not (tmp_path / "diary").exists()


def test_faulty_data_is_told_in_one_line_without_a_traceback(assign, tmp_path):
    data = {
        "source": "files",
        "path": str(tmp_path / "none.csv"),
        "labels": [{"column": "rude", "classes": ["0", "1"]}],
    }
    (raised,) = advance(Attempt(replace(assign(), trainable="toxicity", config={"data": data})))
    assert "none.csv" in raised.message
    assert raised.traceback == ""


@pytest.fixture
def assign_adapter(assign):
    """The adapter on generated embeddings, its objective R^2."""

    def make(**fields):
        objective = Objective(metric="val/r2", direction=Direction.MAXIMIZE)
        return replace(assign(**fields), trainable="adapter", config=QUICK["adapter"], objective=objective)

    return make


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("step", [1, 2])
def test_a_test_measures_the_step_that_was_asked_for_and_leaves_the_checkpoints_alone(assign_adapter, step):
    trained = advance(Attempt(assign_adapter()))
    before = contents(assign_adapter().checkpoints)
    attempt = Attempt(assign_adapter(purpose=Purpose.TEST, last_step=step))
    tested, done = advance(attempt)
    attempt.save()
    attempt.close()
    assert tested.step == step and isinstance(done, Done)
    assert tested.metrics.keys() == {f"test/{n[4:]}" for n in trained[step].metrics if n.startswith("val/")}
    assert len(tested.resamples["test/r2"]) == NUM_RESAMPLES
    assert contents(assign_adapter().checkpoints) == before


def test_a_test_of_a_step_without_a_checkpoint_says_which_there_are(assign_adapter):
    advance(Attempt(assign_adapter()))
    (raised,) = advance(Attempt(assign_adapter(purpose=Purpose.TEST, last_step=7)))
    assert isinstance(raised, Raised) and raised.traceback == ""
    assert "no checkpoint of step 7; there are [" in raised.message
    (raised,) = advance(Attempt(assign_adapter(purpose=Purpose.TEST)))
    assert "a test needs the step whose checkpoint it measures" in raised.message


def test_a_retraining_measures_nothing_on_val(assign_adapter):
    first, *epochs, _ = advance(Attempt(assign_adapter(purpose=Purpose.RETRAIN)))
    assert first.metrics == {}
    assert all(name.startswith("train/") for epoch in epochs for name in epoch.metrics)


def test_an_attempt_that_was_replaced_writes_no_more(assign):
    """A worker that everybody took for dead may come back while its trial goes on elsewhere."""
    earlier, later = Attempt(assign()), Attempt(assign(attempt=2, last_step=0))
    earlier.advance()
    later.advance()
    raised = earlier.advance()
    assert isinstance(raised, Raised)
    assert "attempt 2 has taken over from attempt 1" in raised.message
    assert isinstance(Attempt(assign()).advance(), Raised), "one that starts late does not even begin"
    assert isinstance(later.advance(), Measured)
    later.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


def test_torch_really_says_so():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**62, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


def test_what_was_raised_is_stored_without_passwords_and_up_to_a_length():
    url = "postgresql://me:secret@host/db"
    raised = Raised(f"cannot reach {url} {'x' * 10_000}", "y" * 100_000 + f"cannot reach {url}")
    assert "secret" not in raised.message + raised.traceback
    assert (len(raised.message), len(raised.traceback)) == (1_000, 20_000)
    assert raised.traceback.endswith("cannot reach postgresql://***@host/db")


@pytest.mark.parametrize(
    ("metrics", "what"),
    [
        ({f"m{n}": 0.0 for n in range(100_000)}, "100000 metrics in one measurement; at most 1000"),
        ({"x" * 251: 0.0}, "a name has 1 to 250 characters"),
        ({3: 0.0}, "a metric is named '3'"),
    ],
)
def test_a_measurement_has_an_end(metrics, what):
    with pytest.raises(ValueError, match=what):
        checked(Measurement(1, metrics), after=0)
