"""The class trainable that Ray Tune keeps warm: each actor runs one attempt after another. Imported in workers."""

from typing import Any

from ray import tune

from orchestrator.execution.assignment import Assignment, Measured, Outcome
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.environment import scrub

ASSIGNMENT = "assignment"
OUTCOME = "outcome"


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Pulls one measurement a step; Tune's own bookkeeping gets one opaque outcome."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take an assignment; the trainable starts at the first step, so that nothing can fail here."""
        scrub(self._assignment(config).environment)
        self._attempt = Attempt(self._assignment(config))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next assignment in the same warm process."""
        self._attempt.close()
        self._attempt = Attempt(self._assignment(new_config))
        return True

    def step(self) -> dict[str, Any]:
        """Train up to the next measurement."""
        outcome: Outcome = self._attempt.advance()
        return {OUTCOME: outcome, "done": not isinstance(outcome, Measured)}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Called when the trial is paused: the checkpoint goes to the sweep's own folder, Tune keeps none."""
        self._attempt.save()

    def load_checkpoint(self, checkpoint: object) -> None:
        """Never needed: an attempt resumes from the sweep's own folder."""

    def cleanup(self) -> None:
        """The actor goes."""
        self._attempt.close()

    @staticmethod
    def _assignment(config: dict[str, Any]) -> Assignment:
        assignment: Assignment = config[ASSIGNMENT]
        return assignment
