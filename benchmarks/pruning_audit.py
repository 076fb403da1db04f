"""What pruning costs and saves: trials that a pruner stops are finished all the same.

    python benchmarks/pruning_audit.py                      # replay on the curves that are stored
    python benchmarks/pruning_audit.py --tabulate           # train these curves again (some minutes)
    python benchmarks/pruning_audit.py --sweep NAME         # finish pruned trials of a real sweep of yours

The stored curves are random configurations of a shipped search space at a small size, and the tables of the efficiency
benchmark; each was trained in full. A replayed sweep draws some of them in a random order and shows them to the pruner
epoch by epoch, a trial at a time; what it stops is known to its end.
"""

import argparse
import json
import math
import os
from pathlib import Path

import numpy as np
import optuna
import torch
from rich.console import Console
from rich.table import Table

from orchestrator.analysis.pruning_audit import FullCurve, PruningAudit, Share, audit_pruning
from orchestrator.spec import SweepSpec, load, resolve
from orchestrator.study import Ledger
from orchestrator.study.judging import Judge
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.pruning_audit import audit_sweep
from orchestrator.trial import Measurement, TrialRecord, TrialState
from trainables.contract import TrialContext
from trainables.registry import load_info, load_train

SPACE = Path("search_spaces/adapter.yaml")
CURVES = Path(__file__).parent / "pruning_curves.json"
TABLES = Path(__file__).parent / "efficiency" / "tables"
SMALL = ("config.epochs=9", "config.data.num_train=192")
NUM_CURVES, TRIALS = 40, 20
FIRST_RUNGS = (1, 3)
"""Epochs before which nothing is stopped."""


def stored() -> dict[str, list[list[float]]]:
    """The curves by where they come from; what was no number is NaN."""
    files = {f"{SPACE.name}, small": CURVES} | {f"table {path.stem}": path for path in sorted(TABLES.glob("*.json"))}
    rows = {name: json.loads(path.read_text()) for name, path in files.items()}
    return {name: [[math.nan if v is None else v for v in row] for row in found] for name, found in rows.items()}


def pruners(first: int) -> dict[str, dict]:
    """The rules, each with the same first epoch."""
    asha = {"type": "asha", "min_epochs": first, "reduction_factor": 3}
    return {
        "asha": asha,
        "hyperband": {"type": "hyperband", "min_epochs": first, "reduction_factor": 3},
        "median": {"type": "median", "startup_trials": 5, "min_epochs": first},
        "percentile": {"type": "percentile", "keep_percent": 25.0, "startup_trials": 5, "min_epochs": first},
        "wilcoxon": {"type": "wilcoxon", "p_threshold": 0.1, "min_epochs": first},
        "patient": {"type": "patient", "patience": 2},
        "patient asha": {"type": "patient", "patience": 2, "pruner": asha},
    }


def tabulate(spec: SweepSpec) -> None:
    """Train random configurations of the space in full and store their curves."""
    torch.set_num_threads(1)
    random = SweepSpec.model_validate(
        {
            **spec.model_dump(),
            "sampler": {"type": "random"},
            "pruner": {"type": "none"},
            "budget": {"trials": NUM_CURVES},
        }
    )
    ledger = Ledger(optuna.create_study(direction=spec.objective.direction.value), spec=random, fixed=dict(spec.config))
    info, train = load_info(spec.trainable), load_train(spec.trainable)
    rows = []
    while (suggestion := ledger.ask()) is not None:
        config = info.config_type.model_validate(resolve(spec, suggestion.params))
        measured = train(config, TrialContext(seed=spec.seed))
        rows.append([round(m.metrics[spec.objective.metric], 5) for m in measured])
        print(f"{len(rows)} of {NUM_CURVES}: {rows[-1][-1]}", flush=True)
    CURVES.write_text("[" + ",\n".join(map(json.dumps, rows)) + "]\n")


def replay(curves: list[list[float]], spec: SweepSpec, pruner: dict, *, seed: int) -> list[FullCurve]:
    """One sweep over stored curves; each curve begins with the untrained model."""
    last = len(curves[0]) - 1
    judged = SweepSpec.model_validate({**spec.model_dump(), "pruner": pruner})
    judge = Judge(judged, name=f"replay-{seed}", max_epochs=last)
    drawn = np.random.default_rng(seed).permutation(len(curves))[:TRIALS]
    return [_shown(number, curves[place], judge, spec) for number, place in enumerate(drawn)]


def _shown(number: int, curve: list[float], judge: Judge, spec: SweepSpec) -> FullCurve:
    metric, measured, stopped_at = spec.objective.metric, [], None
    for step, value in enumerate(curve):
        measured.append(Measurement(step, {metric: value}, 0.0, 0))
        if step:
            decision = judge.hear(number, measured[-1], last=step == len(curve) - 1)
            if decision is not None and decision.pruned:
                stopped_at = step
                break
    full = FullCurve(number, {step: value for step, value in enumerate(curve) if step}, stopped_at)
    seen = full.best(spec.objective.direction, until=stopped_at)
    state = TrialState.COMPLETE if stopped_at is None else TrialState.PRUNED
    judge.close(TrialRecord(number, state, {}, tuple(measured), seen, len(measured) - 1))
    return full


def show(title: str, audits: dict[str, PruningAudit]) -> None:
    """One row for each rule, then how early values order the trials."""
    table = Table("rule", "killed a would-be winner", "sweeps hurt", "mean loss", "epochs saved", title=title)
    for name, audit in audits.items():
        hurt, saved = _text(audit.sweeps_hurt), f"{audit.epochs_saved:.0%}"
        table.add_row(name, _text(audit.killed), hurt, f"{audit.loss:.4f}", saved)
    console = Console(width=140)
    console.print(table)
    by_epoch = {found.epoch: found for audit in audits.values() for found in audit.correlations}
    ranks = Table("epoch", "trials", "rank correlation with the final value")
    for epoch, found in sorted(by_epoch.items()):
        ranks.add_row(str(epoch), str(found.num_trials), f"{found.rho:.2f} ({found.low:.2f} to {found.high:.2f})")
    console.print(ranks)


def _text(found: Share) -> str:
    return f"{100 * found.rate:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f}) of {found.of}"


def main() -> None:
    """Replay, tabulate, or audit a real sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tabulate", action="store_true", help="train the curves again")
    parser.add_argument("--sweep", help="a sweep in ORCH_HOME whose pruned trials are finished")
    parser.add_argument("--sample", type=int, default=10, help="how many of its pruned trials")
    parser.add_argument("--replays", type=int, default=100, help="replayed sweeps for each rule")
    asked = parser.parse_args()
    if asked.sweep:
        audit = audit_sweep(
            Home(Path(os.environ.get("ORCH_HOME", ".orch"))),
            asked.sweep,
            sample=asked.sample,
            seed=0,
            directory=Path.cwd(),
        )
        show(asked.sweep, {"the sweep's own": audit})
        return
    spec = load(SPACE, overrides=SMALL).spec
    if asked.tabulate:
        tabulate(spec)
    for title, curves in stored().items():
        audits = {}
        for first in FIRST_RUNGS:
            for name, pruner in pruners(first).items():
                sweeps = [replay(curves, spec, pruner, seed=seed) for seed in range(asked.replays)]
                audits[f"{name} from epoch {first}"] = audit_pruning(sweeps, direction=spec.objective.direction)
        show(f"{title}: {asked.replays} sweeps of {TRIALS} of {len(curves)} configurations", audits)


if __name__ == "__main__":
    main()
