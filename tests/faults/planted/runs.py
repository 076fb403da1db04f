"""One short training, as the doctor would see it: its measurements, its config, and the keys it never read."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from orchestrator.execution.reads import Reads
from trainables.config import StrictModel
from trainables.contract import Measurement, TrialContext
from trainables.health import History
from trainables.registry import load_info, load_train

Nested = Mapping[str, object]


@dataclasses.dataclass(frozen=True)
class Twin:
    """A healthy training.

    Attributes:
        trainable: a name in the registry, or the `train` and `Config` of a toy.
        config: sensible, small, and learning.
        objective: what trials would be chosen by.
    """

    trainable: str | tuple[Callable[..., Iterator[Measurement]], type[StrictModel]]
    config: Nested
    objective: str

    def run(self, seed: int, *, changes: Nested = {}) -> History:  # noqa: B006 (a mapping, not changed)
        """Train with `seed` for the data and the model, with a fault's `changes` to the config."""
        given = merged(merged(self.config, changes), self._seeded(seed))
        train, config_type = self._load()
        reads = Reads(config_type.model_validate(given))
        measurements = tuple(train(reads.config, TrialContext(seed=seed)))
        return History(
            measurements,
            config=flat(config_type.model_validate(given).model_dump(mode="json")),
            objective=self.objective,
            unread=reads.unread(given),
        )

    def _load(self) -> tuple[Callable[..., Iterator[Measurement]], type[StrictModel]]:
        if not isinstance(self.trainable, str):
            return self.trainable
        return load_train(self.trainable), load_info(self.trainable).config_type

    def _seeded(self, seed: int) -> Nested:
        data = self.config.get("data")
        return {"data": {"seed": seed}} if isinstance(data, Mapping) and "seed" in data else {}


def merged(base: Nested, changes: Nested) -> dict[str, object]:
    """`base` with the leaves of `changes` put in; None takes a key out."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
            continue
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def flat(nested: Nested, prefix: str = "") -> dict[str, object]:
    """Dotted keys to leaves."""
    result: dict[str, object] = {}
    for key, value in nested.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return result
