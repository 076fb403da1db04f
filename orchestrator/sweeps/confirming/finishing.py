"""The end of a confirmation whose trainings are done: the read of test, the report, its files, and MLflow.

The read's figures and the report are in the ledger before anything is said of them.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from orchestrator.errors import LockedError
from orchestrator.execution.signals import handling_signals
from orchestrator.spec import SweepSpec
from orchestrator.study import Ledger, SweepRecord
from orchestrator.study.confirmations import ConfirmationLog, Examined, SplitRead
from orchestrator.sweeps.confirming import split
from orchestrator.sweeps.confirming.build import Material, build, finalists
from orchestrator.sweeps.confirming.examining import Examination, examine, on_test
from orchestrator.sweeps.confirming.page import write_files
from orchestrator.sweeps.confirming.proposing import label_of
from orchestrator.sweeps.confirming.report import ConfirmationReport
from orchestrator.sweeps.confirming.telling import tell_confirmation, verdict_tags
from orchestrator.sweeps.drive import Surroundings
from orchestrator.sweeps.lock import driving
from orchestrator.sweeps.read import open_storage
from orchestrator.sweeps.telling import open_tracker, wait_for_delivery


@dataclass(frozen=True, slots=True)
class Finishing:
    """What the end of a confirmation needs.

    Attributes:
        name: of the confirmation.
        searched: what it confirms.
        reads_test: whether it was asked to, and the trainable can.
        read: what is stored of the read.
        again: read a split that others have read.
        notes: what the report should say besides.
    """

    name: str
    searched: SweepRecord
    reads_test: bool
    read: SplitRead
    again: bool
    notes: Sequence[str]


def finish(finishing: Finishing, around: Surroundings) -> ConfirmationReport:
    """Read test where that is wanted, store the report, and show it in MLflow.

    Raises:
        UsageError: another confirmation has read test in the meantime.
    """
    with ExitStack() as stack:
        stack.enter_context(handling_signals())
        storage = stack.enter_context(closing(open_storage(around.home)))
        ledger = storage.open(finishing.name)
        record, log = ledger.sweep, ConfirmationLog(ledger)
        paths = around.home.sweep(record.id)
        stack.enter_context(driving(storage, record, paths, clock=around.clock, take_over=around.take_over))
        earlier = [r for r in storage.test_reads(finishing.read.split) if r.confirmation != record.name]
        notes = [*finishing.notes, *_below_floors(finishing.searched.spec, ledger)]
        notes += _read_test(finishing, around, ledger, earlier)
        reads = storage.test_reads(finishing.read.split) if log.examined() else []
        report = build(Material(record, ledger.records(), log.examined(), reads, notes))
        _tell_mlflow(report, ledger, log.examined(), around)
        # Last: without it the confirmation is not finished, and all of this is done again.
        log.write_report(report.model_dump(mode="json"))
    _tag_search(report, finishing.searched, around)
    return report


def _read_test(finishing: Finishing, around: Surroundings, ledger: Ledger, earlier: Sequence[SplitRead]) -> list[str]:
    """Read it once; returns what is to be said of that."""
    record, log, trials = ledger.sweep, ConfirmationLog(ledger), ledger.records()
    assert record.confirming is not None
    labels = finalists(record, trials)
    if not finishing.reads_test:
        return []
    if set(labels) <= {record.confirming.reference}:
        return ["test was not read: no candidate is left to compare with the default"]
    if earlier and not finishing.again:
        split.refuse(earlier)
    examination = Examination(
        confirming=record.confirming,
        spec=record.spec,
        labels=labels,
        checkpoints=around.home.sweep(record.id).checkpoints,
        directory=around.directory,
    )
    around.watcher.say(f"reading the test split, once: {', '.join(labels)}")
    examine(examination, trials, log, read=replace(finishing.read, candidates=labels), clock=around.clock)
    notes = [split.describe(earlier)] if earlier else []
    return [*notes, *_shortcomings(ledger, log)]


def _below_floors(spec: SweepSpec, ledger: Ledger) -> list[str]:
    """Which candidates miss a floor of the search, where they are at their best."""
    confirming, missed = ledger.sweep.confirming, Counter[tuple[str, str]]()
    assert confirming is not None
    for trial in ledger.records():
        best = next((m for m in trial.measurements if m.step == trial.best_step), None)
        if best is not None:
            missed.update((label_of(confirming, trial), metric) for metric in spec.missed_floors(best.metrics))
    return [
        f"{label} is below the floor of {metric}, {spec.floors[metric]:g}, with {count} of its seeds"
        for (label, metric), count in missed.items()
    ]


def _shortcomings(ledger: Ledger, log: ConfirmationLog) -> list[str]:
    """What could not be measured on test."""
    metric, examined = on_test(ledger.spec.objective.metric), log.examined()
    notes = [f"training {number} could not be measured on test: {why}" for number, why in log.failed().items()]
    if examined and not any(metric in found.metrics for found in examined.values()):
        reported = ", ".join(sorted(next(iter(examined.values())).metrics)) or "nothing"
        notes.append(f"the trainable does not report {metric}, so val decides; on test it reports {reported}")
    return notes


def _tell_mlflow(
    report: ConfirmationReport, ledger: Ledger, examined: dict[int, Examined], around: Surroundings
) -> None:
    """Test metrics on the trainings' runs; verdict, figures and files on the confirmation's own."""
    record = ledger.sweep
    files = write_files(report, around.home.sweep(record.id).report)
    with closing(open_tracker(record, around.home, clock=around.clock)) as tracker:
        tell_confirmation(tracker, report, record, examined)
        for path in files:
            tracker.artifact(path, folder="report")
        wait_for_delivery(tracker, timeout_s=around.flush_timeout_s)


def _tag_search(report: ConfirmationReport, searched: SweepRecord, around: Surroundings) -> None:
    """Whoever looks at the search in MLflow sees what became of it."""
    try:
        with (
            closing(open_storage(around.home)) as storage,
            driving(storage, searched, around.home.sweep(searched.id), clock=around.clock),
            closing(open_tracker(searched, around.home, clock=around.clock)) as tracker,
        ):
            tracker.tag(None, verdict_tags(report))
            wait_for_delivery(tracker, timeout_s=around.flush_timeout_s)
    except LockedError as error:
        around.watcher.say(f"the verdict is not on the search's MLflow run: {error}")
