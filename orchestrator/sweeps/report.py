"""The files that a finished sweep leaves behind and shows on its MLflow parent run: leaderboard and plots."""

from pathlib import Path

from orchestrator import analysis
from orchestrator.study import Ledger
from orchestrator.study.plots import write_plots
from orchestrator.sweeps.summary import dominated_volume


def write_report(ledger: Ledger, folder: Path) -> list[Path]:
    """Write leaderboard (CSV, HTML) and plots; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    trials, objectives = ledger.records(), ledger.spec.objectives
    rows = analysis.leaderboard(trials, ledger.spec.objective, further=ledger.spec.further_objectives)
    csv, html = folder / "leaderboard.csv", folder / "leaderboard.html"
    csv.write_text(analysis.to_csv(rows))
    html.write_text(analysis.to_html(rows, title=ledger.name))
    plots = folder / "plots.html"
    volume = dominated_volume(trials, objectives)
    return [csv, html, plots] if write_plots(ledger, plots, volume=volume) else [csv, html]
