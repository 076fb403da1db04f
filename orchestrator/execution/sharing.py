"""How sweeps that have joined one cluster divide its workers: in equal parts, and what one cannot use the others get.

Every driver reads the same list and comes to the same answer by itself. A worker that is too many is let go when its
trial has ended; a sweep always has one. Called by the Ray runner; knows no Ray.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.execution.runner import Capacity, needed
from orchestrator.spec.model import Resources

LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Sharers:
    """The sweeps on a cluster.

    Attributes:
        mine: the key of this sweep among them.
        resources: what each sweep's file asks for.
        nodes: amounts of `CPU` and `GPU` of each node.
    """

    mine: str
    resources: Mapping[str, Resources]
    nodes: tuple[Mapping[str, float], ...]


class Share:
    """A sweep's part of a cluster, looked at again every two seconds."""

    def __init__(
        self,
        capacity: Capacity,
        look: Callable[[], Sharers | None],
        *,
        monotonic_s: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        """Args: look: who shares the cluster now; None where nobody can, or where that cannot be told at the moment."""
        self._capacity = capacity
        self._look = look
        self._monotonic_s = monotonic_s
        self._say = say
        self._looked_s = -math.inf
        self._workers = capacity.max_concurrent

    def workers(self) -> int:
        """How many trials, or bundles of lanes, may run now."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s < LOOK_S:
            return self._workers
        self._looked_s = now_s
        sharers = self._look()
        if sharers is not None and (workers := workers_of(sharers, self._capacity)) != self._workers:
            self._workers = workers
            num = len(sharers.resources)
            told = f"{num} sweeps share" if num > 1 else "1 sweep has"
            self._say(f"{told} {self._capacity.where}: {workers} at a time here")
        return self._workers


def workers_of(sharers: Sharers, capacity: Capacity) -> int:
    """How many of the workers that `capacity` could have are this sweep's."""
    gpus = sum(node.get("GPU", 0.0) for node in sharers.nodes)
    wants = {sharers.mine: capacity.max_concurrent / capacity.fit}
    for key, resources in sharers.resources.items():
        fit = sum(needed(resources, gpus=gpus).times_on(node) for node in sharers.nodes)
        if key != sharers.mine and fit:
            wants[key] = min(1.0, (resources.max_concurrent or fit) / fit)
    fractions = fair_fractions(wants)
    whole = {key: math.floor(fraction * capacity.fit + 1e-9) for key, fraction in fractions.items()}
    left = capacity.fit - sum(whole.values())
    short = [key for key in sorted(wants) if fractions[key] < wants[key]]
    return min(capacity.max_concurrent, max(1, whole[sharers.mine] + (sharers.mine in short[: max(0, left)])))


def fair_fractions(wants: Mapping[str, float]) -> dict[str, float]:
    """Divide 1 among those that want these fractions of it, max-min fair: nobody has more while another wants as much.

    Source: Bertsekas and Gallager, Data Networks (1992), section 6.5.2.
    """
    given: dict[str, float] = {}
    left = 1.0
    for num_given, (key, want) in enumerate(sorted(wants.items(), key=lambda item: item[1])):
        given[key] = min(want, left / (len(wants) - num_given))
        left -= given[key]
    return given
