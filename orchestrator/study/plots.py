"""Plots of a sweep in one self-contained HTML page: Optuna's history and parallel coordinates, and the importance.

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
    plot_pareto_front,
)

from orchestrator.study.hypervolume import Hypervolume
from orchestrator.study.importance import Importance
from orchestrator.study.ledger import Ledger

Plot = Callable[..., go.Figure]
MAX_FRONT_OBJECTIVES = 3


def write_plots(
    ledger: Ledger, path: Path, *, important: Importance | None = None, volume: Hypervolume | None = None
) -> bool:
    """Write the page with the plots that the trials so far allow; False when there is none to draw.

    Args:
        important: None where too few trials can be compared.
        volume: of a sweep with several objectives.
    """
    study = ledger.study
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    drawn: list[Plot] = [plot_optimization_history, plot_parallel_coordinate] if complete else []
    figures = [figure for plot in drawn if (figure := _draw(plot, study, ledger.spec.objective.metric)) is not None]
    if important is not None:
        figures.insert(1, _importance(important))
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


def _importance(found: Importance) -> go.Figure:
    """The most important parameter on top."""
    names = list(found.shares)[::-1]
    shares = [found.shares[name] for name in names]
    epochs = ", ".join(str(at.epoch) for at in found.epochs)
    title = {"text": f"Parameter importance, trials compared at epochs {epochs}"}
    bars = go.Bar(x=shares, y=names, orientation="h", text=[f"{share:.2f}" for share in shares])
    return go.Figure(bars, {"title": title, "xaxis": {"title": {"text": "Share of the explained variance"}}})


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
