"""Optuna's own plots of a sweep in one self-contained HTML page: history, importance, parallel coordinates.

With several objectives also the Pareto front and the dominated volume; the other plots are of the first objective.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import optuna
import plotly.graph_objects as go
import plotly.io
from optuna.trial import TrialState
from optuna.visualization import (
    plot_optimization_history,
    plot_parallel_coordinate,
    plot_param_importances,
    plot_pareto_front,
)

from orchestrator.study.hypervolume import Hypervolume
from orchestrator.study.ledger import Ledger

Plot = Callable[..., go.Figure]
MAX_FRONT_OBJECTIVES = 3
MIN_TRIALS_FOR_IMPORTANCE = 4


def write_plots(ledger: Ledger, path: Path, *, volume: Hypervolume | None = None) -> bool:
    """Write the page with the plots that the complete trials so far allow; False when there is none to draw.

    Args: volume: of a sweep with several objectives.
    """
    study = ledger.study
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    drawn: list[Plot] = []
    if complete:
        drawn = [plot_optimization_history, plot_parallel_coordinate]
    if len({trial.values[0] for trial in complete}) > 1 and len(complete) >= MIN_TRIALS_FOR_IMPORTANCE:
        drawn.insert(1, plot_param_importances)
    figures = [figure for plot in drawn if (figure := _draw(plot, study, ledger.spec.objective.metric)) is not None]
    figures += _fronts(ledger, volume) if complete else []
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
            # Optuna draws the best value so far only where it is not told what to draw.
            first = {"target": lambda trial: trial.values[0]} if len(study.directions) > 1 else {}
            return plot(study, target_name=metric, **first)
        except (ValueError, RuntimeError):
            # Too few different values: Optuna has nothing to draw.
            return None


def _fronts(ledger: Ledger, volume: Hypervolume | None) -> list[go.Figure]:
    """The Pareto front, which can be drawn of two or three objectives, and the dominated volume."""
    names = [objective.metric for objective in ledger.spec.objectives]
    figures = []
    if 1 < len(names) <= MAX_FRONT_OBJECTIVES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figures.append(plot_pareto_front(ledger.study, target_names=names))
    if volume is not None:
        numbers, volumes = zip(*volume.over_trials, strict=True)
        title = {"text": "Dominated volume"}
        axes = {"xaxis": {"title": {"text": "Trial"}}, "yaxis": {"title": {"text": "Hypervolume"}}}
        figures.append(go.Figure(go.Scatter(x=numbers, y=volumes, mode="lines+markers"), {"title": title, **axes}))
    return figures
