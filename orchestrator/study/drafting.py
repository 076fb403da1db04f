"""A trial that is proposed but not stored yet, and the study as its sampler sees it. Called by `sampling`.

Optuna's samplers write notes to the trial that they propose for. Here these notes gather in the draft, so that the
ledger stores the whole trial at once: it exists with all that is known of it, or not at all.
"""

import copy
from collections.abc import Callable, Container, Sequence
from functools import cache
from typing import cast

from optuna._typing import JSONSerializable
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from orchestrator.study.records import EXTENDS, PROPOSED

_SHARED = "relative_params:"
"""Part of the notes with which samplers tell other processes what they are about to propose; here nobody else asks."""


def draft_trial(number: int) -> FrozenTrial:
    """A running trial without parameters; Optuna knows it by no id."""
    draft = create_trial(state=TrialState.RUNNING)
    draft.number = number
    return draft


def sampler_study(study: Study, draft: FrozenTrial, trials: Callable[[], Sequence[FrozenTrial]]) -> Study:
    """The study as a sampler sees it that proposes for `draft`; it learns from `trials`, if it looks at them at all."""
    seen = _SamplerStudy.__new__(_SamplerStudy)
    seen.__setstate__(study.__getstate__())
    seen._storage = cast(BaseStorage, _DraftingStorage(study._storage, draft, cache(trials)))
    return seen


def in_search(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that say something of the space: not those outside of it, and of one that was extended the longer."""
    extended = {trial.user_attrs.get(EXTENDS) for trial in trials}
    return [
        trial
        for trial in trials
        if trial.number not in extended and not trial.user_attrs.get(PROPOSED, {}).get("outside")
    ]


class _SamplerStudy(Study):
    @property
    def direction(self) -> StudyDirection:
        """The first objective's: by it pruned trials are ordered, whose other objectives nobody knows."""
        return self.directions[0]


class _DraftingStorage:
    """Has the trials that it is given, and all else of another storage; what is noted of the draft stays in it."""

    def __init__(self, storage: BaseStorage, draft: FrozenTrial, trials: Callable[[], Sequence[FrozenTrial]]) -> None:
        self._storage = storage
        self._draft = draft
        self._trials = trials

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        found = [trial for trial in self._trials() if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def set_trial_system_attr(self, trial_id: int, key: str, value: JSONSerializable) -> None:
        assert trial_id == self._draft._trial_id, "a sampler takes notes of the trial that it proposes for"
        if _SHARED not in key:
            self._draft.system_attrs = {**self._draft.system_attrs, key: value}

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)
