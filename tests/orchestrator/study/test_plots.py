"""Plots are drawn as soon as they can be, and never stand in the way."""

import pytest

from orchestrator.study.matched_epochs import importance
from orchestrator.study.plots import write_plots
from tests.support.specs import SPACE, toy_spec

HISTORY, IMPORTANCE, COORDINATES = "Optimization History", "Parameter importance", "Parallel Coordinate"


@pytest.mark.parametrize(("trials", "titles"), [(2, [HISTORY, COORDINATES]), (5, [HISTORY, IMPORTANCE, COORDINATES])])
def test_each_plot_needs_some_trials(desk, tmp_path, trials, titles):
    desk.run(toy_spec(trials=trials, space={**SPACE, "z": SPACE["x"]}))
    ledger = desk.reopen()
    page = tmp_path / "plots.html"
    assert write_plots(ledger, page, important=importance(ledger))
    text = page.read_text()
    assert [title for title in (HISTORY, IMPORTANCE, COORDINATES) if f"{title}" in text] == titles


def test_the_page_needs_nothing_from_the_network(desk, tmp_path):
    desk.run(toy_spec(trials=2))
    page = tmp_path / "plots.html"
    write_plots(desk.reopen(), page)
    assert "<script src=" not in page.read_text()


def test_a_sweep_without_a_complete_trial_has_none(desk, tmp_path):
    desk.run(toy_spec(trials=1, config={"mode": "raise"}))
    assert not write_plots(desk.reopen(), tmp_path / "plots.html")
    assert not (tmp_path / "plots.html").exists()
