"""`--extend`: more trials for a sweep, or more epochs for its trials that had all of theirs. Called by `resume`."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator import analysis
from orchestrator.errors import UsageError
from orchestrator.execution.checkpoint_names import ATTEMPT_FILE, steps_in, trial_folder
from orchestrator.spec import dump, parse
from orchestrator.study import Ledger, SweepRecord
from orchestrator.sweeps.paths import SweepPaths
from orchestrator.trial import Cause, JsonValue, TrialRecord

TRIALS, EPOCHS = "trials", "epochs"
_FORM = re.compile(r"(trials|epochs)=(\+?)([1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Extension:
    """What a sweep shall have in all; None where it stays as it is."""

    trials: int | None = None
    epochs: int | None = None


def read_extension(options: Sequence[str], record: SweepRecord) -> Extension:
    """Read `trials=+20`, `trials=40`, `epochs=20`; `+` counts from what the sweep has.

    Raises:
        UsageError: another form, or not more than the sweep has.
    """
    has = {TRIALS: record.spec.budget.trials, EPOCHS: record.fixed.get(EPOCHS)}
    wanted: dict[str, int] = {}
    for option in options:
        found = _FORM.fullmatch(option)
        if found is None:
            raise UsageError(f"--extend {option}: the forms are trials=+20, trials=40, epochs=+10 and epochs=20")
        what, plus, number = found.groups()
        now = has[what]
        if not isinstance(now, int):
            raise UsageError(f"--extend {option}: {record.name} searches its epochs, or its Config has none")
        wanted[what] = now + int(number) if plus else int(number)
        if wanted[what] < now or (what == TRIALS and wanted[what] == now):
            raise UsageError(f"--extend {option}: {record.name} has {now} {what}; ask for more")
    return Extension(wanted.get(TRIALS), wanted.get(EPOCHS))


def extended_record(record: SweepRecord, extension: Extension) -> SweepRecord:
    """The sweep's record with its new budget and epochs."""
    overrides = [] if extension.trials is None else [f"budget.trials={extension.trials}"]
    fixed: Mapping[str, JsonValue] = record.fixed
    if extension.epochs is not None:
        overrides.append(f"config.{EPOCHS}={extension.epochs}")
        fixed = {**record.fixed, EPOCHS: extension.epochs}
    spec = parse(dump(record.spec), file=f"{record.name} (as launched)", overrides=overrides).spec
    return replace(record, spec=spec, fixed=fixed)


def trials_to_extend(ledger: Ledger, paths: SweepPaths, *, epochs: int) -> list[TrialRecord]:
    """The trials that had all their epochs, and now have fewer than all.

    Raises:
        UsageError: trials are still open, or checkpoints are gone. Nothing was changed.
    """
    trials = analysis.current(ledger.records())
    if any(not trial.state.is_terminal and trial.extends is None for trial in trials):
        raise UsageError(f"{ledger.name} has open trials; finish it first: orch resume {ledger.name}")
    longer = [trial for trial in trials if _had_all(trial) and trial.epochs < epochs]
    if not longer and epochs == ledger.max_epochs:
        raise UsageError(f"--extend {EPOCHS}={epochs}: {ledger.name} has {epochs} epochs; ask for more")
    if gone := [trial.number for trial in longer if not steps_in(trial_folder(paths.checkpoints, trial.number))]:
        numbers = ", ".join(map(str, gone[:10])) + (", ..." if len(gone) > 10 else "")
        raise UsageError(
            f"trials {numbers} cannot go on: their checkpoints are not in {paths.checkpoints} any more; "
            f"to train them from the beginning, put their configurations under points: of a sweep with {epochs} epochs"
        )
    return longer


def extend_trials(ledger: Ledger, paths: SweepPaths, trials: Sequence[TrialRecord]) -> None:
    """Reserve a longer trial for each, with a copy of its checkpoints."""
    for trial in trials:
        number = ledger.extend(trial.number)
        source, target = trial_folder(paths.checkpoints, trial.number), trial_folder(paths.checkpoints, number)
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(ATTEMPT_FILE))


def _had_all(trial: TrialRecord) -> bool:
    return trial.ending is not None and trial.ending.cause is Cause.FINISHED and trial.segment is None
