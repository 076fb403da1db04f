"""The in-process runner: one trial after another, no Ray. The debug path, and the test double of the Ray runner."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.execution.attempt import prepare
from orchestrator.execution.bundle import Bundle
from orchestrator.execution.bundling import Bundler, InWork
from orchestrator.execution.control import Directive, SweepControl
from orchestrator.execution.machine import num_cpus, num_gpus
from orchestrator.execution.runner import Capacity, does_not_fit, needed
from orchestrator.spec.model import SweepSpec
from orchestrator.trial import JsonValue


class LocalRunner:
    """Runs trials in this process; a breakpoint in a trainable works."""

    def connect(self, spec: SweepSpec, directory: Path, fixed: Mapping[str, JsonValue]) -> Capacity:
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
            self._run_together(Bundle(assignments), InWork(control, bundler, assignments))
        InWork(control, bundler, bundler.release()).paused()

    def close(self) -> None:
        """Nothing is held."""

    def _run_together(self, bundle: Bundle, work: InWork) -> None:
        work.began()
        try:
            directive = Directive.GO_ON
            while directive is Directive.GO_ON:
                directive, over = work.outcome(bundle.advance())
                bundle.end(over)
            if directive is Directive.PAUSE:
                bundle.save()
                work.paused()
        finally:
            bundle.close()
