"""Nested configuration to the flat texts that MLflow calls params. Pure."""

import json
from collections.abc import Mapping, Sequence

from orchestrator.trial import JsonValue


def flatten(config: Mapping[str, JsonValue], *, prefix: str = "") -> dict[str, str]:
    """Dotted key to text; a list is one text of JSON, an empty mapping is left out."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flatten(value, prefix=f"{name}.")
        else:
            flat[name] = _text(value)
    return flat


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return json.dumps(value)
    return str(value)
