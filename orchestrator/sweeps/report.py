"""The files that a finished sweep leaves behind and shows on its MLflow parent run: leaderboard, importance, plots."""

import json
from collections.abc import Sequence
from pathlib import Path

from orchestrator import analysis
from orchestrator.study import Ledger
from orchestrator.study.matched_epochs import importance, note_importance
from orchestrator.study.plots import write_plots
from orchestrator.sweeps.summary import dominated_volume
from orchestrator.trial import TrialRecord


def write_report(ledger: Ledger, trials: Sequence[TrialRecord], folder: Path) -> list[Path]:
    """Write leaderboard (CSV, HTML), importance (JSON) and plots; returns the paths of those that there are.

    A confirmation searches nothing: its trials have a leaderboard alone, and a report of their own later.
    """
    folder.mkdir(parents=True, exist_ok=True)
    objectives = ledger.spec.objectives
    rows = analysis.leaderboard(trials, ledger.spec.objective, further=ledger.spec.further_objectives)
    csv, html = folder / "leaderboard.csv", folder / "leaderboard.html"
    csv.write_text(analysis.to_csv(rows))
    html.write_text(analysis.to_html(rows, title=ledger.name))
    if ledger.sweep.confirms is not None:
        return [csv, html]
    important = importance(ledger)
    note_importance(ledger, important)
    shares, plots = folder / "importance.json", folder / "plots.html"
    if important is not None:
        shares.write_text(json.dumps(important.to_json(), indent=1))
    volume = dominated_volume(trials, objectives)
    drawn = write_plots(ledger, plots, important=important, volume=volume)
    return [csv, html] + [shares] * (important is not None) + [plots] * drawn
