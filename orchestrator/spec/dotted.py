"""Dotted keys: `{"data.source": "x"}` and `{"data": {"source": "x"}}` say the same; here one becomes the other.

Called by the model, the loader and the check against the trainable's Config. Knows nothing of either.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from orchestrator.trial import Value


def nest(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Expand dotted keys, at every level, into nested mappings. The input is not changed.

    Raises: ValueError: a key set twice, or set both to a value and to a mapping.
    """
    nested: dict[str, JsonValue] = {}
    for key, value in values.items():
        head, *rest = key.split(".")
        expanded: JsonValue = nest(value) if isinstance(value, dict) else value
        for part in reversed(rest):
            expanded = {part: expanded}
        _merge(nested, head, expanded)
    return nested


def _merge(target: dict[str, JsonValue], key: str, value: JsonValue) -> None:
    present = target.get(key)
    if key not in target:
        target[key] = value
    elif isinstance(present, dict) and isinstance(value, dict):
        for inner, inner_value in value.items():
            _merge(present, inner, inner_value)
    else:
        raise ValueError(f"{key} is set twice")


def flatten(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Nested mappings as dotted keys. Lists and empty mappings are leaves."""
    flat: dict[str, JsonValue] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= {f"{key}.{inner}": leaf for inner, leaf in flatten(value).items()}
        else:
            flat[key] = value
    return flat


def plain_values(values: Mapping[str, JsonValue]) -> dict[str, Value]:
    """The leaves that are single values, by dotted key: what a condition or a constraint can name."""
    return {key: value for key, value in flatten(values).items() if isinstance(value, bool | int | float | str)}
