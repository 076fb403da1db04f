"""What the rules may know of this machine from sweeps that ran before, or from a plan's probe.

Called by the commands that start something: it opens the ledger, which `orch lint` and `orch validate` do not.
"""

from dataclasses import replace

from orchestrator.execution.machine import num_gpus
from orchestrator.spec import SweepSpec
from orchestrator.sweeps.lint.facts import facts_here
from orchestrator.sweeps.lint.question import Facts
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.planning.earlier import earlier_pace
from orchestrator.sweeps.planning.pace import Pace


def facts_before(spec: SweepSpec, home: Home) -> Facts:
    """What is known before a sweep: this machine, and the pace of the latest sweep like it."""
    pace = earlier_pace(spec, home, concurrency=None)
    facts = facts_here(spec, home)
    return facts if pace is None else at_pace(facts, pace, spec, concurrency=pace.at_once)


def at_pace(facts: Facts, pace: Pace, spec: SweepSpec, *, concurrency: int) -> Facts:
    """The same with a pace that was measured."""
    gpus = float(num_gpus() > 0) if spec.resources.gpu == "auto" else spec.resources.gpu
    return replace(
        facts,
        concurrency=concurrency,
        checkpoint_bytes=pace.checkpoint_bytes,
        start_s=pace.start_s,
        epoch_s=pace.epoch_s,
        devices=gpus or spec.resources.cpu,
        pace_source=pace.source,
    )
