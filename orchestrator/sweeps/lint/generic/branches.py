"""Rules about what conditions and constraints leave of a space, judged by random configurations."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.space import Categorical, Fixed, SearchSpace, allowed_values, parse_expression, same_value, show
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from orchestrator.trial import Value

MIN_FEASIBLE = 0.05


def dead_branch(question: Question) -> Iterator[Hit]:
    """Choices and values of a `when:` that no allowed configuration has."""
    space = question.space
    feasible = [values for values in question.draws if space.is_feasible(values)]
    if not feasible or not (space.constraints or any(parameter.when for parameter in space.parameters.values())):
        return
    for name, parameter in space.parameters.items():
        if isinstance(parameter, Fixed):
            continue
        active = [values for values in feasible if name in values]
        if not active:
            what = f"active in none of {len(feasible)} random configurations that the constraints allow"
            yield Hit(("space", name), what, "change its when:, or the constraint that forbids it")
            continue
        yield from _dead_conditions(name, active, space)
        if isinstance(parameter, Categorical):
            for position, choice in enumerate(parameter.choices):
                if not any(same_value(values[name], choice) for values in active):
                    what = (
                        f"{show(choice)} is in none of {len(active)} random configurations that the constraints allow"
                    )
                    yield Hit(("space", name, "choices", position), what, f"leave out {show(choice)}")


def _dead_conditions(name: str, active: Sequence[Mapping[str, Value]], space: SearchSpace) -> Iterator[Hit]:
    for parent, condition in space.parameters[name].when.items():
        for position, value in enumerate(allowed_values(condition)):
            known = [values.get(parent, space.fixed.get(parent)) for values in active]
            if not any(seen is not None and same_value(seen, value) for seen in known):
                what = f"{parent} is {show(value)} in none of {len(active)} random configurations with {name}"
                path: Path = ("space", name, "when", parent)
                path = (*path, position) if isinstance(condition, tuple) else path
                yield Hit(path, what, f"leave out {show(value)}")


def idle_constraint(question: Question) -> Iterator[Hit]:
    """Constraints that hold in every random configuration."""
    for position, text in enumerate(question.spec.constraints):
        names = [name.name for name in parse_expression(text).names]
        alone = SearchSpace(question.space.parameters, (text,), question.fixed)
        about = [v for v in question.draws if all(name in v or name in question.fixed for name in names)]
        if about and all(map(alone.is_feasible, about)):
            what = f"holds in all of {len(about)} random configurations, so it forbids nothing"
            yield Hit(("constraints", position), what)


def tight_constraint(question: Question) -> Iterator[Hit]:
    """Constraints that leave less than a twentieth of the space."""
    if not question.spec.constraints:
        return
    draws = question.draws
    share = sum(map(question.space.is_feasible, draws)) / len(draws)
    if share < MIN_FEASIBLE:
        what = f"{share:.1%} of {len(draws)} random configurations satisfy them; the rest is drawn for nothing"
        yield Hit(("constraints",), what, "narrow the ranges to where the constraints hold")


RULES = (
    Rule(
        id="ORC106",
        name="dead-branch",
        severity=Severity.WARNING,
        title="A parameter, a choice or a value of a `when:` that no allowed configuration has.",
        why="The file promises a comparison that never takes place: a constraint forbids the branch, or its conditions "
        "exclude each other. Conditions that can never hold by themselves are refused before lint.",
        fix="Remove the branch, or loosen the constraint. The rule looks at 1000 random configurations: a branch that "
        "is merely rare (under about 0.3 %) is as good as dead for a sweep.",
        bad="margin.kind: {type: categorical, choices: [constant, linear]}\n"
        "margin.end: {type: float, low: 0.2, high: 0.6, when: {margin.kind: linear}}\n"
        "# ...\n"
        "constraints: [\"margin.kind != 'linear'\"]",
        good="margin.kind: {type: categorical, choices: [constant, linear]}\n"
        "margin.end: {type: float, low: 0.2, high: 0.6, when: {margin.kind: linear}}",
        source="The rule of three: what is seen in none of n draws has a share below 3/n with 95 % confidence.",
        check=dead_branch,
    ),
    Rule(
        id="ORC107",
        name="idle-constraint",
        severity=Severity.NOTE,
        title="A constraint holds everywhere in the space.",
        why="It documents an intention, and does nothing as long as the ranges are what they are.",
        fix="Keep it if the ranges may be widened; else remove it.",
        bad="a: {type: float, low: 1.5, high: 3.0}\nb: {type: float, low: 0.2, high: 0.5}\n# ...\n"
        'constraints: ["a > b"]',
        good="a: {type: float, low: 0.3, high: 3.0}\nb: {type: float, low: 0.2, high: 0.5}\n# ...\n"
        'constraints: ["a > b"]',
        source="1000 random configurations.",
        check=idle_constraint,
    ),
    Rule(
        id="ORC108",
        name="tight-constraint",
        severity=Severity.WARNING,
        title="The constraints leave less than 5 % of the space.",
        why="A sampler draws in the box of the ranges. When nearly all draws break a constraint, its startup is spent "
        "on "
        "looking for a configuration at all, and its model is fitted to what is refused.",
        fix="Narrow the ranges to where the constraints hold, or replace a sum constraint by a parameter for each "
        "ratio.",
        bad='constraints: ["optimizer.lr < 2e-5"]  # of a range from 1e-5 to 1e-1',
        good="optimizer.lr: {type: float, low: 1e-5, high: 2e-5, log: true}",
        source="1000 random configurations; the limit of 5 % is ours.",
        check=tight_constraint,
    ),
)
