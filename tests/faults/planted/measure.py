"""What the doctor says of trainings with and without a planted fault, seed by seed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tests.faults.planted.plants import PLANTS, TWINS, Plant
from tests.faults.planted.runs import Nested
from trainables.health import History, Severity, diagnose

LOUD = (Severity.WARNING, Severity.ILL)
"""A note is no alarm, and no catch."""


class Trainings:
    """Trainings of one seed, each run once however many plants share it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._done: dict[str, History] = {}

    def of(self, twin: str, fault: Nested) -> History:
        """The history of a twin with a fault, or without one."""
        key = json.dumps([twin, fault], sort_keys=True)
        if key not in self._done:
            self._done[key] = TWINS[twin].run(self.seed, changes=fault)
        return self._done[key]


def is_caught(plant: Plant, trained: History) -> bool:
    """Whether the doctor names the fault once the training is over."""
    return plant.check in alarms(plant.of(trained))


def alarms(history: History) -> set[str]:
    """The checks that speak up at the end."""
    return {finding.check for finding in diagnose(history) if finding.severity in LOUD}


def alarms_at_any_epoch(history: History) -> set[str]:
    """The checks that speak up at any time, as they would live."""
    lengths = range(1, len(history.measurements) + 1)
    return set().union(*(alarms(replace(history, measurements=history.measurements[:n])) for n in lengths))


@dataclass(frozen=True)
class Outcome:
    """One seed.

    Attributes:
        caught: by place in PLANTS.
        at_the_end: by twin, the checks that were wrong to speak.
        at_any_epoch: the same, live.
    """

    caught: tuple[bool, ...]
    at_the_end: Mapping[str, set[str]]
    at_any_epoch: Mapping[str, set[str]]


def measure(seed: int) -> Outcome:
    """Every twin and every plant, some minutes on one core."""
    trainings = Trainings(seed)
    healthy = {twin: trainings.of(twin, {}) for twin in TWINS}
    return Outcome(
        caught=tuple(is_caught(plant, trainings.of(plant.twin, plant.fault)) for plant in PLANTS),
        at_the_end={twin: alarms(history) for twin, history in healthy.items()},
        at_any_epoch={twin: alarms_at_any_epoch(history) for twin, history in healthy.items()},
    )


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown: a row for each plant, and the sums."""
    outcomes = list(outcomes)
    rows = [
        "| finding | planted in | caught | missed | false alarms at the end | at any epoch |",
        "|---|---|--:|--:|--:|--:|",
    ]
    trained = len(outcomes) * len(TWINS)
    for number, plant in enumerate(PLANTS):
        caught = sum(outcome.caught[number] for outcome in outcomes)
        false = [
            sum(plant.check in checks for outcome in outcomes for checks in kind(outcome).values())
            for kind in (lambda outcome: outcome.at_the_end, lambda outcome: outcome.at_any_epoch)
        ]
        changes = plant.objective or ", ".join(f"{key} {value}" for key, value in _leaves(plant.fault))
        rows.append(
            f"| {plant.check} | {plant.twin}: {changes} | {caught} | {len(outcomes) - caught} "
            f"| {false[0]}/{trained} | {false[1]}/{trained} |"
        )
    return "\n".join([*rows, "", _sums(outcomes)])


def _sums(outcomes: list[Outcome]) -> str:
    caught = [hit for outcome in outcomes for hit in outcome.caught]
    ends = [bool(checks) for outcome in outcomes for checks in outcome.at_the_end.values()]
    live = [bool(checks) for outcome in outcomes for checks in outcome.at_any_epoch.values()]
    return (
        f"Caught: {sum(caught)} of {len(caught)} faults ({sum(caught) / len(caught):.1%}). "
        f"Healthy trainings with any alarm: {sum(ends)} of {len(ends)} at the end ({sum(ends) / len(ends):.1%}), "
        f"{sum(live)} at any epoch ({sum(live) / len(live):.1%})."
    )


def _leaves(nested: Nested, prefix: str = "") -> list[tuple[str, object]]:
    leaves: list[tuple[str, object]] = []
    for key, value in nested.items():
        leaves += _leaves(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return leaves
