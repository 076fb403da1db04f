"""What a driver sends to its workers: the class trainable that Ray Tune keeps warm, and the probe.

Each actor runs one attempt after another. The driver has this module as well; torch is imported in workers alone.
"""

from typing import TYPE_CHECKING, Any

from ray import tune

from orchestrator.execution.assignment import Assignment
from orchestrator.execution.environment import scrub

if TYPE_CHECKING:  # a worker starts sooner without
    from orchestrator.execution.bundle import Bundle
    from orchestrator.execution.packing import Probed

ASSIGNMENTS = "assignments"
OUTCOMES = "outcomes"


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Pulls one measurement of each trial a step; Tune's own bookkeeping gets opaque outcomes."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take a bundle of assignments; training starts at the first step, so that nothing can fail here."""
        scrub(self._assignments(config)[0].environment)
        self._bundle = _bundle(self._assignments(config))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next bundle in the same warm process."""
        self._bundle.close()
        self._bundle = _bundle(self._assignments(new_config))
        return True

    def step(self) -> dict[str, Any]:
        """Train each trial up to its next measurement."""
        outcomes = self._bundle.advance()
        # Pairs: Tune takes a mapping apart.
        return {OUTCOMES: tuple(outcomes.items()), "done": self._bundle.is_over}

    def end(self, numbers: tuple[int, ...]) -> None:
        """These trials are over; the others of the bundle go on."""
        self._bundle.end(numbers)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Called when trials are paused: checkpoints go to the sweep's own folder, Tune keeps none."""
        self._bundle.save()

    def load_checkpoint(self, checkpoint: object) -> None:
        """Never needed: an attempt resumes from the sweep's own folder."""

    def cleanup(self) -> None:
        """The actor goes."""
        self._bundle.close()

    @staticmethod
    def _assignments(config: dict[str, Any]) -> tuple[Assignment, ...]:
        assignments: tuple[Assignment, ...] = config[ASSIGNMENTS].of
        return assignments


def run_probe(assignment: Assignment) -> "Probed":
    """Train a little, to see what a trial takes of a GPU."""
    from orchestrator.execution.probing import probe

    return probe(assignment)


def _bundle(assignments: tuple[Assignment, ...]) -> "Bundle":
    from orchestrator.execution.bundle import Bundle

    return Bundle(assignments)
