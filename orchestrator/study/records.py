"""What the ledger says of a sweep as a whole, and how an Optuna trial reads as a `TrialRecord`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from orchestrator.space import SearchSpace
from orchestrator.spec.model import Objective, SweepSpec
from orchestrator.study.metrics import Metrics
from orchestrator.study.plain_trials import PlainTrial
from orchestrator.study.proposals import Proposal
from orchestrator.trial import (
    ENDINGS,
    Cause,
    Effort,
    Ending,
    JsonValue,
    LostAttempt,
    Measurement,
    Mishap,
    Outline,
    Segment,
    TrialRecord,
    TrialState,
    Value,
)

if TYPE_CHECKING:  # importing Optuna takes longer than `orch ls` may
    from optuna.trial import FrozenTrial

SWEEP_KEY = "orch:sweep"
"""Study attribute with what never changes; its presence marks a study as a sweep."""
PROGRESS_KEY = "orch:progress"
"""Study attribute with what changes while the sweep runs."""
RUN_KEY = "orch:run:"
"""Study attribute prefix: trial number to MLflow run. A finished Optuna trial takes no more attributes, and a run may
be known only after its trial has finished."""

ATTEMPT = "attempt"
PROPOSED = "proposed"
"""What a trial is besides a point of the space: its seeds, and where they are known the trial that it repeats, its
segment, and the parameters that lie outside of the space, of which the sampler knows nothing."""
IMPORTED = "imported"
"""Marks a trial of another sweep, which the sampler and the pruner know and nobody counts."""
EXTENDS = "extends"
PAUSED = "paused"
NOTES = "notes"
"""What a user should know of a trial's checkpoints."""
LOST = "lost"
"""The attempts of a trial that ended by a mishap."""
ENDING = "ending"
REPEATED = "repeated"
REST = "rest"
OUTLINE = "outline"
"""Part of an ending: what the trial's measurements come to."""
STEP = "step:"
_STATES = {
    "WAITING": TrialState.WAITING,
    "COMPLETE": TrialState.COMPLETE,
    "PRUNED": TrialState.PRUNED,
    "FAIL": TrialState.FAILED,
}
_MACHINE: Mapping[str, Any] = {"devices": 1.0, "host": 0, "gpu": 0, "wall_s": 0.0}
"""What is written with a measurement only where it is something else."""


class SweepState(StrEnum):
    """Where a sweep stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    BUDGET_ENDED = "BUDGET_ENDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that a confirmation trains with fresh seeds.

    Attributes:
        label: such as `trial 7`, or `default`.
        trial: its trial in the search; None for one that the search has not tried.
        search_value: what the search says of it; None likewise.
    """

    label: str
    params: Mapping[str, Value]
    trial: int | None = None
    search_value: float | None = None


@dataclass(frozen=True, slots=True)
class Confirming:
    """What a sweep that is a confirmation confirms.

    Attributes:
        sweep, sweep_id: the search, by name and id.
        reference: the label of the candidate that all others are compared with.
        seeds: of each candidate, in the order in which they are used; the search has used none of them.
    """

    sweep: str
    sweep_id: str
    candidates: tuple[Candidate, ...]
    reference: str
    seeds: tuple[int, ...]

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Confirming":
        """Read what `asdict` made."""
        candidates = tuple(Candidate(**candidate) for candidate in written["candidates"])
        return cls(**{**written, "candidates": candidates, "seeds": tuple(written["seeds"])})


@dataclass(frozen=True, slots=True)
class Continued:
    """From which sweep a search took over trials as history.

    Attributes:
        sweep, sweep_id: that sweep, by name and id.
        taken: how many of its trials.
        dropped: why the others were not, with how many of each.
    """

    sweep: str
    sweep_id: str
    taken: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep without its trials.

    Attributes:
        fixed: flattened values of the trainable's Config that the search does not touch.
        text: the sweep file as it was given.
        file: its path, for messages.
        confirming: what it confirms; None for a search.
        continued: whose trials its sampler and its pruner know from the beginning.
        wall_s: seconds that its drivers have run, all together, when that was noted last.
        gpus: GPUs of each trial where it ran last; 0 where there was none, and cores are counted.
        reason: why it ended, in words.
        tags: where it ran last: commit, versions, host; for MLflow.
    """

    name: str
    id: str
    spec: SweepSpec
    created_ms: int
    fixed: Mapping[str, JsonValue] = field(default_factory=dict)
    text: str = ""
    file: str = ""
    confirming: Confirming | None = None
    continued: Continued | None = None
    state: SweepState = SweepState.RUNNING
    wall_s: float = 0.0
    gpus: float = 0.0
    ended_ms: int | None = None
    reason: str = ""
    tracking_uri: str | None = None
    parent_run_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def confirms(self) -> str | None:
        """The name of the search that this sweep confirms; None for a search."""
        return None if self.confirming is None else self.confirming.sweep

    def fixed_attrs(self) -> dict[str, Any]:
        """The part that never changes."""
        attrs: dict[str, Any] = {
            "id": self.id,
            "spec": self.spec.model_dump(mode="json", exclude_unset=True),
            "created_ms": self.created_ms,
            "fixed": dict(self.fixed),
            "text": self.text,
            "file": self.file,
        }
        attrs |= {} if self.confirming is None else {"confirming": asdict(self.confirming)}
        return attrs | ({} if self.continued is None else {"continued": asdict(self.continued)})

    def progress_attrs(self) -> dict[str, Any]:
        """The part that changes."""
        return {
            "state": self.state.value,
            "wall_s": self.wall_s,
            "gpus": self.gpus,
            "ended_ms": self.ended_ms,
            "reason": self.reason,
            "tracking_uri": self.tracking_uri,
            "parent_run_id": self.parent_run_id,
            "tags": dict(self.tags),
        }

    @classmethod
    def from_attrs(cls, name: str, attrs: Mapping[str, Any]) -> "SweepRecord":
        """Read what `fixed_attrs` and `progress_attrs` wrote."""
        values = {**attrs[SWEEP_KEY], **attrs.get(PROGRESS_KEY, {})}
        spec = SweepSpec.model_validate(values.pop("spec"))
        state = SweepState(values.pop("state", SweepState.RUNNING))
        written = values.pop("confirming", None)
        confirming = None if written is None else Confirming.from_json(written)
        taken = values.pop("continued", None)
        continued = None if taken is None else Continued(**taken)
        return cls(name=name, spec=spec, state=state, confirming=confirming, continued=continued, **values)


def read_trial(trial: "FrozenTrial", spec: SweepSpec, *, run_id: str | None = None) -> TrialRecord:
    """An Optuna trial in our words."""
    plain = PlainTrial(
        trial_id=trial._trial_id,
        number=trial.number,
        state=trial.state.name,
        started=trial.datetime_start,
        ended=trial.datetime_complete,
        params=trial.params,
        attrs=trial.user_attrs,
    )
    return read_plain(plain, spec, run_id=run_id)


def read_plain(trial: PlainTrial, spec: SweepSpec, *, run_id: str | None = None) -> TrialRecord:
    """A trial as it was read from the database; where its measurements were left out, its outline takes their place."""
    attrs = trial.attrs
    proposed = attrs.get(PROPOSED, {})
    measurements = tuple(
        sorted((_read_measurement(key, value) for key, value in attrs.items() if key.startswith(STEP)), key=_step)
    )
    ending = attrs.get(ENDING)
    best = best_measurement(measurements, spec.objective)
    at_best = {} if best is None else best.metrics
    record = TrialRecord(
        number=trial.number,
        state=_read_state(trial),
        params=dict(proposed["params"] if proposed.get("outside") else trial.params),
        measurements=measurements,
        value=None if best is None else best.metrics[spec.objective.metric],
        best_step=None if best is None else best.step,
        values={o.metric: at_best[o.metric] for o in spec.objectives if o.metric in at_best},
        violated=spec.missed_floors(at_best),
        ending=None if ending is None else Ending(Cause(ending["cause"]), ending["reason"], ending["detail"]),
        attempt=attrs.get(ATTEMPT, 1),
        seeds=tuple(proposed.get("seeds", (0,))),
        replicate_of=proposed.get("replicate_of"),
        segment=Segment(**proposed["segment"]) if "segment" in proposed else None,
        extends=attrs.get(EXTENDS),
        notes=tuple(attrs.get(NOTES, ())),
        lost_attempts=tuple(LostAttempt(**{**lost, "mishap": Mishap(lost["mishap"])}) for lost in attrs.get(LOST, ())),
        repeated=Effort(**attrs.get(REPEATED, {})),
        rest=Effort(**attrs.get(REST, {})),
        run_id=run_id,
        decisions=tuple(attrs[f"{STEP}{m.step}"]["decision"] for m in measurements if _decided(attrs, m.step)),
        started_ms=None if trial.started is None else int(trial.started.timestamp() * 1000),
        ended_ms=None if trial.ended is None else int(trial.ended.timestamp() * 1000),
    )
    outline = None if ending is None else _read_outline(ending.get(OUTLINE))
    if outline is None:
        return record
    if measurements:
        return replace(record, outline=outline)
    return replace(
        record,
        value=outline.value,
        best_step=outline.best_step,
        values=outline.values,
        violated=outline.violated,
        outline=outline,
    )


def has_outline(trial: PlainTrial) -> bool:
    """Whether a list needs nothing more of it; the findings of a repaired trial were never stored."""
    written = (trial.attrs.get(ENDING) or {}).get(OUTLINE)
    return written is not None and written["findings"] is not None


def _read_outline(written: Mapping[str, Any] | None) -> Outline | None:
    """What is stored with the ending of a trial; None in ledgers of old."""
    return None if written is None else Outline(**{**written, "effort": Effort(**written["effort"])})


def is_imported(trial: "FrozenTrial") -> bool:
    """Whether it is a trial of another sweep."""
    return IMPORTED in trial.user_attrs


def best_measurement(measurements: tuple[Measurement, ...], objective: Objective) -> Measurement | None:
    """The measurement with the best finite objective, the earliest of equals.

    The untrained model (step 0) counts only where nothing else was measured: its value owes nothing to the parameters.
    """
    finite = [m for m in measurements if is_finite(m.metrics.get(objective.metric))]
    candidates = [m for m in finite if m.step > 0] or finite
    best: Measurement | None = None
    for measurement in candidates:
        if best is None or objective.better(measurement.metrics[objective.metric], best.metrics[objective.metric]):
            best = measurement
    return best


def is_finite(value: float | None) -> bool:
    """Whether it is a number at all."""
    return value is not None and value == value and abs(value) != float("inf")


def write_measurement(measurement: Measurement, decision: Mapping[str, JsonValue] | None) -> dict[str, Any]:
    """The attribute that `read_trial` reads back."""
    record: dict[str, Any] = {
        "train_s": round(measurement.train_s, 6),
        "at_ms": measurement.at_ms,
        "metrics": dict(measurement.metrics),
    }
    machine = {
        "devices": measurement.devices,
        "host": measurement.host_bytes,
        "gpu": measurement.gpu_bytes,
        "wall_s": round(measurement.wall_s, 3),
    }
    record |= {key: value for key, value in machine.items() if value != _MACHINE[key]}
    return record if decision is None else {**record, "decision": dict(decision)}


def write_proposal(proposal: Proposal, spec: SweepSpec, *, space: SearchSpace) -> dict[str, Any]:
    """The attribute that `read_trial` reads back."""
    written: dict[str, Any] = {"seeds": proposal.seeds or tuple(spec.seed + n for n in range(spec.repeats))}
    if proposal.replicate_of is not None:
        written["replicate_of"] = proposal.replicate_of
    if proposal.segment is not None:
        written["segment"] = asdict(proposal.segment)
    if proposal.params and not space.contains(proposal.params):
        written |= {"params": dict(proposal.params), "outside": True}
    return written


def write_ending(ending: Ending, outline: Outline | None = None) -> dict[str, Any]:
    """The attribute that `read_trial` reads back."""
    written = {"cause": ending.cause.value, "reason": ending.reason, "detail": dict(ending.detail)}
    return written if outline is None else {**written, OUTLINE: asdict(outline)}


def _read_measurement(key: str, value: Mapping[str, Any]) -> Measurement:
    machine = {**_MACHINE, **value}
    return Measurement(
        int(key.removeprefix(STEP)),
        Metrics(value["metrics"]),
        value["train_s"],
        value["at_ms"],
        devices=machine["devices"],
        host_bytes=machine["host"],
        gpu_bytes=machine["gpu"],
        wall_s=machine["wall_s"],
    )


def _step(measurement: Measurement) -> int:
    return measurement.step


def _decided(attrs: Mapping[str, Any], step: int) -> bool:
    return "decision" in attrs[f"{STEP}{step}"]


def _read_state(trial: PlainTrial) -> TrialState:
    if trial.state == "RUNNING":
        return TrialState.PAUSED if trial.attrs.get(PAUSED) else TrialState.RUNNING
    ending = trial.attrs.get(ENDING)
    if ending is not None and ENDINGS[Cause(ending["cause"])].infeasible:
        # Told as pruned, since samplers do not look at what failed.
        return ENDINGS[Cause(ending["cause"])].state
    return _STATES[trial.state]
