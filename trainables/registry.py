"""The visible list of trainables, and how a name becomes a `Config` type or a `train` function.

The orchestrator calls `load_info` while it checks a sweep file (no torch for registered names) and `load_train` in the
process that trains. A name is a key of `TRAINABLES` or a person's own `my_pkg.my_module:train`.
"""

import difflib
import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import cast

from pydantic import BaseModel

from trainables.contract import Fusing, Purpose, Train, TrainLanes

TRAINABLES: Mapping[str, str] = {
    "adapter": "trainables.tasks.adapter",
    "identification": "trainables.tasks.identification",
    "incremental": "trainables.tasks.incremental",
    "multitask": "trainables.tasks.multitask",
    "toxicity": "trainables.tasks.toxicity",
}
"""Name to package; each package has `config.py` (`Config`, `METRICS`; no torch) and `task.py` (`train`)."""


class TrainableError(ValueError):
    """A name that does not lead to a trainable."""


@dataclass(frozen=True, slots=True)
class TrainableInfo:
    """What can be known of a trainable without training it.

    Attributes:
        metrics: metric name to a one-line meaning, or None when the trainable does not say what it reports.
        purposes: what it can be run for. Registered ones know all; a person's own module says it with `PURPOSES`.
        fusing: in what its trials may differ and be lanes of one computation; None where they cannot be.
    """

    name: str
    config_type: type[BaseModel]
    metrics: Mapping[str, str] | None
    purposes: tuple[Purpose, ...] = tuple(Purpose)
    fusing: Fusing | None = None


def find_own(name: str) -> None:
    """Look for the module of a person's own trainable without importing anything of it.

    Raises: TrainableError: the name has another form, or there is no such module.
    """
    path: list[str] | None = None
    parts = _parts(_module_name(name), name)
    for depth, part in enumerate(parts):
        finders = [PathFinder] if depth else sys.meta_path  # those of a package would look for its name
        found = next((spec for finder in finders if (spec := finder.find_spec(part, path)) is not None), None)
        if found is None:
            raise TrainableError(f"trainable {name!r}: there is no module {'.'.join(parts[: depth + 1])!r} here")
        path = list(found.submodule_search_locations or [])


def load_info(name: str) -> TrainableInfo:
    """The config type and the metrics of a trainable; imports only the config of a registered one.

    Raises: TrainableError: there is no such trainable, or it is not one.
    """
    if ":" not in name:
        module = _import(f"{_package(name)}.config", name)
        return TrainableInfo(
            name=name, config_type=module.Config, metrics=module.METRICS, fusing=getattr(module, "FUSING", None)
        )
    train = load_train(name)
    return TrainableInfo(
        name, _config_type(train, name), _own_metrics(name), _own_purposes(name), fusing=_own_fusing(name)
    )


def _module_name(name: str) -> str:
    """The module that has the `train` function, such as `trainables.tasks.multitask.task`.

    Raises: TrainableError: the name is not known.
    """
    return name.partition(":")[0] if ":" in name else f"{_package(name)}.task"


def load_train(name: str) -> Train:
    """The `train` function of a trainable.

    Raises: TrainableError: there is no such trainable, or it is not one.
    """
    if ":" not in name:
        return cast(Train, _import(_module_name(name), name).train)
    module = _import(_module_name(name), name)
    attribute = name.partition(":")[2]
    train = getattr(module, attribute, None)
    if not callable(train):
        own = [key for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")]
        found = "it is not a function" if train is not None else f"no such function{_did_you_mean(attribute, own)}"
        raise TrainableError(f"trainable {name!r}: {_module_name(name)} was imported, but {attribute!r}: {found}")
    return cast(Train, train)


def load_train_lanes(name: str) -> TrainLanes:
    """The `train_lanes` function of a trainable that has a `fusing`; a person's own is named after its `train`.

    Raises: TrainableError: there is no such trainable.
    """
    attribute = name.partition(":")[2] or "train"
    return cast(TrainLanes, getattr(_import(_module_name(name), name), f"{attribute}_lanes"))


def source_files(name: str) -> dict[str, Path]:
    """The Python files of a trainable by short name: its whole package, or its module where that is in none.

    Raises: TrainableError: the name is not known.
    """
    top = _module_name(name).partition(".")[0]
    found = importlib.util.find_spec(top)
    if found is None or found.origin is None:
        return {}
    origin = Path(found.origin)
    if not found.submodule_search_locations:
        return {origin.name: origin}
    root = origin.parent
    return {str(path.relative_to(root.parent)): path for path in sorted(root.rglob("*.py"))}


def read_data(name: str, config: BaseModel, purpose: Purpose) -> None:
    """Read what a registered trainable would read for a purpose, so that missing or faulty data is known at once.

    Raises: DataError: it cannot be read.
    """
    if name in TRAINABLES:
        _import(f"{TRAINABLES[name]}.model", name).read_facts(config, purpose)


def _package(name: str) -> str:
    if name in TRAINABLES:
        return TRAINABLES[name]
    raise TrainableError(
        f"trainable {name!r} is not known{_did_you_mean(name, list(TRAINABLES))}; "
        f"known are {', '.join(sorted(TRAINABLES))}, and your own as my_pkg.my_module:train"
    )


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {close[0]!r}" if close else ""


def _parts(module: str, name: str) -> list[str]:
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        raise TrainableError(f"trainable {name!r}: {module!r} is not a module name; the form is my_pkg.my_module:train")
    return parts


def _import(module: str, name: str) -> ModuleType:
    _parts(module, name)
    try:
        return importlib.import_module(module)
    # A person's module may fail in any way while it is imported, sys.exit() included.
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())
        raise TrainableError(
            f"trainable {name!r}: importing {module} failed: {type(error).__name__}: {reason}"
        ) from error


def _config_type(train: Callable[..., object], name: str) -> type[BaseModel]:
    """The annotation of the first parameter."""
    form = "the form is def train(config: MyConfig, context: TrialContext) with MyConfig a pydantic model"
    try:
        first = next(iter(inspect.signature(train).parameters), None)
        annotation = typing.get_type_hints(train).get(first) if first else None
    # An annotation may be any expression.
    except Exception as error:
        raise TrainableError(f"trainable {name!r}: its annotations cannot be read ({error}); {form}") from error
    if not (inspect.isclass(annotation) and issubclass(annotation, BaseModel)):
        found = "has no parameter" if first is None else f"parameter {first!r} is annotated with {annotation!r}"
        raise TrainableError(f"trainable {name!r}: {found}; {form}")
    return annotation


def _own_metrics(name: str) -> Mapping[str, str] | None:
    metrics = getattr(importlib.import_module(_module_name(name)), "METRICS", None)
    if metrics is not None and not isinstance(metrics, Mapping):
        raise TrainableError(f"trainable {name!r}: METRICS must map metric names to meanings, it is {metrics!r}")
    return metrics


def _own_purposes(name: str) -> tuple[Purpose, ...]:
    purposes = getattr(importlib.import_module(_module_name(name)), "PURPOSES", (Purpose.SEARCH,))
    try:
        known = tuple(Purpose(purpose) for purpose in purposes)
    except (TypeError, ValueError):
        known = ()
    if Purpose.SEARCH not in known:
        allowed = ", ".join(f"Purpose.{purpose.name}" for purpose in Purpose)
        raise TrainableError(
            f"trainable {name!r}: PURPOSES must hold Purpose.SEARCH and may hold the others of {allowed}; it is "
            f"{purposes!r}"
        )
    return known


def _own_fusing(name: str) -> Fusing | None:
    module, attribute = importlib.import_module(_module_name(name)), name.partition(":")[2]
    fusing, lanes = getattr(module, "FUSING", None), f"{attribute}_lanes"
    if fusing is not None and not isinstance(fusing, Fusing):
        raise TrainableError(f"trainable {name!r}: FUSING must be a trainables.contract.Fusing, it is {fusing!r}")
    if fusing is not None and not callable(getattr(module, lanes, None)):
        raise TrainableError(f"trainable {name!r}: the module has FUSING and no function {lanes!r}")
    return fusing
