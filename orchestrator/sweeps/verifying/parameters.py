"""Check of the proposals: a sequential sweep has the parameters of one that was never interrupted. Pure."""

from collections.abc import Sequence

from orchestrator.spec.model import PbtSampler
from orchestrator.study import SweepRecord
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.overlap import one_at_a_time
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable
from orchestrator.trial import TrialRecord


def why_not_redrafted(record: SweepRecord, trials: Sequence[TrialRecord]) -> str:
    """Why the order of proposals cannot be replayed; empty where it can."""
    if record.confirming is not None:
        return "a confirmation proposes its candidates, not a sampler"
    if isinstance(record.spec.sampler, PbtSampler):
        return "a population's proposals depend on when its members ended"
    if any(trial.extends is not None for trial in trials):
        return "trials were extended after later ones were proposed"
    if not one_at_a_time(trials):
        return "trials ran at the same time: what the sampler knew of each is not recorded"
    return ""


def check_parameters(evidence: Evidence) -> Outcome:
    """Each trial is what the sampler proposes again, given the trials before it."""
    if isinstance(evidence.redrafts, str):
        return not_applicable(evidence.redrafts)
    violations = [
        Violation(
            "its parameters are not what an uninterrupted sweep would have tried",
            redraft.number,
            seen=dict(redraft.stored),
            expected=None if redraft.drafted is None else dict(redraft.drafted),
            advice="the file, the seed or the sampler's library changed, or an earlier trial did",
        )
        for redraft in evidence.redrafts
        if not redraft.agrees
    ]
    return Outcome(violations, note=f"{len(evidence.redrafts)} trials drafted again")
