"""Optuna's own plots of a sweep as PNG files: history, parallel coordinates, importance."""

import warnings
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import optuna
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

from orchestrator.study.ledger import Ledger

MIN_TRIALS_FOR_IMPORTANCE = 4


def write_plots(ledger: Ledger, folder: Path) -> list[Path]:
    """Write the plots that the trials so far allow; returns their paths."""
    study = ledger.study
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    metric = ledger.spec.objective.metric
    drawn = [_save(plots.plot_optimization_history, study, folder / "history.png", metric)]
    drawn.append(_save(plots.plot_parallel_coordinate, study, folder / "parallel_coordinates.png", metric))
    if len({t.value for t in complete}) > 1 and len(complete) >= MIN_TRIALS_FOR_IMPORTANCE:
        drawn.append(_save(plots.plot_param_importances, study, folder / "importance.png", metric))
    return [path for path in drawn if path is not None]


def _save(plot: object, study: optuna.Study, path: Path, metric: str) -> Path | None:
    assert callable(plot)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plot(study, target_name=metric)
        except (ValueError, RuntimeError):
            # Too few trials or only one value: Optuna has nothing to draw.
            return None
        figure = plt.gcf()
        figure.set_size_inches(11, 6)
        figure.savefig(path, dpi=110, bbox_inches="tight")
        plt.close("all")
    return path
