"""Rules about the number of trials: against dimensions, configurations, startup, concurrency, generations."""

from collections.abc import Iterator
from itertools import islice
from math import prod

from orchestrator.space import Fixed, Float, Int, num_values
from orchestrator.spec.model import (
    BruteForceSampler,
    CmaesSampler,
    GpSampler,
    GridSampler,
    Nsga2Sampler,
    Nsga3Sampler,
    QmcSampler,
    TpeSampler,
)
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity

TRIALS_PER_DIMENSION = 2
MIN_GENERATIONS = 2
MAX_COUNTED = 20_000
"""Distinct configurations are counted up to here; a budget of more trials is not compared with them."""
TRIALS = ("budget", "trials")


def _count(trials: int) -> str:
    return "1 trial" if trials == 1 else f"{trials} trials"


def _most_dimensions(question: Question) -> int:
    """Searched parameters that are active together, at most."""
    moving = {name for name in question.spec.space if question.is_searched(name)}
    return max(len(moving & values.keys()) for values in question.draws)


def trials_against_dimensions(question: Question) -> Iterator[Hit]:
    """A sampler with a model gets fewer than two trials a dimension."""
    spec = question.spec
    if not isinstance(spec.sampler, TpeSampler | GpSampler | CmaesSampler):
        return
    dimensions, trials = _most_dimensions(question), spec.budget.trials
    least = TRIALS_PER_DIMENSION * dimensions
    if trials < least:
        what = f"{_count(trials)} for {dimensions} searched parameters; {spec.sampler.type} needs {least} or more"
        yield Hit(TRIALS, what, f"trials: {least}, or search fewer parameters")


def _num_configurations(question: Question) -> int | None:
    """Distinct configurations of the space; None if there are endless or too many to count."""
    sizes = [num_values(parameter) for parameter in question.spec.space.values()]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes) or prod(known) > MAX_COUNTED:
        return None
    return sum(1 for _ in islice(question.space.grid(), MAX_COUNTED))


def more_trials_than_configurations(question: Question) -> Iterator[Hit]:
    """A finite space that is smaller than the budget."""
    if isinstance(question.spec.sampler, GridSampler | BruteForceSampler):
        return
    count, trials = _num_configurations(question), question.spec.budget.trials
    if count is not None and trials > count:
        what = f"{_count(trials)}, but the space has only {count} different configurations"
        yield Hit(TRIALS, what, f"trials: {count}, with sampler: {{type: grid}}")


def grid_cut_short(question: Question) -> Iterator[Hit]:
    """A grid that the budget does not finish."""
    if not isinstance(question.spec.sampler, GridSampler | BruteForceSampler):
        return
    count, trials = _num_configurations(question), question.spec.budget.trials
    if count is not None and trials < count:
        what = f"{_count(trials)} of a grid of {count}: {count - trials} of them never tried"
        yield Hit(TRIALS, what, f"trials: {count}, or sampler: {{type: random}}")


def _startup(question: Question) -> int | None:
    sampler = question.spec.sampler
    return sampler.startup_trials if isinstance(sampler, TpeSampler | GpSampler | CmaesSampler) else None


def startup_is_the_search(question: Question) -> Iterator[Hit]:
    """The sampler's model is never asked."""
    startup, trials = _startup(question), question.spec.budget.trials
    if startup is not None and startup >= trials:
        what = f"{startup} startup trials of {trials}: every configuration is drawn at random"
        path = ("sampler", "startup_trials") if "startup_trials" in question.spec.sampler.model_fields_set else TRIALS
        edit = (
            f"startup_trials: {trials // 3}, or sampler: {{type: random}}" if trials >= 3 else "sampler: {type: random}"
        )
        yield Hit(path, what, edit)


def startup_against_concurrency(question: Question) -> Iterator[Hit]:
    """So many trials at a time that most are asked for before the model has seen its startup trials."""
    startup, trials = _startup(question), question.spec.budget.trials
    concurrency = question.facts.concurrency or question.spec.resources.max_concurrent
    if startup is None or concurrency is None or startup >= trials:
        return
    blind = startup + concurrency - 1
    if blind > trials / 2 and concurrency > 1 and concurrency >= startup:
        what = (
            f"{concurrency} trials at a time: about {min(blind, trials)} of {trials} are asked for before "
            f"{startup} have ended, so that they are drawn at random"
        )
        yield Hit(("resources",), what, f"resources.max_concurrent: {max(1, trials // 4)}, or more trials")


def generations(question: Question) -> Iterator[Hit]:
    """A genetic sampler that never breeds a second generation."""
    sampler, trials = question.spec.sampler, question.spec.budget.trials
    if isinstance(sampler, Nsga2Sampler | Nsga3Sampler) and trials < MIN_GENERATIONS * sampler.population:
        what = f"{trials} trials with a population of {sampler.population}: the first generation is drawn at random"
        yield Hit(TRIALS, what, f"trials: {5 * sampler.population}, or a smaller population")


def sampler_against_space(question: Question) -> Iterator[Hit]:
    """A sampler that leaves conditional parameters or choices to chance, in a space that is mostly of these."""
    spec = question.spec
    if not isinstance(spec.sampler, GpSampler | CmaesSampler | QmcSampler):
        return
    searched = {n: p for n, p in spec.space.items() if question.is_searched(n) and not isinstance(p, Fixed)}
    needs_numbers = isinstance(spec.sampler, CmaesSampler | QmcSampler)
    drawn = [n for n, p in searched.items() if p.when or (needs_numbers and not isinstance(p, Float | Int))]
    if drawn and 2 * len(drawn) >= len(searched):
        what = f"{spec.sampler.type} draws {len(drawn)} of {len(searched)} parameters at random: {', '.join(drawn)}"
        yield Hit(("sampler", "type"), what, "type: tpe")


def points_over_budget(question: Question) -> Iterator[Hit]:
    """Known configurations that leave nothing to the sampler."""
    points, trials = len(question.spec.points), question.spec.budget.trials
    if points >= trials:
        what = f"{points} points for {trials} trials: the sampler proposes nothing"
        yield Hit(("points",), what, f"budget.trials: {3 * points}, or fewer points")


RULES = (
    Rule(
        id="ORC111",
        name="trials-against-dimensions",
        severity=Severity.WARNING,
        title="A sampler with a model (tpe, gp, cmaes) gets fewer than two trials for each searched parameter.",
        why="The model has less than two observations a dimension: what it calls promising is the luck of its startup. "
        "Counted are the parameters that are active together.",
        fix="Give it more trials, or search fewer parameters: the learning rate and two others first.",
        bad="# nine parameters\nsampler: {type: tpe}\nbudget: {trials: 12}",
        good="sampler: {type: tpe}\nbudget: {trials: 27}",
        source="Loeppky, Sacks and Welch 2009, Technometrics 51(4), ask for ten runs a dimension of a computer "
        "experiment; two is where we begin to warn.",
        check=trials_against_dimensions,
    ),
    Rule(
        id="ORC112",
        name="more-trials-than-configurations",
        severity=Severity.WARNING,
        title="The space has fewer different configurations than the budget has trials.",
        why="Nothing is left to try before the budget is spent.",
        fix="Lower `budget.trials`, or use the grid sampler, which ends by itself; ask for seeds of the same "
        "configuration with `repeats:`.",
        bad="# 4 x 3 choices\nsampler: {type: tpe}\nbudget: {trials: 30}",
        good="sampler: {type: grid}\nbudget: {trials: 12}",
        source="Counted.",
        check=more_trials_than_configurations,
    ),
    Rule(
        id="ORC113",
        name="grid-cut-short",
        severity=Severity.WARNING,
        title="A grid has more combinations than the budget has trials.",
        why="A grid is for comparing all combinations. Part of one is a random sample of few values each.",
        fix="Raise `budget.trials`, leave out choices, or use the random sampler on ranges.",
        bad="# 4 x 3 choices\nsampler: {type: grid}\nbudget: {trials: 8}",
        good="sampler: {type: grid}\nbudget: {trials: 12}",
        source="Counted.",
        check=grid_cut_short,
    ),
    Rule(
        id="ORC114",
        name="startup-is-the-search",
        severity=Severity.WARNING,
        title="`startup_trials` is at least `budget.trials`.",
        why="Startup trials are drawn at random. The model that the sampler is named for is never asked.",
        fix="About a third of the trials as startup, or say `sampler: {type: random}`.",
        bad="sampler: {type: tpe, startup_trials: 20}\nbudget: {trials: 20}",
        good="sampler: {type: tpe, startup_trials: 7}\nbudget: {trials: 20}",
        source="How the samplers work: docs/guide.md.",
        check=startup_is_the_search,
    ),
    Rule(
        id="ORC115",
        name="startup-against-concurrency",
        severity=Severity.WARNING,
        title="So many trials run at a time that more than half of them are asked for before the startup has ended.",
        why="The model learns from trials that have ended. Those that are asked for until then are random, and the "
        "ones "
        "that are running when it begins do not help it.",
        fix="Lower `resources.max_concurrent` to a quarter of the trials, or give the sweep more trials.",
        bad="sampler: {type: tpe, startup_trials: 8}\nbudget: {trials: 20}\nresources: {max_concurrent: 16}",
        good="sampler: {type: tpe, startup_trials: 8}\nbudget: {trials: 20}\nresources: {max_concurrent: 5}",
        source="Startup + concurrency - 1 trials are asked for before that many have ended.",
        check=startup_against_concurrency,
        of_machine=True,
    ),
    Rule(
        id="ORC116",
        name="too-few-generations",
        severity=Severity.WARNING,
        title="A genetic sampler has trials for less than two generations.",
        why="The first generation is drawn at random; children come with the second.",
        fix="Five generations or more, or tpe, which also trades several objectives off.",
        bad="sampler: {type: nsga2, population: 20}\nbudget: {trials: 24}",
        good="sampler: {type: nsga2, population: 8}\nbudget: {trials: 40}",
        source="Deb et al. 2002, NSGA-II, IEEE Trans. Evol. Comput. 6(2), section III.",
        check=generations,
    ),
    Rule(
        id="ORC117",
        name="sampler-against-space",
        severity=Severity.WARNING,
        title="gp, cmaes or qmc on a space of which at least half is conditions or choices.",
        why="They model a box of numbers. What is conditional is drawn at random beside it, by cmaes and qmc choices, "
        "too.",
        fix="Use tpe, which follows conditions and knows choices.",
        bad="sampler: {type: cmaes}  # a learning rate and three categoricals",
        good="sampler: {type: tpe}",
        source="How Optuna's samplers treat such parameters: its documentation of `infer_relative_search_space`.",
        check=sampler_against_space,
    ),
    Rule(
        id="ORC118",
        name="points-over-budget",
        severity=Severity.WARNING,
        title="There are as many `points:` as trials, or more.",
        why="Points run first. Nothing is left for the sampler, and the last points may not run at all.",
        fix="Raise `budget.trials`, or leave points out.",
        bad="points: [{optimizer.lr: 1e-3}, {optimizer.lr: 3e-3}]\nbudget: {trials: 2}",
        good="points: [{optimizer.lr: 1e-3}, {optimizer.lr: 3e-3}]\nbudget: {trials: 20}",
        source="Counted.",
        check=points_over_budget,
    ),
)
