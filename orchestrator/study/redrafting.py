"""What a sweep's sampler would propose for each trial if it were asked again, given the trials before it.

A trial's parameters follow from the spec, the seed and the trials that had ended when it was drafted; so an
uninterrupted sweep of one worker has the parameters that are drafted here. Called by verification.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial

from orchestrator.spec.model import SweepSpec
from orchestrator.study import records
from orchestrator.study.asking import Asking
from orchestrator.study.ledger import Ledger
from orchestrator.trial import Value


@dataclass(frozen=True, slots=True)
class Redraft:
    """One trial: what the ledger has, and what is proposed in its place; None where nothing is."""

    number: int
    stored: Mapping[str, Value]
    drafted: Mapping[str, Value] | None

    @property
    def agrees(self) -> bool:
        """Whether both are the same, kinds included: 1 is not true, and 1.0 is not 1."""
        return self.drafted is not None and _typed(self.stored) == _typed(self.drafted)


def redrafted(ledger: Ledger) -> Iterator[Redraft]:
    """Draft each trial anew, in memory; for a sweep whose trials ran one after another, and whose sampler proposes."""
    study = _empty_study(ledger.spec)
    asking = Asking(ledger.spec, ledger.space)
    trials: list[FrozenTrial] = []
    for trial in ledger.study.get_trials(deepcopy=False):
        if not records.is_imported(trial):
            draft = asking.next(study, trials)
            if draft is None and not asking.exhausted:
                return  # the rest is more than the budget has
            yield Redraft(trial.number, _params(trial), None if draft is None else _params(draft))
        study._storage.create_new_trial(study._study_id, template_trial=trial)
        trials.append(trial)


def _empty_study(spec: SweepSpec) -> Study:
    return optuna.create_study(
        directions=[objective.direction.value for objective in spec.objectives],
        sampler=optuna.samplers.RandomSampler(),
        pruner=optuna.pruners.NopPruner(),
    )


def _params(trial: FrozenTrial) -> dict[str, Value]:
    proposed = trial.user_attrs.get(records.PROPOSED, {})
    return dict(proposed["params"] if proposed.get("outside") else trial.params)


def _typed(params: Mapping[str, Value]) -> dict[str, tuple[str, Value]]:
    return {name: (type(value).__name__, value) for name, value in params.items()}
