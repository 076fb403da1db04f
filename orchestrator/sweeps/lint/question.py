"""`Question`: everything that a lint rule may look at. Frozen, built once for all rules.

Built from a `CheckedSweep`, so that a rule never meets a file with a fault. Knows no rule.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import BaseModel

from orchestrator.space import Categorical, Fixed, Float, Int, Parameter, SearchSpace, corners, random_value
from orchestrator.spec import SpecDocument, SweepSpec
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.checks import CheckedSweep
from orchestrator.sweeps.lint.whole_configs import WholeConfig, roles_of, whole_configs
from orchestrator.trial import Value
from trainables.roles import Role

NUM_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the place where the sweep would run; None where nobody has looked.

    Attributes:
        concurrency: trials at a time.
        free_bytes: on the disk of the checkpoints.
        checkpoint_bytes: of one checkpoint of an earlier sweep like this one.
        start_s: seconds of a trial before its first epoch.
        epoch_s: seconds of one epoch.
        devices: GPUs of a trial, or its cores where there is no GPU.
        pace_source: where these are from, such as `sweep multitask-clip-3`.
    """

    concurrency: int | None = None
    free_bytes: int | None = None
    checkpoint_bytes: int | None = None
    start_s: float | None = None
    epoch_s: float | None = None
    devices: float | None = None
    pace_source: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one dotted key of the Config can be in this sweep.

    Attributes:
        key: the dotted key.
        parameter: its domain; None where it is not searched.
        values: both ends of a range, every choice, or the one value.
    """

    key: str
    parameter: Parameter | None
    values: tuple[Value, ...]

    @property
    def is_searched(self) -> bool:
        """Whether trials differ in it."""
        return isinstance(self.parameter, Float | Int) or len(self.values) > 1

    @property
    def is_log(self) -> bool:
        """Whether its logarithm is searched."""
        return isinstance(self.parameter, Float | Int) and self.parameter.log

    @property
    def numbers(self) -> tuple[float, ...]:
        """Those of `values` that are numbers."""
        return tuple(v for v in self.values if isinstance(v, int | float) and not isinstance(v, bool))

    @property
    def low(self) -> float | None:
        """The least number that it can be; None if it is no number."""
        return min(self.numbers, default=None)

    @property
    def high(self) -> float | None:
        """The largest number that it can be; None if it is no number."""
        return max(self.numbers, default=None)

    def path(self, end: str = "") -> Path:
        """Where the file says so.

        Args: end: `low` or `high`, for the key, value or choice that sets this end; empty for the whole parameter.
        """
        match self.parameter:
            case None:
                return ("config", *self.key.split("."))
            case Float() | Int() if end:
                return ("space", self.key, end)
            case Fixed() if end:
                return ("space", self.key, "value")
            case Categorical() if end:
                wanted = self.low if end == "low" else self.high
                position = next((n for n, v in enumerate(self.parameter.choices) if v == wanted), 0)
                return ("space", self.key, "choices", position)
            case _:
                return ("space", self.key)


@dataclass(frozen=True)
class Question:
    """One sweep file without a fault, seen by the rules.

    Attributes:
        document: the file, its values and their places.
        space: the search space; `space.fixed` has the Config's values that are not searched, defaults included.
        config_type: the trainable's Config.
        metrics: what the trainable reports, name to meaning; None if it does not say.
        facts: of the machine.
    """

    document: SpecDocument
    space: SearchSpace
    config_type: type[BaseModel]
    metrics: Mapping[str, str] | None
    facts: Facts = field(default_factory=Facts)

    @classmethod
    def of(cls, checked: CheckedSweep, *, facts: Facts | None = None) -> "Question":
        """The question of a checked sweep file."""
        info = checked.info
        return cls(checked.document, checked.space, info.config_type, info.metrics, facts or Facts())

    @property
    def spec(self) -> SweepSpec:
        """What the file says."""
        return self.document.spec

    @property
    def fixed(self) -> Mapping[str, Value]:
        """Dotted keys of the Config that are the same in every trial, with their values, defaults included."""
        return self.space.fixed

    @cached_property
    def configs(self) -> tuple[WholeConfig, ...]:
        """Whole validated configs: corners of the space first, then random ones; the same at each call."""
        return whole_configs(self.spec, self.space, self.config_type)

    @cached_property
    def draws(self) -> tuple[Mapping[str, Value], ...]:
        """Random configurations as the ranges and conditions give them, those that a constraint forbids among them."""
        rng = random.Random(self.spec.seed)
        return tuple(self.space.sample(lambda _, p: random_value(p, rng)) for _ in range(NUM_DRAWS))

    @cached_property
    def roles(self) -> tuple[Mapping[str, Role], ...]:
        """What the keys mean in each of `configs`, as far as the Config says."""
        return tuple(roles_of(whole.config) for whole in self.configs)

    @cached_property
    def epochs(self) -> int | None:
        """The most epochs that a trial has; None if the Config has no such field."""
        reach = self.reach("epochs")
        return int(reach.high) if reach is not None and reach.high is not None else None

    def reach(self, key: str) -> Reach | None:
        """What a dotted key can be: searched, set or a default; None if it is not the same field in every trial."""
        parameter = self.spec.space.get(key)
        if parameter is not None:
            return Reach(key, parameter, corners(parameter))
        return Reach(key, None, (self.fixed[key],)) if key in self.fixed else None

    def is_searched(self, key: str) -> bool:
        """Whether trials differ in this key, or in one below it."""
        keys = [name for name in self.spec.space if name == key or name.startswith(f"{key}.")]
        return any(reach.is_searched for name in keys if (reach := self.reach(name)) is not None)

    def is_written(self, key: str) -> bool:
        """Whether the file itself names this key, or one below it."""
        reached, _, _ = self.document.root.follow(("config", *key.split(".")))
        return len(reached) == 1 + key.count(".") + 1 or any(
            name == key or name.startswith(f"{key}.") for name in self.spec.space
        )
