"""What is confirmed: the best configurations of a search, the default configuration, and the seeds for all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from statistics import fmean

from pydantic import ValidationError

from orchestrator import analysis
from orchestrator.analysis.leaderboard import current
from orchestrator.errors import UsageError
from orchestrator.space import Fixed, same_value
from orchestrator.spec import SweepSpec, resolve
from orchestrator.spec.dotted import plain_values
from orchestrator.spec.model import Direction
from orchestrator.study import Candidate, Confirming, SweepRecord
from orchestrator.sweeps.checks import CheckedSweep
from orchestrator.trial import Cause, TrialRecord, TrialState, Value

DEFAULT = "default"
FIRST_SEED = 1000
"""How far the fresh seeds begin after the search's."""
MAX_SEED = 2**32


def choose(
    checked: CheckedSweep, record: SweepRecord, trials: Sequence[TrialRecord], *, used: Iterable[int] = ()
) -> Confirming:
    """The candidates and the seeds of a confirmation, as `checked.spec.confirm` asks for them.

    Args:
        checked: the search's spec, with the settings of the confirmation.
        used: seeds that earlier confirmations have used.

    Raises:
        UsageError: the search has no usable trial, found nothing but the default, or has trials that are stretches.
    """
    settings = checked.spec.confirm
    assert settings is not None, "the caller fills in the defaults"
    if any(trial.segment is not None for trial in trials):
        raise UsageError(f"{record.name} searched with a population: its trials are stretches, not configurations")
    found = configurations(trials, checked.spec)
    if not found:
        raise UsageError(f"nothing to confirm: no trial of {record.name} has a usable value of {_metric(checked.spec)}")
    best = found[: settings.top]
    default = default_params(checked)
    # Without defaults in its Config, a configuration that nothing has selected is what searching is compared with.
    reference = Candidate(DEFAULT, default) if default else _unselected(found, best)
    same = [candidate for candidate in best if same_params(candidate.params, reference.params)]
    if same == best:
        what = f"the best of {record.name} is what it would be compared with, {reference.label}"
        raise UsageError(f"nothing to confirm: {what}")
    used = {*used, *(seed for trial in trials for seed in trial.seeds)}
    return Confirming(
        sweep=record.name,
        sweep_id=record.id,
        candidates=tuple(best) if same else (*best, reference),
        reference=same[0].label if same else reference.label,
        seeds=fresh_seeds(checked.spec.seed, settings.seeds, used=used),
    )


def configurations(trials: Sequence[TrialRecord], spec: SweepSpec) -> list[Candidate]:
    """What a search has found, best first: each configuration once, with the mean over the trials that repeat it.

    Trials that failed, were found ill, miss a floor or have not learned anything yet are left out.
    """
    usable = [trial for trial in analysis.ranked(current(trials), spec.objective) if is_usable(trial)]
    groups: list[list[TrialRecord]] = []
    for trial in usable:
        group = next((g for g in groups if same_params(g[0].params, trial.params)), None)
        if group is None:
            groups.append([trial])
        else:
            group.append(trial)
    found = [_candidate(group) for group in groups]
    sign = -1.0 if spec.objective.direction is Direction.MAXIMIZE else 1.0
    return sorted(found, key=lambda candidate: sign * (candidate.search_value or 0.0))


def is_usable(trial: TrialRecord) -> bool:
    """Whether a trial's value says something for its configuration."""
    if trial.value is None or not trial.best_step or not trial.params or trial.violated:
        return False
    sick = trial.ending is not None and trial.ending.cause is Cause.SICK
    return trial.state is not TrialState.FAILED and not sick


def same_params(a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
    """Whether two configurations are one."""
    return a.keys() == b.keys() and all(same_value(a[name], b[name]) for name in a)


def default_params(checked: CheckedSweep) -> dict[str, Value] | None:
    """The searched parameters as the trainable's Config has them when only the sweep's fixed values are given.

    It may lie outside of the space. None where Config has no such configuration: a searched field without a default.
    """
    spec, space = checked.spec, checked.space
    try:
        plain = _plain_default(checked)
        params: dict[str, Value] = {}
        for name in space.names:
            parameter = spec.space[name]
            if not space.is_active(name, params):
                continue
            if isinstance(parameter, Fixed):
                params[name] = parameter.value
            elif name in plain:
                params[name] = plain[name]
        checked.config(params)
    except ValidationError:
        return None
    return params or None


def _plain_default(checked: CheckedSweep) -> dict[str, Value]:
    """Config's values by dotted key.

    A section that the sweep file sets in part loses its defaults, and then what is searched in it is that of a Config
    to which nothing is given.
    """
    config_type, spec = checked.info.config_type, checked.spec
    try:
        model = config_type.model_validate(resolve(spec, {}))
    except ValidationError:
        bare = plain_values(config_type().model_dump(mode="json"))
        searched = {name: bare[name] for name in checked.space.names if name in bare}
        model = config_type.model_validate(resolve(spec, searched))
    return plain_values(model.model_dump(mode="json"))


def fresh_seeds(seed: int, number: int, *, used: Iterable[int]) -> tuple[int, ...]:
    """Seeds that the search has not used, the same for the same sweep."""
    taken = set(used)

    def fresh() -> Iterator[int]:
        for n in count(FIRST_SEED):
            if (candidate := (seed + n) % MAX_SEED) not in taken:
                yield candidate

    return tuple(found for found, _ in zip(fresh(), range(number), strict=False))


def _candidate(group: Sequence[TrialRecord]) -> Candidate:
    """Trials of one configuration, the best first."""
    first = min(group, key=lambda trial: trial.number)
    value = fmean(trial.value for trial in group if trial.value is not None)
    return Candidate(f"trial {first.number}", first.params, trial=first.number, search_value=value)


def _unselected(found: Sequence[Candidate], best: Sequence[Candidate]) -> Candidate:
    others = [candidate for candidate in found if candidate not in best] or best
    return min(others, key=lambda candidate: candidate.trial or 0)


def _metric(spec: SweepSpec) -> str:
    floors = "".join(f", with {metric} of {least:g} or more" for metric, least in spec.floors.items())
    return f"{spec.objective.metric}{floors}"
