"""`orch export`: the weights of a training, its config and a model card in one folder, and a version in MLflow."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from orchestrator.errors import IntegrityError, UsageError
from orchestrator.execution.repeats import SEED, seed_states
from orchestrator.spec import resolve
from orchestrator.sweeps.choosing import Choice, choose
from orchestrator.sweeps.findings import trial_findings
from orchestrator.sweeps.model_card import CardFacts, model_card
from orchestrator.sweeps.paths import Home
from orchestrator.tracking import Registration, provenance, register_model
from orchestrator.trial import JsonValue
from trainables.checkpoint import CheckpointError, read_checkpoint
from trainables.contract import Purpose, State
from trainables.data.errors import DataError
from trainables.exported import ExportError, write_model
from trainables.registry import TRAINABLES, TrainableInfo, load_info

CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an export goes.

    Attributes:
        folder: must not be there yet.
        directory: where the sweep was started; relative paths in the config are found there.
        registers: whether MLflow gets a version of a registered model.
        register_as: name of that model; None is that of the sweep.
    """

    folder: Path
    directory: Path
    registers: bool = True
    register_as: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """What was trained: a state after an epoch, of one seed."""

    state: State
    epoch: int
    seed: int
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported. `registration` is None where none was asked for."""

    folder: Path
    choice: Choice
    epoch: int
    seed: int
    registration: Registration | None

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        registration = self.registration
        return {
            "folder": str(self.folder),
            "sweep": self.choice.sweep.name,
            "trained_in": self.choice.source.name,
            "trial": self.choice.trial.number,
            "candidate": None if self.choice.candidate is None else self.choice.candidate.label,
            "epoch": self.epoch,
            "seed": self.seed,
            "registered": None
            if registration is None
            else {"name": registration.name, "version": registration.version, "error": registration.error},
        }


def export(home: Home, reference: str, which: str, to: Destination) -> ExportReport:
    """Export the best checkpoint of a training.

    Raises:
        SweepNotFoundError
        UsageError: the folder is there already, there is no such training, or its data cannot be read.
        IntegrityError: its checkpoint is gone or damaged.
    """
    check_free(to.folder)
    choice = choose(home, reference, which)
    return write_export(home, choice, _best_weights(home, choice), to)


def check_free(folder: Path) -> None:
    """Raises: UsageError: something is there."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already; choose another folder with --to, or remove it")


def write_export(home: Home, choice: Choice, weights: Weights, to: Destination) -> ExportReport:
    """Write the folder, which appears whole or not at all, and register it.

    Raises:
        UsageError: the data cannot be read, or there are no weights.
    """
    spec = choice.source.spec
    info = load_info(spec.trainable)
    config = info.config_type.model_validate(resolve(spec, choice.trial.params))
    whole = to.folder.absolute()
    fresh = whole.with_name(f".{whole.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        write_model(fresh, trainable=spec.trainable, config=config, state=weights.state, purpose=weights.purpose)
        (fresh / CARD_FILE).write_text(_card(choice, weights, info, config, to.directory), encoding="utf-8")
        to.folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(to.folder)
    except (ExportError, DataError) as error:
        raise UsageError(f"{choice.name} cannot be exported: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    registration = _register(home, choice, weights, to) if to.registers else None
    return ExportReport(to.folder, choice, weights.epoch, weights.seed, registration)


def _best_weights(home: Home, choice: Choice) -> Weights:
    trial, step = choice.trial, choice.trial.best_step
    path = home.sweep(choice.source.id).checkpoints_of(trial).get("best")
    if path is None or step is None:
        raise IntegrityError(
            f"{choice.name} has no checkpoint of its best epoch, {step}, under "
            f"{home.sweep(choice.source.id).checkpoints}; a search keeps the best of each trial that ran to its end"
        )
    try:
        state = read_checkpoint(path)
    except CheckpointError as error:
        raise IntegrityError(f"{choice.name} cannot be exported: {error}") from error
    by_seed = seed_states(state)
    seed = _best_seed(choice, step)
    return Weights(by_seed.get(seed, state), step, seed, Purpose.SEARCH)


def _best_seed(choice: Choice, step: int) -> int:
    """Of a trial of several seeds the one with the best value at its best epoch."""
    trial, objective = choice.trial, choice.source.spec.objective
    metrics = next((m.metrics for m in trial.measurements if m.step == step), {})
    best = trial.seeds[0]
    for seed in trial.seeds[1:]:
        value, so_far = (metrics.get(SEED.format(objective.metric, each)) for each in (seed, best))
        if value is not None and so_far is not None and objective.better(value, so_far):
            best = seed
    return best


def _card(choice: Choice, weights: Weights, info: TrainableInfo, config: BaseModel, directory: Path) -> str:
    spec = choice.source.spec
    facts = CardFacts(
        config=config.model_dump(mode="json"),
        meaning=(info.metrics or {}).get(spec.objective.metric),
        seed=weights.seed,
        epoch=weights.epoch,
        findings=trial_findings(choice.source, choice.trial),
        versions=_versions(directory),
        retrained=weights.purpose is Purpose.RETRAIN,
        is_registered=spec.trainable in TRAINABLES,
    )
    return model_card(choice, facts)


def _versions(directory: Path) -> Mapping[str, str]:
    """Of packages, Python and the commit."""
    known = provenance(directory)
    versions = {
        key.removeprefix("orch.version."): text for key, text in known.items() if key.startswith("orch.version.")
    }
    return versions | {"commit": known["orch.git_commit"]} if "orch.git_commit" in known else versions


def _register(home: Home, choice: Choice, weights: Weights, to: Destination) -> Registration:
    objective = choice.source.spec.objective
    tags = {
        "orch.sweep": choice.sweep.name,
        "orch.trained_as": choice.name,
        "orch.trainable": choice.source.spec.trainable,
        "orch.objective": objective.metric,
        "orch.value": str(choice.trial.value),
        "orch.epoch": str(weights.epoch),
        "orch.seed": str(weights.seed),
        "orch.trained_for": weights.purpose.value,
    }
    if choice.report is not None and choice.candidate is not None:
        tags["orch.verdict"] = choice.report.verdict.sentence
        if choice.report.test_metric is not None and choice.candidate.test is not None:
            tags[f"orch.confirmed.{choice.report.test_metric}"] = str(choice.candidate.test.mean)
    uri = home.tracking_of(choice.source.tracking_uri)
    name = to.register_as or choice.sweep.name
    return register_model(to.folder, name=name, run_id=choice.trial.run_id, tracking_uri=uri, tags=tags)
