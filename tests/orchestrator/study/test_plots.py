"""Plots are drawn as soon as they can be, and never stand in the way."""

import pytest

from orchestrator.study.plots import write_plots
from tests.support.specs import toy_spec


@pytest.mark.parametrize(
    ("trials", "names"),
    [
        (2, {"history.png", "parallel_coordinates.png"}),
        (5, {"history.png", "parallel_coordinates.png", "importance.png"}),
    ],
)
def test_each_plot_needs_some_trials(desk, tmp_path, trials, names):
    desk.run(toy_spec(trials=trials))
    paths = write_plots(desk.reopen(), tmp_path / "plots")
    assert {path.name for path in paths} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_sweep_without_a_complete_trial_has_none(desk, tmp_path):
    desk.run(toy_spec(trials=1, config={"mode": "raise"}))
    assert write_plots(desk.reopen(), tmp_path / "plots") == []
    assert not (tmp_path / "plots").exists()
