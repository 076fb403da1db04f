"""`Tracker`: what the control loop says to MLflow. Each call is one append to the outbox, never waits and never fails.

A new process with the same outbox goes on with the same runs. What could not be appended is counted, and who holds the
ledger tells it again: `told` are the facts that were.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.spec.model import SweepSpec
from orchestrator.tracking.flatten import flatten
from orchestrator.tracking.operations import (
    EndSweep,
    EndTrial,
    LogArtifact,
    LogMetrics,
    LogText,
    Operation,
    SetTags,
    StartSweep,
    StartTrial,
    run_name,
)
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.outbox_file import DamagedError
from orchestrator.tracking.shipper import Lag, Shipper
from orchestrator.tracking.told import SWEEP_STARTED, attempt_told, end_told, step_told, sweep_end_told
from orchestrator.trial import ENDINGS, Ending, JsonValue, Measurement, RunStatus, Suggestion, TrialRecord

_SWEEP_PARAMS = {"trainable", "objective", "sampler", "pruner", "stop", "budget", "resources", "seed"}
_REST_MS = 1000
"""An outbox that could not be written is left alone for so long: each try may wait for whoever has locked it."""


class Tracker:
    """Speaks for one sweep. Opening it lets the shipper begin; it need not succeed for anything to go on."""

    def __init__(self, outbox_path: Path, *, identity: Identity, shipper: Shipper, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._outbox = Outbox(outbox_path)
        self._name = identity.sweep
        self._missed: Counter[int | None] = Counter()
        self._trouble: str | None = None
        self._failed_ms = -_REST_MS
        self._gathered: _Gathered | None = None
        self._shipper = shipper
        shipper.begin(self._outbox, identity)

    @property
    def lag(self) -> Lag:
        """How far MLflow is behind; what could not be appended is pending as well."""
        lag = self._shipper.lag
        return replace(lag, num_pending=lag.num_pending + self._missed.total())

    @property
    def last_error(self) -> str | None:
        """Why the outbox could not be written, or why MLflow did not take the last request; None if neither."""
        return self._trouble or self._shipper.last_error

    @property
    def num_shipped(self) -> int:
        """Operations that this tracker delivered."""
        return self._shipper.num_shipped

    @property
    def parent_run_id(self) -> str | None:
        """The sweep's own run, once it exists."""
        return self._shipper.run_ids().get(None)

    def run_ids(self) -> Mapping[int, str]:
        """Trial number to run id, of the runs that exist so far."""
        return {number: run_id for number, run_id in self._shipper.run_ids().items() if number is not None}

    def rejections(self) -> list[str]:
        """What MLflow refused for good, one line each."""
        return [f"{r.operation.kind} of {_owner(r.operation)}: {r.reason}" for r in self._outbox.rejections()]

    def told(self) -> frozenset[str]:
        """The facts that MLflow has, or will get from the outbox; none where the outbox is lost or cannot be read."""
        try:
            return self._outbox.facts()
        except (sqlite3.Error, OSError, DamagedError):
            return frozenset()

    def forget(self) -> None:
        """Take nothing as told and no run as known, so that all is told anew, also to a store that was emptied."""
        self._outbox.forget()

    @property
    def missed(self) -> frozenset[int | None]:
        """The trials, and None for the sweep itself, of which this process could not append something."""
        return frozenset(self._missed)

    @contextmanager
    def together(self, *, making_up_for: Collection[int | None] = ()) -> Iterator[None]:
        """What is said inside is one append: all of it or nothing. It holds all that was missed of some numbers."""
        gathered = self._gathered = _Gathered()
        try:
            yield
        finally:
            self._gathered = None
        if self._try_to_append(gathered.operations, gathered.facts):
            for number in making_up_for:
                del self._missed[number]

    def start_sweep(
        self,
        spec: SweepSpec,
        *,
        yaml: str,
        tags: Mapping[str, str],
        description: str = "",
        start_ms: int | None = None,
    ) -> None:
        """Say that the sweep runs, since now or since `start_ms`; also after a resume.

        `yaml` is the spec as a file, kept as an artifact.
        """
        settings: JsonValue = spec.model_dump(mode="json", include=_SWEEP_PARAMS)
        assert isinstance(settings, Mapping)
        note = {"mlflow.note.content": description} if description else {}
        start = StartSweep(
            name=self._name,
            params=flatten(settings),
            tags={**tags, **note, "orch.state": "RUNNING"},
            start_ms=self._now_ms() if start_ms is None else start_ms,
        )
        self._append(start, LogText(text=yaml, artifact_file="sweep.yaml"), facts=[SWEEP_STARTED])

    def start_trial(
        self, suggestion: Suggestion, resolved_config: Mapping[str, JsonValue], *, start_ms: int | None = None
    ) -> None:
        """Say that a trial runs, for the first time or again. The whole config goes into params and an artifact."""
        number = suggestion.number
        start = StartTrial(
            number=number,
            name=run_name(self._name, number),
            params=flatten(resolved_config) | flatten(suggestion.params),
            tags={"orch.state": "RUNNING", "orch.attempt": str(suggestion.attempt)},
            start_ms=self._now_ms() if start_ms is None else start_ms,
        )
        config = json.dumps(resolved_config, indent=2, default=dict)
        text = LogText(number=number, text=config, artifact_file="config.json")
        self._append(start, text, facts=[attempt_told(number, suggestion.attempt)])

    def measure(self, number: int, measurement: Measurement) -> None:
        """Log what a trial has measured; its seconds are rounded as in the ledger, so that they are one value."""
        metrics = {**measurement.metrics, "time/train_s": round(measurement.train_s, 6)}
        log = LogMetrics(number=number, step=measurement.step, metrics=metrics, at_ms=measurement.at_ms)
        self._append(log, facts=[step_told(number, measurement.step)])

    def log(self, number: int | None, metrics: Mapping[str, float], *, step: int, at_ms: int) -> None:
        """Log other metrics of a trial or (None) of the sweep itself."""
        self._append(LogMetrics(number=number, step=step, metrics=metrics, at_ms=at_ms))

    def tag(self, number: int | None, tags: Mapping[str, str]) -> None:
        """Set tags of a trial's run or (None) of the sweep's."""
        self._append(SetTags(number=number, tags=tags))

    def end_trial(self, number: int, ending: Ending | None, record: TrialRecord) -> None:
        """Say that a trial ended, or with `ending=None` that it was paused or interrupted and may run again."""
        end_ms = record.ended_ms if record.ended_ms is not None else self._now_ms()
        operations: list[Operation] = []
        best = next((m for m in record.measurements if m.step == record.best_step), None)
        if ending is not None and record.value is not None and best is not None:
            metrics = {"best_value": record.value}
            # The measurement's time: however often it is told, it is one point.
            operations.append(LogMetrics(number=number, step=best.step, metrics=metrics, at_ms=best.at_ms))
        if record.decisions:
            decisions = json.dumps(list(record.decisions), indent=2, default=dict)
            operations.append(LogText(number=number, text=decisions, artifact_file="decisions.json"))
        status = ENDINGS[ending.cause].run_status if ending else RunStatus.KILLED
        operations.append(EndTrial(number=number, status=status, end_ms=end_ms, tags=_end_tags(ending, record)))
        self._append(*operations, facts=[end_told(record)])

    def artifact(self, path: Path, *, number: int | None = None, folder: str = "") -> None:
        """Send a file or a folder; it must stay where it is until it was shipped."""
        self._append(LogArtifact(number=number, path=str(path.resolve()), artifact_path=folder))

    def text(self, text: str, *, name: str, number: int | None = None) -> None:
        """Send a text as an artifact file."""
        self._append(LogText(number=number, text=text, artifact_file=name))

    def end_sweep(self, state: str, status: RunStatus, *, at_ms: int) -> None:
        """Say that the sweep ended; `state` in Orch's words, for a tag."""
        end = EndSweep(status=status, end_ms=at_ms, tags={"orch.state": state})
        self._append(end, facts=[sweep_end_told(at_ms)])

    def flush(self, timeout_s: float) -> bool:
        """Wait until MLflow has everything; False when the time was over first."""
        return self._shipper.flush(timeout_s)

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop shipping, for good; what is pending stays in the outbox."""
        self._shipper.close(timeout_s=timeout_s)
        self._outbox.close()

    def _append(self, *operations: Operation, facts: Collection[str] = ()) -> None:
        if self._gathered is not None:
            self._gathered.operations.extend(operations)
            self._gathered.facts.update(facts)
        elif 0 <= self._now_ms() - self._failed_ms < _REST_MS:
            self._missed.update(operation.number for operation in operations)
        else:
            self._try_to_append(operations, facts)

    def _try_to_append(self, operations: Sequence[Operation], facts: Collection[str]) -> bool:
        at_ms = self._now_ms()
        # Whatever is wrong with the outbox, training goes on: the ledger has it all.
        try:
            self._outbox.append(operations, at_ms=at_ms, facts=facts)
        except (sqlite3.Error, OSError, DamagedError) as error:
            self._missed.update(operation.number for operation in operations)
            self._failed_ms, self._trouble = at_ms, f"{self._outbox.path} cannot be written: {error}"
            return False
        self._trouble = None
        return True


@dataclass(slots=True)
class _Gathered:
    """What is to be appended together."""

    operations: list[Operation] = field(default_factory=list)
    facts: set[str] = field(default_factory=set)


def _end_tags(ending: Ending | None, record: TrialRecord) -> dict[str, str]:
    tags = {
        "orch.state": record.state.value,
        "orch.epochs": str(record.epochs),
        "orch.train_s": f"{record.train_s:.3f}",
        "orch.reason": ending.reason if ending else "",
    }
    if ending:
        tags["orch.cause"] = ending.cause.value
        tags["orch.bucket"] = ENDINGS[ending.cause].bucket.value
        tags["orch.detail"] = json.dumps(ending.detail, default=dict)
    if record.value is not None:
        tags["orch.value"] = repr(record.value)
        tags["orch.best_step"] = str(record.best_step)
    return tags


def _owner(operation: Operation) -> str:
    return "the sweep" if operation.number is None else f"trial {operation.number}"
