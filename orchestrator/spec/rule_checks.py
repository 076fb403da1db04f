"""Checks of the sampler, the pruner and the stop rules against the rest of a sweep file.

Called by `loading` with what the file says, and by `config_check` once the trainable's defaults are known.
"""

from collections.abc import Collection, Iterator, Mapping

from orchestrator.errors import Fault
from orchestrator.space import Fixed, Int, corners, describe, num_values
from orchestrator.spec.dotted import flatten
from orchestrator.spec.model import (
    BelowUntrainedRule,
    BruteForceSampler,
    CmaesSampler,
    GridSampler,
    HyperbandPruner,
    NoPruner,
    PatientPruner,
    PbtSampler,
    PlateauRule,
    SweepSpec,
    TargetRule,
)
from orchestrator.spec.nodes import Node, Path

EPOCHS = "epochs"
"""The Config field that says how many epochs a trial has."""


def check_rules(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Faults of the sampler, of the objectives and of the pruner, as far as the file alone tells."""
    yield from _check_grid(spec, root)
    yield from _check_objectives(spec, root)
    yield from check_pruner(spec, root, flatten(spec.config), complete=False)
    yield from check_population(spec, root, flatten(spec.config), complete=False)


def _check_grid(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    if not isinstance(spec.sampler, GridSampler | BruteForceSampler):
        return
    for name, parameter in spec.space.items():
        if num_values(parameter) is None:
            needs = f"the {spec.sampler.type} sampler needs choices or a step"
            yield root.fault(("space", name), f"a float {describe(parameter)} has no grid; {needs}")


def check_directions(spec: SweepSpec, root: Node, *, metrics: Collection[str] | None) -> Iterator[Fault]:
    """Stop rules about another metric than the objective, without a direction.

    Args: metrics: what the trainable reports; a name that is not among them has a fault of its own already.
    """
    for position, rule in enumerate(spec.stop):
        if not isinstance(rule, PlateauRule | TargetRule | BelowUntrainedRule):
            continue
        is_other = rule.metric not in (None, spec.objective.metric) and (metrics is None or rule.metric in metrics)
        if is_other and rule.direction is None:
            what = f"{rule.metric!r} is not the objective, so the rule needs a direction; allowed: maximize, minimize"
            yield root.fault(("stop", position, "metric"), what)


def _check_objectives(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    for position, objective in enumerate(spec.further_objectives):
        if objective.metric in [earlier.metric for earlier in spec.objectives[: position + 1]]:
            what = f"{objective.metric!r} is an objective already; each metric can be one only once"
            yield root.fault(("further_objectives", position, "metric"), what)
    if spec.further_objectives and isinstance(spec.sampler, CmaesSampler):
        what = f"cmaes has one objective, and there are {len(spec.objectives)}"
        yield root.fault(("sampler", "type"), what, "use tpe, gp, nsga2 or nsga3")


def check_pruner(spec: SweepSpec, root: Node, fixed: Mapping[str, object], *, complete: bool) -> Iterator[Fault]:
    """Faults of the pruner's epochs.

    Args: fixed: dotted values of the Config that are not searched. complete: whether `fixed` has all of them; until
        then an unknown number of epochs is no fault.
    """
    pruner = spec.pruner
    place: Path = ("pruner",)
    epochs = _most_epochs(spec, fixed)
    limit = f"the trials' {epochs} epochs"
    if isinstance(pruner, PatientPruner):
        if epochs is not None and pruner.patience >= epochs:
            what = f"{pruner.patience} is not less than {limit}, so nothing would ever be pruned"
            yield root.fault((*place, "patience"), what)
        pruner, place = pruner.pruner, (*place, "pruner")
    if isinstance(pruner, NoPruner):
        return
    if isinstance(pruner, HyperbandPruner):
        if pruner.max_epochs is not None:
            epochs, limit = pruner.max_epochs, f"max_epochs: {pruner.max_epochs}"
        elif epochs is None and complete:
            what = "hyperband needs to know how many epochs a trial has; set max_epochs"
            yield root.fault(place, what, f"or set {EPOCHS} under config:")
    if epochs is not None and pruner.min_epochs > epochs:
        what = f"{pruner.min_epochs} is more than {limit}, so nothing would ever be pruned"
        yield root.fault((*place, "min_epochs"), what)


def check_population(spec: SweepSpec, root: Node, fixed: Mapping[str, object], *, complete: bool) -> Iterator[Fault]:
    """Faults of population-based training: it compares its members itself, and must know how long a training is.

    Args: as of `check_pruner`.
    """
    if not isinstance(spec.sampler, PbtSampler):
        return
    if not isinstance(spec.pruner, NoPruner):
        what = f"pbt compares its members itself; a pruner {spec.pruner.type!r} would end them"
        yield root.fault(("pruner",), what, "leave pruner: out")
    if spec.further_objectives:
        yield root.fault(("further_objectives",), "pbt has one objective", "use nsga2 or tpe")
    if spec.confirm is not None:
        what = "pbt finds a schedule, which cannot be trained again as one configuration"
        yield root.fault(("confirm",), what, "leave confirm: out")
    if spec.budget.trials < spec.sampler.population:
        what = f"{spec.budget.trials} is less than the population of {spec.sampler.population}"
        yield root.fault(("budget", "trials"), what, "each member's stretch of interval_epochs is a trial")
    if EPOCHS in spec.space or (complete and not isinstance(fixed.get(EPOCHS), int)):
        yield root.fault(
            ("sampler",), "pbt needs to know how many epochs a training has", f"set {EPOCHS} under config:"
        )


def _most_epochs(spec: SweepSpec, fixed: Mapping[str, object]) -> int | None:
    searched = spec.space.get(EPOCHS)
    most = corners(searched)[-1] if isinstance(searched, Int | Fixed) else fixed.get(EPOCHS)
    return most if isinstance(most, int) and not isinstance(most, bool) else None
