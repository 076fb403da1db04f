"""Plain words for what pydantic refuses: the value, what is allowed, and a did-you-mean.

Called by `loading` for a sweep file and by `config_check` for a trainable's Config. Knows nothing of files.
"""

import difflib
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from orchestrator.space import show

_TYPES = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "none_required": "null",
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` for the known word nearest to `word`; empty if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def allowed(error: ErrorDetails) -> str:
    """What would have been accepted, for one of pydantic's errors; empty if it has no short form."""
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "greater_than":
            return f"above {_plain(context['gt'])}"
        case "greater_than_equal":
            return f"{_plain(context['ge'])} or more"
        case "less_than":
            return f"below {_plain(context['lt'])}"
        case "less_than_equal":
            return f"{_plain(context['le'])} or less"
        case "literal_error" | "enum":
            return str(context["expected"]).replace("'", "").replace(" or ", ", ")
        case "union_tag_invalid":
            return str(context["expected_tags"]).replace("'", "")
        case "string_too_short":
            return "text that is not empty"
        case _:
            return _TYPES.get(kind, "")


def _plain(number: object) -> object:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def refusal(errors: Sequence[ErrorDetails]) -> str:
    """One sentence for the errors that pydantic has about one value (a union gives one per member)."""
    first = errors[0]
    value = first["input"]
    options = list(dict.fromkeys(option for error in errors if (option := allowed(error))))
    if first["type"] == "too_short":
        return f"empty; at least {first['ctx']['min_length']} is needed"
    if "a number" in options and "a whole number" in options:
        options.remove("a whole number")
    if options:
        return f"{show(value)} is not allowed; allowed: {', '.join(options)}"
    return f"{show(value)} is not allowed: {reason(first)}"


def reason(error: ErrorDetails) -> str:
    """Pydantic's own words, without its prefixes and with a small first letter."""
    text = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return text[:1].lower() + text[1:]


def members(annotation: object) -> tuple[object, ...]:
    """The members of a union, `Annotated` taken off; the annotation itself if it is none."""
    if hasattr(annotation, "__metadata__"):
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(inner for member in get_args(annotation) for inner in members(member))
    return (annotation,)


def keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys of the models that pydantic's `location` leads to, union tags included; empty if to no model."""
    return list(dict.fromkeys(name for here in _models_at(model, location) for name in here.model_fields))


def tags_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The values of `type` that the union at pydantic's `location` knows."""
    return [tag for here in _models_at(model, location) if (tag := _tag(here)) is not None]


def _models_at(model: type[BaseModel], location: Sequence[str | int]) -> list[type[BaseModel]]:
    at: list[object] = [model]
    for part in location:
        tagged = [here for here in at if _tag(here) == part]
        at = tagged or [inner for here in at for inner in _step(here, part)] or at
    return [here for here in at if isinstance(here, type) and issubclass(here, BaseModel)]


def _tag(here: object) -> str | None:
    """The value of a model's `type: Literal["x"]`, by which a union picks it."""
    if not (isinstance(here, type) and issubclass(here, BaseModel)) or "type" not in here.model_fields:
        return None
    options = get_args(here.model_fields["type"].annotation)
    return options[0] if len(options) == 1 and isinstance(options[0], str) else None


def _step(here: object, part: str | int) -> list[object]:
    """Where one element of a location leads from one type: into a field, an item, or a union's tagged member."""
    if isinstance(here, type) and issubclass(here, BaseModel):
        field = here.model_fields.get(str(part))
        if field is not None and field.annotation is not None:
            return list(members(field.annotation))
        return []
    arguments = get_args(here)
    return list(members(arguments[-1] if arguments[-1] is not Ellipsis else arguments[0])) if arguments else []
