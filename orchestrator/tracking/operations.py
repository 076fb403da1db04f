"""What can be said to MLflow, as frozen operations with a JSON form.

The driver appends them to the outbox, the shipper folds and sends them. `number` is the trial's number, None for the
sweep's own run, the parent. Knows no MLflow and no SQLite.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orchestrator.trial import RunStatus


class _Operation(BaseModel):
    # Without "constants" pydantic would write NaN and infinity as null.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    number: int | None = None


class StartSweep(_Operation):
    """The parent run exists and is running; also after a resume."""

    kind: Literal["start_sweep"] = "start_sweep"
    number: None = None
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    start_ms: int


class StartTrial(_Operation):
    """The trial's run exists and is running; also when the trial is handed out again."""

    kind: Literal["start_trial"] = "start_trial"
    number: int
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    start_ms: int


class LogMetrics(_Operation):
    """Metrics of one step."""

    kind: Literal["log_metrics"] = "log_metrics"
    step: int
    metrics: Mapping[str, float]
    at_ms: int


class SetTags(_Operation):
    """Tags; the last value of a tag stays."""

    kind: Literal["set_tags"] = "set_tags"
    tags: Mapping[str, str]


class LogText(_Operation):
    """An artifact whose text travels in the outbox."""

    kind: Literal["log_text"] = "log_text"
    text: str
    artifact_file: str


class LogArtifact(_Operation):
    """A local file or folder, read when it is shipped: whoever names it keeps it until then."""

    kind: Literal["log_artifact"] = "log_artifact"
    path: str
    artifact_path: str = ""


class EndTrial(_Operation):
    """The trial ended or was paused."""

    kind: Literal["end_trial"] = "end_trial"
    number: int
    status: RunStatus
    end_ms: int
    tags: Mapping[str, str]


class EndSweep(_Operation):
    """The sweep ended or was interrupted."""

    kind: Literal["end_sweep"] = "end_sweep"
    number: None = None
    status: RunStatus
    end_ms: int
    tags: Mapping[str, str]


Operation = Annotated[
    StartSweep | StartTrial | LogMetrics | SetTags | LogText | LogArtifact | EndTrial | EndSweep,
    Field(discriminator="kind"),
]

_ADAPTER: TypeAdapter[Operation] = TypeAdapter(Operation)


def run_name(sweep: str, number: int | None) -> str:
    """What a run is called in MLflow."""
    return sweep if number is None else f"{number:04d} {sweep}"


def dump(operation: Operation) -> str:
    """Write an operation as JSON; NaN and infinities as JavaScript constants."""
    return operation.model_dump_json()


def parse(body: str) -> Operation:
    """Read what `dump` wrote."""
    return _ADAPTER.validate_json(body)
