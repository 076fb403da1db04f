"""`Tracker`: what the control loop says to MLflow. Each call is one append to the outbox and never waits.

A new process with the same outbox goes on with the same runs. `sync` delivers what an earlier process left behind.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UsageError
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
)
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.shipper import Lag, Shipper
from orchestrator.trial import ENDINGS, Ending, JsonValue, Measurement, RunStatus, Suggestion, TrialRecord

_SWEEP_PARAMS = {"trainable", "objective", "sampler", "pruner", "stop", "budget", "resources", "seed"}


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What `sync` did: operations delivered, still pending, refused for good, the last error, and the runs by now."""

    shipped: int
    pending: int
    rejected: int
    error: str | None
    parent_run_id: str | None
    run_ids: Mapping[int, str]


class Tracker:
    """Speaks for one sweep. Opening it starts the shipper's thread; it need not succeed for anything to go on.

    Raises: LockedError: another process ships this outbox.
    """

    def __init__(self, outbox_path: Path, *, identity: Identity, tracking_uri: str, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._outbox = Outbox(outbox_path)
        self._outbox.write_identity(identity)
        self._name = identity.sweep
        self._shipper = Shipper(self._outbox, identity=identity, tracking_uri=tracking_uri, now_ms=now_ms)

    @property
    def lag(self) -> Lag:
        """How far MLflow is behind."""
        return self._shipper.lag

    @property
    def last_error(self) -> str | None:
        """Why MLflow did not take the last request; None if it did."""
        return self._shipper.last_error

    @property
    def parent_run_id(self) -> str | None:
        """The sweep's own run, once it exists."""
        return self._shipper.parent_run_id

    def run_ids(self) -> Mapping[int, str]:
        """Trial number to run id, of the runs that exist so far."""
        return self._shipper.run_ids()

    def rejections(self) -> list[str]:
        """What MLflow refused for good, one line each."""
        return [f"{r.operation.kind} of {_owner(r.operation)}: {r.reason}" for r in self._outbox.rejections()]

    def start_sweep(self, spec: SweepSpec, *, yaml: str, tags: Mapping[str, str], description: str = "") -> None:
        """Say that the sweep runs; also after a resume. `yaml` is the spec as a file, kept as an artifact."""
        settings: JsonValue = spec.model_dump(mode="json", include=_SWEEP_PARAMS)
        assert isinstance(settings, Mapping)
        note = {"mlflow.note.content": description} if description else {}
        start = StartSweep(
            name=self._name,
            params=flatten(settings),
            tags={**tags, **note, "orch.state": "RUNNING"},
            start_ms=self._now_ms(),
        )
        self._append(start, LogText(text=yaml, artifact_file="sweep.yaml"))

    def start_trial(self, suggestion: Suggestion, resolved_config: Mapping[str, JsonValue]) -> None:
        """Say that a trial runs, for the first time or again. The whole config goes into params and an artifact."""
        number = suggestion.number
        start = StartTrial(
            number=number,
            name=f"{number:04d} {self._name}",
            params=flatten(resolved_config) | flatten(suggestion.params),
            tags={"orch.state": "RUNNING", "orch.attempt": str(suggestion.attempt)},
            start_ms=self._now_ms(),
        )
        config = json.dumps(resolved_config, indent=2, default=dict)
        self._append(start, LogText(number=number, text=config, artifact_file="config.json"))

    def measure(self, number: int | None, measurement: Measurement) -> None:
        """Log the metrics of a step, of a trial or (None) of the sweep itself."""
        metrics = {**measurement.metrics, "time/train_s": measurement.train_s}
        self._append(LogMetrics(number=number, step=measurement.step, metrics=metrics, at_ms=measurement.at_ms))

    def tag(self, number: int | None, tags: Mapping[str, str]) -> None:
        """Set tags of a trial's run or (None) of the sweep's."""
        self._append(SetTags(number=number, tags=tags))

    def end_trial(self, number: int, ending: Ending | None, record: TrialRecord) -> None:
        """Say that a trial ended, or with `ending=None` that it was paused or interrupted and may run again."""
        end_ms = record.ended_ms if record.ended_ms is not None else self._now_ms()
        operations: list[Operation] = []
        if record.value is not None and record.best_step is not None:
            metrics = {"best_value": record.value}
            operations.append(LogMetrics(number=number, step=record.best_step, metrics=metrics, at_ms=end_ms))
        if record.decisions:
            decisions = json.dumps(list(record.decisions), indent=2, default=dict)
            operations.append(LogText(number=number, text=decisions, artifact_file="decisions.json"))
        status = ENDINGS[ending.cause].run_status if ending else RunStatus.KILLED
        operations.append(EndTrial(number=number, status=status, end_ms=end_ms, tags=_end_tags(ending, record)))
        self._append(*operations)

    def artifact(self, path: Path, *, number: int | None = None, folder: str = "") -> None:
        """Send a file or a folder; it must stay where it is until it was shipped."""
        self._append(LogArtifact(number=number, path=str(path.resolve()), artifact_path=folder))

    def text(self, text: str, *, name: str, number: int | None = None) -> None:
        """Send a text as an artifact file."""
        self._append(LogText(number=number, text=text, artifact_file=name))

    def end_sweep(self, state: str, status: RunStatus) -> None:
        """Say that the sweep ended; `state` in Orch's words, for a tag."""
        self._append(EndSweep(status=status, end_ms=self._now_ms(), tags={"orch.state": state}))

    def flush(self, timeout_s: float) -> bool:
        """Wait until MLflow has everything; False when the time was over first."""
        return self._shipper.flush(timeout_s)

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop shipping; what is pending stays in the outbox."""
        self._shipper.close(timeout_s=timeout_s)
        self._outbox.close()

    def _append(self, *operations: Operation) -> None:
        self._outbox.append(operations, at_ms=self._now_ms())


def num_pending(outbox_path: Path) -> int:
    """How many operations of a sweep MLflow has not got yet; 0 where there is no outbox."""
    if not outbox_path.is_file():
        return 0
    with closing(Outbox(outbox_path)) as outbox:
        return outbox.backlog().num_pending


def sync(outbox_path: Path, *, tracking_uri: str, timeout_s: float, now_ms: Callable[[], int]) -> SyncReport:
    """Deliver what is left in an outbox.

    Raises:
        UsageError: there is no such outbox, or it has never been used.
        LockedError: another process is shipping it.
    """
    if not outbox_path.is_file():
        raise UsageError(f"{outbox_path} does not exist: there is nothing to deliver")
    outbox = Outbox(outbox_path)
    identity = outbox.identity()
    if identity is None:
        outbox.close()
        raise UsageError(f"{outbox_path} does not say which sweep it belongs to: there is nothing to deliver")
    shipper = Shipper(outbox, identity=identity, tracking_uri=tracking_uri, now_ms=now_ms)
    shipper.flush(timeout_s)
    shipper.close()
    lag = shipper.lag
    report = SyncReport(
        shipped=shipper.num_shipped,
        pending=lag.num_pending,
        rejected=lag.num_rejected,
        error=shipper.last_error,
        parent_run_id=shipper.parent_run_id,
        run_ids=shipper.run_ids(),
    )
    outbox.close()
    return report


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
