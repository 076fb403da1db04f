"""Checks of the trials themselves: none missing, none too many, each in the one state that its ending says."""

from collections.abc import Iterator

from orchestrator.spec.model import PbtSampler
from orchestrator.study import SweepState
from orchestrator.sweeps.verifying.evidence import Evidence, Standing
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable
from orchestrator.trial import ENDINGS, TrialRecord, TrialState


def check_numbers(evidence: Evidence) -> Outcome:
    """The ledger's numbers are 0, 1, 2 and so on."""
    numbers = sorted(stored.number for stored in evidence.stored)
    missing = sorted(set(range(numbers[-1] + 1)) - set(numbers)) if numbers else []
    doubled = sorted({number for number in numbers if numbers.count(number) > 1})
    advice = "restore the ledger from a backup: what it has lost is nowhere else"
    return Outcome(
        [Violation("it is missing in the ledger", number, advice=advice) for number in missing]
        + [Violation("the ledger has it twice", number, advice=advice) for number in doubled]
    )


def check_count(evidence: Evidence) -> Outcome:
    """No more trials than the sweep may have, and all of them in a complete one."""
    record, limit = evidence.record, evidence.limit
    if record.confirming is not None:
        return not_applicable("a confirmation says itself how many trials it needs")
    asked = sum(trial.extends is None for trial in evidence.trials)
    if asked > limit:
        return Outcome([Violation("it has more trials than its budget", seen=asked, expected=limit)])
    # A reason after the count, such as an exhausted space, says why there are fewer.
    may_be_fewer = ";" in record.reason or isinstance(record.spec.sampler, PbtSampler)
    if record.state is SweepState.COMPLETE and asked < limit and not may_be_fewer:
        return Outcome([Violation("it is complete and lacks trials", seen=asked, expected=limit, advice=_MORE)])
    return Outcome(note=f"{asked} of {limit}")


_MORE = "orch resume SWEEP --extend trials=+N asks for the missing ones"


def check_endings(evidence: Evidence) -> Outcome:
    """What is stored of each ending is what Optuna was told."""
    return Outcome([v for trial in evidence.trials for v in _ending_violations(trial, evidence)])


def _ending_violations(trial: TrialRecord, evidence: Evidence) -> Iterator[Violation]:
    if trial.ending is None:
        if trial.state.is_terminal:
            what = "it has ended and nothing says why"
            yield Violation(what, trial.number, seen=trial.state.value, advice="look for it in the driver's output")
        return
    expected = ENDINGS[trial.ending.cause].state
    if trial.state is expected:
        return
    if trial.state.is_terminal:
        seen = f"{trial.state.value}, cause {trial.ending.cause.value}"
        yield Violation("its state is not that of its ending", trial.number, seen=seen, expected=expected.value)
    elif evidence.has_ended:
        what = "its ending is stored and was never told to the sampler"
        yield Violation(what, trial.number, seen=trial.state.value, expected=expected.value, repairable=True)


def check_states(evidence: Evidence) -> Outcome:
    """After the end every trial is terminal or paused, and terminal in a complete sweep."""
    if evidence.standing is not Standing.ENDED:
        left = sum(not trial.state.is_terminal for trial in evidence.trials)
        return not_applicable(f"{evidence.standing.value}; {left} trials have not ended")
    may_pause = evidence.record.state is not SweepState.COMPLETE
    allowed = "terminal or PAUSED" if may_pause else "terminal"
    violations = [
        Violation(
            f"the sweep is {evidence.record.state.value} and the trial is not",
            trial.number,
            seen=trial.state.value,
            expected=allowed,
            repairable=True,
        )
        for trial in evidence.trials
        if not (trial.state.is_terminal or (may_pause and trial.state is TrialState.PAUSED))
    ]
    return Outcome(violations)
