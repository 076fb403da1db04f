"""Rules about what a loss is the sum of: weights, learned weights, and parameters of the loss itself."""

from collections.abc import Iterator, Mapping
from typing import Literal

from orchestrator.sweeps.lint.meaning import Use, by_key, place, role_keys, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from orchestrator.trial import Value
from trainables.roles import LearningRate, LossWeight, Proxies, UncertaintyDecay


def auxiliary_above_main(question: Question) -> Iterator[Hit]:
    """A part that helps can weigh more than the part that the embeddings are for."""
    found = by_key(uses(question, LossWeight))
    for group in dict.fromkeys(same[0].role.group for same in found.values()):
        weights = {key: same for key, same in found.items() if same[0].role.group == group}
        mains = {key: same for key, same in weights.items() if same[0].role.is_main and same[-1].number}
        for key, same in weights.items():
            if mains and not same[0].role.is_main and (hit := _exceeds(question, key, same, mains)):
                yield hit


def _exceeds(
    question: Question, key: str, same: list[Use[LossWeight]], mains: Mapping[str, list[Use[LossWeight]]]
) -> Hit | None:
    """Args: same: uses of the auxiliary weight. mains: those of the main ones."""
    high, low = _end(question, same, "high"), sum(_end(question, found, "low") for found in mains.values())
    if high <= low:
        return None
    extremes: dict[str, Value] = {key: high, **{main: _end(question, found, "low") for main, found in mains.items()}}
    allowed = _allowed(question, key, extremes)
    if allowed is None:
        return None
    what = f"{same[0].role.part} can weigh {allowed[key]:.3g} where {' + '.join(mains)} weighs "
    what += f"{sum(allowed[main] for main in mains):.3g}: the help becomes the aim"
    edit = f'constraints: ["{next(iter(mains))} > {key}"]' + (f", or at most {low:g}" if low > 0 else "")
    return Hit(place(question, key, high), what, edit)


def _end(question: Question, found: list[Use[LossWeight]], end: Literal["low", "high"]) -> float:
    """The least or the largest weight, by its range; corners that a constraint forbids are no whole configs."""
    reach = question.reach(found[0].key)
    limit = None if reach is None else reach.low if end == "low" else reach.high
    return limit if limit is not None else found[0 if end == "low" else -1].number or 0.0


def _allowed(question: Question, key: str, extremes: Mapping[str, Value]) -> Mapping[str, float] | None:
    """The weights of a configuration in which the constraints let `key` exceed the others of `extremes`."""
    for params in question.draws:
        if any(name in question.spec.space and name not in params for name in extremes):
            continue  # not searched together under these conditions
        searched = {name: value for name, value in extremes.items() if name in params}
        for tried in ({**params, **searched}, params):
            weights = {name: float(tried.get(name, value)) for name, value in extremes.items()}
            if weights[key] > sum(weights.values()) - weights[key] and question.space.is_feasible(tried):
                return weights
    return None


def redundant_scale(question: Question) -> Iterator[Hit]:
    """Every weight of the loss is searched, so that their common factor is."""
    found = by_key(uses(question, LossWeight))
    for group in dict.fromkeys(same[0].role.group for same in found.values()):
        weights = [key for key, same in found.items() if same[0].role.group == group and same[-1].number]
        if not weights or not all(question.is_searched(key) for key in weights):
            continue
        rates = [key for key in role_keys(question, LearningRate) if question.is_searched(key)]
        beside = f", and {rates[0]} sets the size of a step already" if rates else ""
        whose = f"all weights of the loss ({', '.join(weights)}) are" if len(weights) > 1 else f"{weights[0]} is"
        what = f"{whose} searched: AdamW divides by the gradient's size, so that a common factor does nothing{beside}"
        yield Hit(
            place(question, weights[0]), what, "{type: fixed, value: 1.0}" if len(weights) == 1 else "fix this one"
        )


def decaying_uncertainty(question: Question) -> Iterator[Hit]:
    """Learned task weights that are pulled to 0."""
    for key, same in by_key(uses(question, UncertaintyDecay)).items():
        if (same[-1].number or 0.0) > 0:
            what = (
                f"{same[-1].number:g} pulls ln sigma^2 of every task to 0 and all weights to 1/2, whatever the losses"
            )
            yield Hit(place(question, key, same[-1].value), what, "0")


def proxies_without_a_rate(question: Question) -> Iterator[Hit]:
    """Class vectors that learn at the encoder's rate."""
    shared = {use.key for use in uses(question, Proxies) if use.role.lr_key is None}
    for key in sorted(shared):
        what = "class vectors are learned at the encoder's rate: they start at random and have much farther to go"
        yield Hit(place(question, key), what, "a learning rate of their own, 10 to 100 times the encoder's")


RULES = (
    Rule(
        id="ORC221",
        name="auxiliary-above-main",
        severity=Severity.WARNING,
        title="An auxiliary loss can weigh more than the contrastive one.",
        why=(
            "A shared encoder serves what weighs most. With captioning at 1.2 and the contrastive loss at 0.8 the "
            "trunk learns to predict words, and alignment stays near chance. Weights are no shares of the gradient, "
            "but a range in which the order can turn over asks two questions at once."
        ),
        fix="Separate the ranges, or add the constraint. The constraint is enough: ranges may then overlap.",
        bad="loss_weights.captioning: {type: float, low: 1.0, high: 2.0}   # contrastive: 0.5 to 1.0",
        good='constraints: ["loss_weights.contrastive > loss_weights.captioning"]',
        source="The multitask task reports shares of weight, loss and gradient; benchmarks/reproductions has the runs.",
        check=auxiliary_above_main,
    ),
    Rule(
        id="ORC222",
        name="redundant-scale",
        severity=Severity.NOTE,
        title="All weights of the loss are searched: their common factor does nothing under AdamW.",
        why=(
            "AdamW divides each step by the gradient's own size, so that a loss twice as large gives the same step. "
            "Only the ratios of the weights matter, and n searched weights have n - 1 of them; the size of a step is "
            "the learning rate's. Gradient clipping comes before and sees the factor: one more reason to fix it."
        ),
        fix="Fix one weight, best the main one, and search the others relative to it.",
        bad="loss_weights.contrastive: {type: float, low: 1.5, high: 3.0}   # and all others",
        good="loss_weights.contrastive: {type: fixed, value: 2.0}",
        source="Kingma and Ba 2015, arXiv:1412.6980, sec. 2.1: the step is invariant to the scale of the gradients.",
        check=redundant_scale,
    ),
    Rule(
        id="ORC223",
        name="decaying-uncertainty",
        severity=Severity.WARNING,
        title="Learned task weights (ln sigma^2) are under weight decay.",
        why=(
            "The optimum of L / (2 sigma^2) + ln sigma is sigma^2 = L, which is far from 1 for a focal loss near 0.01. "
            "Decay pulls ln sigma^2 to 0, so sigma to 1, and most of all for tasks that have no batch for a while."
        ),
        fix="Leave these scalars out of weight decay; bound them with a clamp instead.",
        bad="weighting.decay: {type: float, low: 1e-4, high: 1e-1, log: true}",
        good="config: {weighting: {clamp: 5.0}}",
        source="Kendall et al. 2018, arXiv:1705.07115, eq. 7; the toxicity task shows the drift with weighting.decay.",
        check=decaying_uncertainty,
    ),
    Rule(
        id="ORC224",
        name="proxies-without-their-own-rate",
        severity=Severity.WARNING,
        title="Learned class vectors share the encoder's learning rate.",
        why=(
            "Proxies and class weights begin at random and are met once in many batches, while a pretrained encoder "
            "should hardly move. At one rate for both either the proxies lag behind or the encoder is destroyed."
        ),
        fix="Give them a parameter group, and search its rate; Proxy Anchor uses 100 times the encoder's.",
        bad="optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}   # the only rate",
        good="proxies.lr: {type: float, low: 1e-3, high: 1e-1, log: true}",
        source="Kim et al. 2020, arXiv:2003.13911 (100 times); Teh et al. 2020, arXiv:2004.01113 (fast proxies).",
        check=proxies_without_a_rate,
    ),
)
