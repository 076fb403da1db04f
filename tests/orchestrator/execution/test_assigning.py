"""A suggestion becomes what a worker is sent; a stretch begins at its parent's checkpoint."""

from pathlib import Path

from orchestrator.execution.assigning import assign
from orchestrator.trial import Segment, Suggestion
from tests.support.specs import toy_spec


def assigned(suggestion, *, gpu_fraction=1.0, **sections):
    spec = toy_spec(**sections)
    return assign(suggestion, spec, checkpoints=Path("kept"), directory=Path("here"), gpu_fraction=gpu_fraction)


def test_the_config_is_the_files_overlaid_by_the_parameters():
    assignment = assigned(Suggestion(3, {"x": 0.5}, seeds=(7, 8)), config={"epochs": 2})
    assert assignment.config == {"epochs": 2, "x": 0.5}
    assert assignment.seeds == (7, 8)
    assert assignment.checkpoints == Path("kept/trial-0003")
    assert (assignment.start, assignment.until) == (None, None)


def test_a_stretch_begins_where_its_parent_ended():
    assignment = assigned(Suggestion(5, {"x": 0.5}, segment=Segment(1, parent=2, until=6), parent_step=4))
    assert assignment.start == Path("kept/trial-0002/step-000004")
    assert assignment.until == 6


def test_the_first_stretch_begins_untrained():
    assert assigned(Suggestion(0, {"x": 0.5}, segment=Segment(0, parent=None, until=2))).start is None


def test_a_trial_gets_the_threads_of_its_cores():
    assert assigned(Suggestion(0, {}), resources={"cpu": 3}).threads == 3
    assert assigned(Suggestion(0, {}), resources={"cpu": 0.5}).threads == 1


def test_a_trial_gets_its_share_of_a_gpu_and_one_that_is_alone_all_of_it():
    assert assigned(Suggestion(0, {}), gpu_fraction=0.25).gpu_fraction == 0.25
    assert assigned(Suggestion(0, {}, alone=True), gpu_fraction=0.25).gpu_fraction == 1.0


def test_a_worker_is_told_which_variables_it_keeps():
    assert assigned(Suggestion(0, {}), resources={"env": ["WANDB_API_KEY"]}).environment == ("WANDB_API_KEY",)
