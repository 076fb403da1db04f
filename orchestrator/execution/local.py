"""The in-process runner: one trial after another, no Ray. The debug path, and the test double of the Ray runner."""

from pathlib import Path

from orchestrator.execution.assignment import Assignment
from orchestrator.execution.attempt import prepare
from orchestrator.execution.bundle import Bundle
from orchestrator.execution.bundling import Bundler
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
        bundler = Bundler(control)
        while assignments := bundler.next():
            self._run_together({assignment.number: assignment for assignment in assignments}, control, bundler)
        for assignment in bundler.release():
            control.paused(assignment.number, attempt=assignment.attempt)

    def close(self) -> None:
        """Nothing is held."""

    def _run_together(self, running: dict[int, Assignment], control: SweepControl, bundler: Bundler) -> None:
        bundle = Bundle(tuple(running.values()))
        for number, assignment in running.items():
            control.began(number, attempt=assignment.attempt)
        try:
            while running:
                outcomes = bundle.advance()
                pauses = False
                num_lanes = len(running)
                for number, outcome in outcomes.items():
                    directive = control.outcome(number, outcome, attempt=running[number].attempt)
                    if directive is Directive.END:
                        bundle.end([number])
                        del running[number]
                    pauses = pauses or directive is Directive.PAUSE
                bundler.saw(outcomes, num_lanes=num_lanes)
                if pauses:
                    bundle.save()
                    for number, assignment in running.items():
                        control.paused(number, attempt=assignment.attempt)
                    return
        finally:
            bundle.close()
