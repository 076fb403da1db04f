"""Optuna's own plots of a sweep in one self-contained HTML page: history, importance, parallel coordinates."""

import warnings
from collections.abc import Callable
from pathlib import Path

import optuna
import plotly.graph_objects as go
import plotly.io
from optuna.trial import TrialState
from optuna.visualization import plot_optimization_history, plot_parallel_coordinate, plot_param_importances

from orchestrator.study.ledger import Ledger

Plot = Callable[..., go.Figure]
MIN_TRIALS_FOR_IMPORTANCE = 4


def write_plots(ledger: Ledger, path: Path) -> bool:
    """Write the page with the plots that the complete trials so far allow; False when there is none to draw."""
    study = ledger.study
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    drawn: list[Plot] = []
    if complete:
        drawn = [plot_optimization_history, plot_parallel_coordinate]
    if len({trial.value for trial in complete}) > 1 and len(complete) >= MIN_TRIALS_FOR_IMPORTANCE:
        drawn.insert(1, plot_param_importances)
    figures = [figure for plot in drawn if (figure := _draw(plot, study, ledger.spec.objective.metric)) is not None]
    # The first figure brings plotly's code for all, so that the page works offline.
    parts = [
        plotly.io.to_html(figure, full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    ]
    if parts:
        path.write_text(f"<!doctype html><meta charset=utf-8><title>{ledger.name}</title>{''.join(parts)}")
    return bool(parts)


def _draw(plot: Plot, study: optuna.Study, metric: str) -> go.Figure | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plot(study, target_name=metric)
        except (ValueError, RuntimeError):
            # Too few different values: Optuna has nothing to draw.
            return None
