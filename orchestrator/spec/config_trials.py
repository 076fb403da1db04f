"""Whole configurations tried on the trainable's Config: its defaults, and what only a combination of values shows.

Called by `config_check` after each field has been checked alone.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.errors import Fault
from orchestrator.space import SearchSpace, parse_expression, random_value, show
from orchestrator.spec.config_fields import is_read
from orchestrator.spec.dotted import flatten, plain_values
from orchestrator.spec.dumping import resolve
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Node, Path, dotted
from orchestrator.spec.rule_checks import EPOCHS
from orchestrator.spec.wording import allowed, reason, refusal
from orchestrator.trial import Value

NUM_SAMPLES = 64
_MAX_DRAWS = 50 * NUM_SAMPLES
_MAX_SHOWN = 6


def fixed_values(spec: SweepSpec, config_type: type[BaseModel]) -> dict[str, Value] | None:
    """The values of Config, defaults included, that are the same whatever is searched, by dotted key.

    Returns: None if Config takes none of the random configurations.
    """
    common: dict[str, Value] | None = None
    for values in _samples(file_space(spec), spec.seed):
        try:
            model = config_type.model_validate(resolve(spec, values))
        except ValidationError:
            continue
        found = {key: value for key, value in _plain(model).items() if key not in spec.space}
        common = found if common is None else {k: v for k, v in common.items() if k in found and found[k] == v}
    return None if common is None else {**common, **plain_values(spec.config)}


def file_space(spec: SweepSpec) -> SearchSpace:
    """The space with what the file alone can say: constraints about defaults of Config are left out."""
    fixed = plain_values(spec.config)
    known = {*spec.space, *fixed}
    constraints = [
        text for text in spec.constraints if all(name.name in known for name in parse_expression(text).names)
    ]
    return SearchSpace(spec.space, constraints, fixed)


def _plain(model: BaseModel) -> dict[str, Value]:
    flat = flatten(model.model_dump(by_alias=True))
    values = {key: value.value if isinstance(value, Enum) else value for key, value in flat.items()}
    # A Config may compute its epochs from other fields; pruners and the end of a trial need them all the same.
    values.setdefault(EPOCHS, getattr(model, EPOCHS, None))
    return {key: value for key, value in values.items() if isinstance(value, bool | int | float | str)}


def _samples(space: SearchSpace, seed: int) -> Iterator[dict[str, Value]]:
    """Up to `NUM_SAMPLES` feasible random configurations."""
    rng = random.Random(seed)
    found = 0
    for _ in range(_MAX_DRAWS):
        values = space.sample(lambda _, parameter: random_value(parameter, rng))
        if space.is_feasible(values):
            yield values
            found += 1
        if found == NUM_SAMPLES:
            return


@dataclass(slots=True)
class _Refusal:
    """One thing that Config says to some of the configurations, with the first of them."""

    path: Path
    what: str
    hint: str
    example: Mapping[str, Value]
    count: int = 0

    @property
    def label(self) -> tuple[str, str]:
        """Equal for equal complaints about different values."""
        return dotted(self.path), self.what.partition(" is not allowed")[-1] or self.what


def refused_configurations(
    spec: SweepSpec, root: Node, space: SearchSpace, config_type: type[BaseModel]
) -> Iterator[Fault]:
    """What Config says to random configurations: refusals, and keys that it drops without a word."""
    refusals: dict[tuple[str, str], _Refusal] = {}
    unread = dict.fromkeys(flatten(spec.config), 0)
    total = 0
    for total, values in enumerate(_samples(space, spec.seed), start=1):  # noqa: B007
        nested = resolve(spec, values)
        try:
            model = config_type.model_validate(nested)
        except ValidationError as error:
            found = [_refusal(details, nested, values, spec) for details in error.errors(include_url=False)]
        else:
            found = [_unread(name, values) for name in values if not is_read(model, name)]
            for key in unread:
                unread[key] += not is_read(model, key)
        for label, one in {one.label: one for one in found}.items():
            refusals.setdefault(label, one).count += 1
    for refused in refusals.values():
        what = f"in {refused.count} of {total} random configurations {refused.what}; such as {_shown(refused)}"
        yield root.fault(refused.path, what, refused.hint)
    for key, count in unread.items():
        if count and count == total:
            yield root.fault(("config", *key.split(".")), "the trainable's Config drops it unread", at_key=True)


def _unread(name: str, values: Mapping[str, Value]) -> _Refusal:
    what = "the trainable's Config drops it unread"
    return _Refusal(("space", name), what, "give it a when: condition", values)


def _refusal(
    details: ErrorDetails, nested: Mapping[str, JsonValue], values: Mapping[str, Value], spec: SweepSpec
) -> _Refusal:
    key = ".".join(_reached(details["loc"], nested))
    hint = ""
    match details["type"]:
        case "missing":
            missing = f"{key}.{details['loc'][-1]}".strip(".")
            what = f"the trainable's Config needs {missing}"
            hint = "add it to space: or config:"
        case "extra_forbidden":
            what = f"the trainable's Config does not take {key}"
            hint = "give it a when: condition" if key in spec.space else ""
        case _:
            words = refusal([details]) if allowed(details) else reason(details)
            what = f"the trainable's Config says: {words}"
            hint = "" if key else "narrow the space, or add a constraint"
    return _Refusal(_responsible(key, values, spec), what, hint, values)


def _reached(location: tuple[int | str, ...], nested: Mapping[str, JsonValue]) -> list[str]:
    """The keys of pydantic's location that the configuration has; union tags and missing keys are left out."""
    here: JsonValue = dict(nested)
    keys: list[str] = []
    for part in location:
        if isinstance(here, dict) and part in here:
            keys.append(str(part))
            here = here[str(part)]
    return keys


def _responsible(key: str, values: Mapping[str, Value], spec: SweepSpec) -> Path:
    """Where the file sets what Config complains of: the key itself, or the nearest searched one around it."""
    if key in values:
        return ("space", key)
    if any(name == key or (key and name.startswith(f"{key}.")) for name in flatten(spec.config)):
        inside = [name for name in values if name.startswith(f"{key}.")]
        return ("space", inside[0]) if inside else ("config", *key.split("."))
    around = key
    while around:
        for name in values:
            if name.startswith(f"{around}."):
                return ("space", name)
        around = around.rpartition(".")[0]
    return ("space",) if values else ("config",)


def _shown(refused: _Refusal) -> str:
    """The sampled values, those near the complaint first."""
    about = str(refused.path[1]).split(".")[0] if len(refused.path) > 1 else ""
    near = sorted(refused.example, key=lambda name: name.split(".")[0] != about)
    shown = [f"{name} = {_short(refused.example[name])}" for name in near[:_MAX_SHOWN]]
    return ", ".join(shown) + (", ..." if len(near) > _MAX_SHOWN else "")


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else show(value)
