"""`RunDelta`: several operations on one run folded into one, so that few requests carry many of them. Pure functions.

Folding keeps the order where order matters: the last tag and the last status win, all metrics are kept.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

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
from orchestrator.trial import RunStatus

# MLflow takes at most 1000 metrics, 100 params and 100 tags, 1000 items together, and 1 MB in a request.
_MAX_METRICS = 800
_MAX_TEXTS = 100
_MAX_TEXT_BYTES = 300_000
_MAX_NAME_CHARS = 250
_MAX_PARAM_CHARS = 6000
_MAX_TAG_CHARS = 5000


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric."""

    name: str
    value: float
    at_ms: int
    step: int


@dataclass(frozen=True, slots=True)
class RunDelta:
    """What is new about one run. `start` is the last start among the operations; it implies status RUNNING."""

    start: StartSweep | StartTrial | None
    points: Sequence[Point]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    files: Sequence[LogText | LogArtifact]
    status: RunStatus | None
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries."""

    points: Sequence[Point]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def fold(operations: Iterable[Operation]) -> RunDelta:
    """Fold operations on one run, given in order."""
    start: StartSweep | StartTrial | None = None
    points: list[Point] = []
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    files: list[LogText | LogArtifact] = []
    end: EndSweep | EndTrial | None = None
    for operation in operations:
        match operation:
            case StartSweep() | StartTrial():
                start, end = operation, None
                params.update(operation.params)
                tags.update(operation.tags)
            case LogMetrics():
                points += _points(operation)
            case SetTags():
                tags.update(operation.tags)
            case LogText() | LogArtifact():
                files.append(operation)
            case EndSweep() | EndTrial():
                end = operation
                tags.update(operation.tags)
    status = end.status if end else RunStatus.RUNNING if start else None
    return RunDelta(start, points, params, tags, files, status, end.end_ms if end else None)


def batches(delta: RunDelta) -> Iterator[Batch]:
    """Cut into requests within MLflow's limits; names and values are made fit for MLflow here."""
    points = [delta.points[i : i + _MAX_METRICS] for i in range(0, len(delta.points), _MAX_METRICS)]
    params = _chunks(delta.params, max_chars=_MAX_PARAM_CHARS)
    tags = _chunks(delta.tags, max_chars=_MAX_TAG_CHARS)
    for some_points, some_params, some_tags in zip_longest(points, params, tags):
        yield Batch(some_points or (), some_params or {}, some_tags or {})


def mlflow_name(name: str) -> str:
    """Replace what MLflow refuses in a name, such as the `@` of `recall@1`, by `_`, and cut it to 250 characters."""
    return re.sub(r"[^\w/.\- :]", "_", name)[:_MAX_NAME_CHARS]


def _points(operation: LogMetrics) -> list[Point]:
    return [
        Point(mlflow_name(name), value, operation.at_ms, operation.step) for name, value in operation.metrics.items()
    ]


def _chunks(texts: Mapping[str, str], *, max_chars: int) -> list[dict[str, str]]:
    chunks: list[dict[str, str]] = []
    room = 0
    for name, text in texts.items():
        cut = text if len(text) <= max_chars else text[: max_chars - 3] + "..."
        size = len(json.dumps([name, cut])) + 30  # 30: the keys "key" and "value" around them
        if not chunks or size > room or len(chunks[-1]) == _MAX_TEXTS:
            chunks.append({})
            room = _MAX_TEXT_BYTES
        chunks[-1][mlflow_name(name)] = cut
        room -= size
    return chunks
