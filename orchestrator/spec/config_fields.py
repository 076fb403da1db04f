"""A trainable's Config seen by dotted key: which fields there are, and what a field says to a value.

Called by `config_check`. Looks into nested models, optional ones, unions of models and mappings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from orchestrator.space import show
from orchestrator.spec.wording import allowed, did_you_mean, members, refusal

_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_BOUND_ERRORS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_CHOICES = ("literal_error", "enum")
_MAX_NESTING = 10


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a field does not take a value.

    Attributes:
        what: the fault, with the value.
        options: what the field takes, in words; empty if it has no short form.
        hint: what to do; may be empty.
        is_bound: the kind fits, but the value is outside the field's range.
    """

    what: str
    options: tuple[str, ...] = ()
    hint: str = ""
    is_bound: bool = False


def field_types(config_type: type[BaseModel], key: str) -> list[object]:
    """The types, with their bounds, that a dotted key can have; several with unions of models, none if unknown."""
    found: list[object] = [config_type]
    for part in key.split("."):
        found = [inner for outer in found for member in members(outer) for inner in _inside(member, part)]
    return found


def _inside(outer: object, part: str) -> list[object]:
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        return [_with_bounds(field) for name, field in outer.model_fields.items() if (field.alias or name) == part]
    if get_origin(outer) in (dict, Mapping):
        return [get_args(outer)[1]]
    return []


def _with_bounds(field: FieldInfo) -> object:
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def field_names(config_type: type[BaseModel], *, _depth: int = 0) -> list[str]:
    """Every dotted key of a Config that holds a value of its own."""
    names: list[str] = []
    for name, field in config_type.model_fields.items():
        options = members(field.annotation)
        models = [m for m in options if isinstance(m, type) and issubclass(m, BaseModel)]
        if len(models) < len([option for option in options if option is not type(None)]):
            names.append(field.alias or name)
        if _depth < _MAX_NESTING:
            inner = [key for model in models for key in field_names(model, _depth=_depth + 1)]
            names += [f"{field.alias or name}.{key}" for key in inner]
    return list(dict.fromkeys(names))


def objection(types: list[object], value: object) -> Objection | None:
    """Why none of `types` takes `value`; None if one does. Text is no number here, and 1 is not true."""
    found = [one for kind in types if (one := _objection(kind, value)) is not None]
    if len(found) < len(types):
        return None
    bound = next((one for one in found if one.is_bound), None)
    options = tuple(dict.fromkeys(option for one in found for option in one.options))
    if bound is not None or not options:
        return bound or found[0]
    hint = did_you_mean(value, options) if isinstance(value, str) else ""
    return Objection(f"{show(value)} is not allowed; allowed: {', '.join(options)}", options, hint or found[0].hint)


def _objection(kind: object, value: object) -> Objection | None:
    try:
        adapter = TypeAdapter[object](kind)  # type: ignore[arg-type]  # a type that is known only at run time
    except PydanticSchemaGenerationError:
        return None  # only its own model can build it; the random configurations try it
    try:
        result = adapter.validate_python(value)
    except ValidationError as error:
        return _in_words(kind, error.errors(include_url=False))
    if isinstance(value, bool) != isinstance(result, bool) and isinstance(result, bool | int | float | str):
        return Objection("", (_kind_name(result),))
    if isinstance(value, str) and isinstance(result, int | float):
        return Objection("", (_kind_name(result),), "leave out the quotes")
    return None


def _kind_name(value: object) -> str:
    return "true or false" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "text"


def _in_words(kind: object, errors: list[ErrorDetails]) -> Objection:
    first = errors[0]
    if first["type"] in _BOUND_ERRORS:
        limits = _range(kind) or allowed(first)
        return Objection(f"{show(first['input'])} is outside the field's range; allowed: {limits}", is_bound=True)
    if len(first["loc"]) > 0 and isinstance(first["input"], str | int | float) and first["type"] not in _CHOICES:
        return Objection(refusal(errors))
    options = [option for error in errors for option in _options(error)]
    return Objection(refusal(errors), tuple(options))


def _options(error: ErrorDetails) -> list[str]:
    text = allowed(error)
    return text.split(", ") if error["type"] in _CHOICES else [text] if text else []


def _range(kind: object) -> str:
    """The bounds in a field's own metadata, in words."""
    limits = [
        f"{word} {getattr(note, name)}"
        for note in getattr(kind, "__metadata__", ())
        for name, word in _BOUNDS.items()
        if getattr(note, name, None) is not None
    ]
    return " and ".join(limits)


def is_read(model: object, key: str) -> bool:
    """Whether a validated Config kept what a dotted key set; a model that ignores unknown keys drops it silently."""
    here = model
    for part in key.split("."):
        if isinstance(here, BaseModel):
            names = {field.alias or name: name for name, field in type(here).model_fields.items()}
            if part not in names:
                return False
            here = getattr(here, names[part])
        elif isinstance(here, Mapping):
            if part not in here:
                return False
            here = here[part]
        else:
            return here is not None
    return True
