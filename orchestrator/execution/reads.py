"""Which keys of a config a trainable looked at: a key that it never reads has no effect, whatever the sweep says.

`Attempt` hands the trainable a watched copy of its config. A use of a model as a whole (a dump, a comparison, a hash)
counts as reading all of it, so that what is reported as unread certainly was.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

_WHOLE = frozenset(
    {"__dict__", "__iter__", "__pydantic_serializer__", "__getstate__", "__deepcopy__", "__copy__", "model_dump"}
    | {"model_dump_json", "model_copy", "dict", "json", "copy"}
)


class Reads:
    """What was read of one config."""

    def __init__(self, config: BaseModel) -> None:
        self._read: set[str] = set()
        self.config = self._watch(config, "")

    def unread(self, given: Mapping[str, object]) -> tuple[str, ...]:
        """Dotted keys among the nested values `given` that were not read."""
        return tuple(key for key in _leaves(given, "") if not self._is_read(key))

    def _is_read(self, key: str) -> bool:
        parts = key.split(".")
        above = (".".join(parts[:length]) for length in range(len(parts)))
        return key in self._read or any(f"{prefix}.*".lstrip(".") in self._read for prefix in above)

    def _watch(self, model: BaseModel, prefix: str) -> BaseModel:
        """A copy of `model`, and of the models in it, whose classes write down what is read.

        One instance may stand in several places, such as a default: each place gets a copy of its own.
        """
        watched = model.model_copy()
        for name in type(model).model_fields:
            value = model.__dict__[name]
            if isinstance(value, BaseModel):
                watched.__dict__[name] = self._watch(value, f"{prefix}{name}.")
        object.__setattr__(watched, "__class__", self._watched_class(type(model), prefix))
        return watched

    def _watched_class(self, base: type[BaseModel], prefix: str) -> type[BaseModel]:
        read, fields = self._read, frozenset(base.model_fields)
        # Which class a value has says what a tag such as `source: omniglot` says; nobody needs to read the tag.
        read.update(f"{prefix}{name}" for name, field in base.model_fields.items() if _is_tag(field.annotation))

        def get(model: BaseModel, name: str) -> object:
            value = object.__getattribute__(model, name)
            if name in fields:
                # A nested model writes down its own keys; anything else is read with all that is in it.
                read.add(f"{prefix}{name}")
                if not isinstance(value, BaseModel):
                    read.add(f"{prefix}{name}.*")
            elif name in _WHOLE:
                read.add(f"{prefix}*")
            return value

        def reduce(model: BaseModel, protocol: int) -> tuple[object, ...]:
            """Pickle as the plain class: another process does not know this one."""
            return object.__new__, (base,), model.__getstate__()

        namespace = {
            "__getattribute__": get,
            "__reduce_ex__": reduce,
            "__class__": property(lambda _: base),
            "__slots__": (),
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
        }
        # Past pydantic's metaclass, which would build a new validator each time.
        return type.__new__(type(base), base.__name__, (base,), namespace)


def _is_tag(annotation: object) -> bool:
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _leaves(values: Mapping[str, object], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
