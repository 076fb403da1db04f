"""What a sweep would do and cost, before it runs: configurations, concurrency, places, and intervals of its costs.

The pace comes from an earlier sweep or from a short probe on the sweep's own runner; nothing is written to the home.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.analysis.budgets import Limit, limits
from orchestrator.execution.devices import gpu_memory_bytes
from orchestrator.execution.machine import load_per_cpu, memory_bytes, num_cpus, num_gpus
from orchestrator.execution.runner import needed
from orchestrator.spec import SweepSpec, resolve
from orchestrator.spec.model import (
    Budget,
    CmaesSampler,
    GpSampler,
    NoPruner,
    Nsga2Sampler,
    Nsga3Sampler,
    PbtSampler,
    RandomSampler,
    TpeSampler,
)
from orchestrator.study.preview import first_configurations, num_trials
from orchestrator.sweeps.checks import CheckedSweep
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.planning.buying import Purchase, buy
from orchestrator.sweeps.planning.confirming import ConfirmationCost, confirmation_cost
from orchestrator.sweeps.planning.corners import cost_corners
from orchestrator.sweeps.planning.earlier import earlier_lengths, earlier_pace
from orchestrator.sweeps.planning.forecast import Forecast, Workers, rehearse_often
from orchestrator.sweeps.planning.pace import Pace
from orchestrator.sweeps.planning.probe import BuildRunner, Probed, probe
from orchestrator.sweeps.planning.survival import Rehearsed, Remembered, Survival
from orchestrator.tracking import redact
from orchestrator.trial import JsonValue, Value

NUM_SHOWN = 3
NUM_LENGTHS = 64
"""Random configurations that tell how long trials are, where the space searches `epochs`."""
KEPT_CHECKPOINTS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """Where the sweep would run.

    Attributes:
        build: makes the runner; has to be picklable.
        is_local: the in-process runner.
        address: a running Ray cluster; None for one of this machine.
    """

    build: BuildRunner
    is_local: bool
    address: str | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether other machines may train."""
        return self.address is not None and not self.is_local


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many trials run at once.

    Attributes:
        trials: as many as the runner starts.
        by_memory: as many as memory allows; None when that is not known.
        on_gpu: whether a trial trains on a GPU.
        devices: GPUs of a trial, or where it has none its cores.
    """

    trials: int
    on_gpu: bool
    devices: float
    by_memory: int | None = None

    @property
    def is_too_much(self) -> bool:
        """Whether more trials are started than memory holds."""
        return self.by_memory is not None and self.by_memory < self.trials


@dataclass(frozen=True, slots=True)
class Disk:
    """What the checkpoints of all trials may need, and what is free where they go."""

    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen.

    Attributes:
        epochs: of a full-length trial; None when neither the config nor a whole trial tells.
        lengths: what the epochs of all trials rest on, in words.
        forecast: None when no pace is known, or no length of a trial.
        whole: the same without the file's own budgets of hours and epochs.
        purchase: what the budget asked about buys; None when none was.
        shared: how busy others keep this machine, from 0 to 1; the intervals are wider then.
        failure: why trials of the probe failed; empty when none did.
    """

    trials: int
    configurations: tuple[Mapping[str, Value], ...]
    concurrency: Concurrency
    epochs: int | None
    pace: Pace | None
    lengths: str
    forecast: Forecast | None
    whole: Forecast | None
    purchase: Purchase | None
    confirmation: ConfirmationCost | None
    disk: Disk | None
    places: Mapping[str, str]
    shared: float = 0.0
    failure: str = ""

    @property
    def max_concurrent(self) -> int:
        """How many trials run at once."""
        return self.concurrency.trials

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "trials": self.trials,
            "configurations": list(self.configurations),
            "max_concurrent": self.concurrency.trials,
            "concurrent_by_memory": self.concurrency.by_memory,
            "epochs": self.epochs,
            "pace": self.pace.to_json() if self.pace else None,
            "lengths": self.lengths,
            "unit": "GPU-hours" if self.concurrency.on_gpu else "core-hours",
            "forecast": self.forecast.to_json() if self.forecast else None,
            "whole": self.whole.to_json() if self.whole else None,
            "purchase": self.purchase.to_json() if self.purchase else None,
            "confirmation": self.confirmation.to_json() if self.confirmation else None,
            "disk": {"needed_bytes": self.disk.needed_bytes, "free_bytes": self.disk.free_bytes} if self.disk else None,
            "places": dict(self.places),
            "shared": self.shared,
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """How a plan is made.

    Attributes:
        probe: whether a pace that no earlier sweep tells is measured.
        budget: of which the plan says what it buys.
        directory: where the command was called.
    """

    directory: Path
    probe: bool = True
    budget: Mapping[Limit, float] | None = None


def plan(checked: CheckedSweep, home: Home, target: Target, asked: Asked) -> Plan:
    """Work out a plan.

    Raises:
        UsageError, InfrastructureError: the probe cannot reach the cluster, or no trial fits on it.
    """
    spec = checked.spec
    shared = 0.0 if target.is_elsewhere else min(1.0, load_per_cpu())
    trials = num_trials(spec, checked.fixed)
    concurrency = _fit_here(spec, target)
    pace = earlier_pace(spec, home, concurrency=None if target.is_elsewhere else concurrency.trials)
    probed = Probed(None, pace)
    if pace is None and asked.probe:
        probed = probe(checked, target.build, corners=_corners(checked), directory=asked.directory)
        pace = probed.pace
    concurrency = _settled(concurrency, spec, target, probed)
    full = _full_lengths(checked, pace)
    survival = _survival(spec, home, full, trials=trials, concurrency=concurrency.trials) if full else None
    workers = Workers(concurrency.trials, concurrency.devices, shared)
    costs = _costs(spec, pace, survival, workers, asked) if pace and survival else _Costs()
    return Plan(
        trials=trials,
        configurations=tuple(first_configurations(spec, checked.fixed, count=NUM_SHOWN)),
        concurrency=concurrency,
        epochs=max(full, default=None),
        pace=pace,
        lengths=survival.source if survival else "",
        forecast=costs.forecast,
        whole=costs.whole,
        purchase=costs.purchase,
        confirmation=confirmation_cost(spec, pace, full, devices=concurrency.devices, at_once=concurrency.trials),
        disk=_disk(home, pace, trials),
        places={
            "ledger": redact(home.ledger_url),
            "MLflow": redact(home.tracking_uri),
            "checkpoints": str(home.sweep("ID").checkpoints),
        },
        shared=shared,
        failure=probed.failure,
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    forecast: Forecast | None = None
    whole: Forecast | None = None
    purchase: Purchase | None = None


def _costs(spec: SweepSpec, pace: Pace, survival: Survival, workers: Workers, asked: Asked) -> _Costs:
    rehearsals = rehearse_often(pace, survival, workers, guided_from=_guided_from(spec), seed=spec.seed)
    bought = None if asked.budget is None else buy(rehearsals, asked.budget)
    return _Costs(rehearsals.forecast(limits(spec.budget)), rehearsals.forecast({}), bought)


def _fit_here(spec: SweepSpec, target: Target) -> Concurrency:
    """On this machine; a cluster elsewhere tells more when the probe connects."""
    gpus = num_gpus()
    need = needed(spec.resources, gpus=gpus)
    fit = need.times_on({"CPU": num_cpus(), "GPU": gpus})
    trials = 1 if target.is_local else min(fit, spec.resources.max_concurrent or fit)
    return Concurrency(max(1, trials), need.gpu > 0, need.gpu or spec.resources.cpu)


def _settled(here: Concurrency, spec: SweepSpec, target: Target, probed: Probed) -> Concurrency:
    """What the runner itself has said where it was asked, and how many trials fit into memory."""
    found, pace = probed.capacity, probed.pace
    if found is not None:
        most = spec.resources.max_concurrent or found.fit
        here = Concurrency(min(found.fit, most), found.gpu > 0, found.devices(spec.resources))
    elif pace is not None and target.is_elsewhere:
        here = replace(here, trials=pace.at_once)
    if target.is_elsewhere:
        return here
    if pace is None or not pace.host_bytes:
        return here
    by_memory = memory_bytes() // pace.host_bytes
    if here.on_gpu and pace.gpu_bytes:
        by_memory = min(by_memory, num_gpus() * (gpu_memory_bytes() // pace.gpu_bytes))
    return replace(here, by_memory=int(by_memory))


def _full_lengths(checked: CheckedSweep, pace: Pace | None) -> list[int]:
    """Epochs of trials that nothing ends early; several where the space searches them, none where it is not known."""
    spec, epochs = checked.spec, checked.fixed.get("epochs")
    if isinstance(epochs, int):
        return [min(epochs, spec.sampler.interval_epochs) if isinstance(spec.sampler, PbtSampler) else epochs]
    if "epochs" not in spec.space:
        return [] if pace is None or pace.longest is None else [pace.longest]
    drawn = {"sampler": RandomSampler(type="random"), "points": (), "budget": Budget(trials=NUM_LENGTHS)}
    configurations = first_configurations(spec.model_copy(update=drawn), checked.fixed, count=NUM_LENGTHS)
    found = [resolve(spec, params).get("epochs") for params in configurations]
    return [epochs for epochs in found if isinstance(epochs, int)]


def _survival(spec: SweepSpec, home: Home, full: list[int], *, trials: int, concurrency: int) -> Survival:
    plain = isinstance(spec.pruner, NoPruner) and not spec.stop
    lengths = None if plain else earlier_lengths(spec, home)
    return Remembered(lengths, trials) if lengths else Rehearsed(spec, full, trials, concurrency, _guided_from(spec))


def _guided_from(spec: SweepSpec) -> int:
    """The trial from which on a model of the earlier ones proposes."""
    match spec.sampler:
        case TpeSampler(startup_trials=startup) | GpSampler(startup_trials=startup):
            return startup
        case CmaesSampler(startup_trials=startup):
            return startup
        case Nsga2Sampler(population=population) | Nsga3Sampler(population=population):
            return population
        case _:
            return spec.budget.trials


def _corners(checked: CheckedSweep) -> list[dict[str, Value]]:
    def is_valid(params: Mapping[str, Value]) -> bool:
        try:
            checked.config(params)
        # A validator in a person's own Config may raise anything.
        except Exception:
            return False
        return True

    return cost_corners(checked.space, is_valid=is_valid)


def _disk(home: Home, pace: Pace | None, trials: int) -> Disk | None:
    """The best checkpoint and the two newest are kept of each trial."""
    if pace is None or pace.checkpoint_bytes is None:
        return None
    folder = (home.storage or home.root).absolute()
    while not folder.exists():
        folder = folder.parent
    return Disk(trials * KEPT_CHECKPOINTS * pace.checkpoint_bytes, shutil.disk_usage(folder).free)
