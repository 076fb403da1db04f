"""The in-process runner: one trial after another, no Ray. The debug path, and the test double of the Ray runner."""

from pathlib import Path

from orchestrator.execution.assignment import Assignment, Measured
from orchestrator.execution.attempt import Attempt, prepare
from orchestrator.execution.control import Directive, SweepControl
from orchestrator.execution.machine import num_cpus, num_gpus
from orchestrator.execution.runner import Capacity, does_not_fit, needed
from orchestrator.spec.model import SweepSpec


class LocalRunner:
    """Runs trials in this process; a breakpoint in a trainable works."""

    def connect(self, spec: SweepSpec, directory: Path) -> Capacity:
        """Import the trainable; there is nothing else to reach."""
        where, cpus, gpus = "this process", num_cpus(), num_gpus()
        need = needed(spec.resources, gpus=gpus)
        if not need.times_on({"CPU": cpus, "GPU": gpus}):
            raise does_not_fit(need, where, f"{cpus:g} CPU and {gpus:g} GPU")
        prepare(spec.trainable, directory)
        return Capacity(where, cpus=cpus, gpus=gpus, max_concurrent=1, gpu=need.gpu, fit=1)

    def run(self, control: SweepControl) -> None:
        """Run until there is no next trial."""
        while (assignment := control.next()) is not None:
            self._run_one(assignment, control)

    def close(self) -> None:
        """Nothing is held."""

    def _run_one(self, assignment: Assignment, control: SweepControl) -> None:
        attempt, number = Attempt(assignment), assignment.number
        control.began(number, attempt=assignment.attempt)
        try:
            directive = Directive.GO_ON
            while directive is Directive.GO_ON:
                outcome = attempt.advance()
                directive = control.outcome(number, outcome, attempt=assignment.attempt)
            if directive is Directive.PAUSE and isinstance(outcome, Measured):
                attempt.save()
                control.paused(number, attempt=assignment.attempt)
        finally:
            attempt.close()
