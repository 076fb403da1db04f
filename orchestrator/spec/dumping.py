"""The other ways a `SweepSpec` is written: as YAML, as a JSON Schema, as one trial's Config, as differences.

Called by `sweeps` to store, run, resume and document sweeps.
"""

import copy
import re
from collections.abc import Mapping
from typing import NamedTuple, cast

import yaml
from pydantic import JsonValue

from orchestrator.space import same_value
from orchestrator.spec.dotted import flatten
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.reading import INTEGER, NULL, REAL, TRUTH
from orchestrator.trial import Value


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes where YAML 1.1 or 1.2 would read it as something else when plain."""


for _kind, _pattern in {"bool": TRUTH, "int": INTEGER, "float": REAL, "null": NULL}.items():
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern.pattern})\Z"), None)


def dump(spec: SweepSpec) -> str:
    """YAML that loads to an equal spec; defaults are written out, so that it means the same to a later version."""
    data = spec.model_dump(mode="json")
    written = {key: value if key == "config" else _without_unset(value) for key, value in data.items()}
    return yaml.dump(written, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _without_unset(value: JsonValue) -> JsonValue:
    """Leave out `null` and `{}`, which outside `config:` are always defaults."""
    if isinstance(value, dict):
        return {key: _without_unset(inner) for key, inner in value.items() if inner is not None and inner != {}}
    return [_without_unset(inner) for inner in value] if isinstance(value, list) else value


def json_schema() -> dict[str, JsonValue]:
    """The JSON Schema (2020-12) of a sweep file, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **SweepSpec.model_json_schema()}
    return {**schema, "title": "Orch sweep file"}


def resolve(spec: SweepSpec, params: Mapping[str, Value]) -> dict[str, JsonValue]:
    """One trial's nested values for `Config.model_validate`: `config:` overlaid by the trial's parameters."""
    nested: dict[str, JsonValue] = copy.deepcopy(dict(spec.config))
    for name, value in params.items():
        *parents, last = name.split(".")
        target = nested
        for parent in parents:
            target = cast(dict[str, JsonValue], target.setdefault(parent, {}))
        target[last] = value
    return nested


class Difference(NamedTuple):
    """One value that two specs do not share; None where a spec does not have it."""

    path: str
    old: JsonValue
    new: JsonValue


def difference(old: SweepSpec, new: SweepSpec) -> list[Difference]:
    """What changed from one spec to another, by dotted path, in the order of the file."""
    before, after = flatten(old.model_dump(mode="json")), flatten(new.model_dump(mode="json"))
    paths = [*before, *(path for path in after if path not in before)]
    return [
        Difference(path, before.get(path), after.get(path))
        for path in paths
        if not _equal(before.get(path), after.get(path))
    ]


def _equal(a: JsonValue, b: JsonValue) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, bool | int | float | str) and isinstance(b, bool | int | float | str):
        return same_value(a, b)
    return a is b is None
