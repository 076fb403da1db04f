"""What a confirmation has shown, as plain data: stored in the ledger when it is finished, read by `show` and `export`.

Without scipy and torch, so that reading it stays quick; `build` makes it.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from orchestrator.trial import Value


class _Plain(BaseModel):
    # Without "constants" pydantic would write NaN and infinity as null.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class Estimate(_Plain):
    """A mean over seeds with its 95 % interval; `low` and `high` are None where there were too few values for one."""

    mean: float
    low: float | None
    high: float | None
    num_seeds: int


class Difference(_Plain):
    """How much better than the reference, paired by seed; positive is better, whichever way the metric goes.

    The bounds of all candidates hold together. `separated`: the difference is no chance.
    """

    mean: float
    low: float | None
    high: float | None
    separated: bool


class Drop(_Plain):
    """Winner's curse: the search's value minus the confirmed one, positive where the search promised too much."""

    mean: float
    low: float | None
    high: float | None


class Confirmed(_Plain):
    """One candidate.

    Attributes:
        label: `default`, or its first trial in the search.
        trial: that trial; None for a configuration that the search has not tried.
        is_reference: all others are compared with it.
        is_finalist: it was not ruled out on the way.
        num_failed: trainings that failed.
        seeds: of the trainings that have a value.
        best_run, best_step: the training with the best value on val, by its number in the confirmation, and its epoch.
    """

    label: str
    trial: int | None
    params: Mapping[str, Value]
    is_reference: bool
    is_finalist: bool
    search_value: float | None
    val: Estimate | None
    test: Estimate | None
    val_difference: Difference | None
    test_difference: Difference | None
    drop: Drop | None
    seeds: tuple[int, ...]
    num_failed: int
    best_run: int | None
    best_step: int | None


class Verdict(_Plain):
    """`outcome` is winner, tie or none; `names` are the labels that it names, `sentence` is the same in words."""

    outcome: str
    names: tuple[str, ...]
    sentence: str


class Costs(_Plain):
    """What it took; `wall_s` are the seconds of its drivers."""

    trainings: int
    epochs: int
    train_s: float
    wall_s: float


class Read(_Plain):
    """One read of the test split that was confirmed on, by this confirmation (`own`) or by another one."""

    who: str
    at: str
    why: str
    confirmation: str
    own: bool
    finished: bool


class ConfirmationReport(_Plain):
    """All that there is to say.

    Attributes:
        sweep: the search. `confirmation` and `confirmation_id` are the sweep in which its candidates were trained.
        metric: the objective; `test_metric` is None where test was not read.
        covers: what the intervals of the metric that decides cover.
        reference: the label that all others are compared with.
        candidates: best first, by the metric that decides; those that were ruled out last.
        expected_drop: the mean drop of the searched candidates.
        reads: of this test split, in the whole ledger.
        notes: what a reader should know besides, a sentence each.
    """

    sweep: str
    confirmation: str
    confirmation_id: str
    metric: str
    direction: str
    test_metric: str | None
    covers: str
    reference: str
    verdict: Verdict
    candidates: tuple[Confirmed, ...]
    expected_drop: Drop | None
    costs: Costs
    reads: tuple[Read, ...]
    notes: tuple[str, ...]

    @property
    def deciding_metric(self) -> str:
        """The one that the verdict rests on."""
        return self.test_metric or self.metric

    def of_trial(self, number: int) -> Confirmed | None:
        """The candidate that a trial of the search is, if it is one."""
        return next((candidate for candidate in self.candidates if candidate.trial == number), None)
