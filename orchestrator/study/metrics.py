"""`Metrics`: the metrics of a stored measurement in a third of the memory of a dict; a large sweep has 200,000 of them.

Called by `records`, which reads measurements.
"""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache


class Metrics(Mapping[str, float]):
    """Name to value. Measurements with the same metrics share the names."""

    __slots__ = ("_places", "_values")

    def __init__(self, metrics: Mapping[str, float]) -> None:
        self._places = _places(tuple(metrics))
        self._values = array("d", metrics.values())

    def __getitem__(self, name: str) -> float:
        return self._values[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __repr__(self) -> str:
        return repr(dict(self))


@lru_cache(maxsize=1024)
def _places(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(names)}
