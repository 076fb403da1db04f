"""`MODEL_CARD.md` of an export: what the model is, how it was chosen, what is known of it, and how to load it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from orchestrator.sweeps.choosing import Choice
from orchestrator.sweeps.confirming.report import ConfirmationReport, Confirmed, Difference, Estimate
from orchestrator.sweeps.findings import Since
from orchestrator.trial import JsonValue


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the card is made of besides the choice.

    Attributes:
        config: the whole validated one.
        meaning: of the objective; None where the trainable does not say.
        seed: that the weights were trained with. epoch: after which they were taken.
        retrained: whether they were trained on train and val together.
        is_registered: whether the trainable is one that `load_model` can build.
    """

    config: Mapping[str, JsonValue]
    meaning: str | None
    seed: int
    epoch: int
    findings: Sequence[Since]
    versions: Mapping[str, str]
    retrained: bool
    is_registered: bool


def model_card(choice: Choice, facts: CardFacts) -> str:
    """The page, in Markdown."""
    sections = [
        *_head(choice, facts),
        *_data(facts),
        *_figures(choice, facts),
        *_findings(choice, facts),
        *_load(choice, facts),
        *_versions(facts),
    ]
    return "\n".join(sections) + "\n"


def _head(choice: Choice, facts: CardFacts) -> Iterator[str]:
    spec, trial = choice.source.spec, choice.trial
    what = "configuration of" if facts.retrained else "model of"
    yield f"# {spec.trainable}: {what} {choice.name}"
    yield ""
    if facts.retrained:
        yield (
            f"Trained on train and val together for {facts.epoch} epochs, after which this configuration was best when "
            "it learned from train alone. Schedules over epochs are those of the whole length and were cut there."
        )
    else:
        yield f"Trained on train, chosen on val; the weights are those after epoch {facts.epoch}, its best."
    yield ""
    yield from _table(
        {
            "trainable": f"`{spec.trainable}`",
            "sweep": choice.sweep.name,
            "trained as": choice.name,
            "seed": str(facts.seed),
            "objective": f"{spec.objective.metric}, {spec.objective.direction.value}"
            + (f": {facts.meaning}" if facts.meaning else ""),
            **{f"`{name}`": str(value) for name, value in trial.params.items()},
        }
    )
    yield "\nThe whole configuration is in `config.yaml`."
    if trial.segment is not None:
        yield "\nParameters changed during this training; those above are of its last stretch."


def _data(facts: CardFacts) -> Iterator[str]:
    data = facts.config.get("data")
    if data is not None:
        yield "\n## Data\n"
        yield f"```yaml\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True)}```"


def _figures(choice: Choice, facts: CardFacts) -> Iterator[str]:
    yield "\n## Figures\n"
    objective, trial = choice.source.spec.objective, choice.trial
    if facts.retrained:
        yield (
            "These figures are those of the configuration trained on train alone. The model in this folder has learned "
            "from val too, so that val says nothing of it, and test was not read for it.\n"
        )
    yield (
        f"- {objective.metric} of {choice.name}: {_number(trial.value)} at epoch {trial.best_step}, the best of its "
        "epochs on the split that it was chosen by, and so likely too good."
    )
    for metric, value in trial.values.items():
        if metric != objective.metric:
            yield f"- {metric} at the same epoch: {_number(value)}."
    if choice.report is None:
        how = f"orch confirm {choice.sweep.name}"
        yield f"- Not confirmed: no other seed and no test split was looked at. Do it with `{how}`."
    elif choice.candidate is None:
        yield f"- Not confirmed: {choice.report.confirmation} confirmed other configurations."
    else:
        yield from _confirmed(choice.report, choice.candidate)


def _confirmed(report: ConfirmationReport, candidate: Confirmed) -> Iterator[str]:
    yield f"- Verdict of {report.confirmation}: {report.verdict.sentence}\n"
    name, other = f"{report.confirmation}, {candidate.label}", report.reference
    yield f"| {name} | mean over seeds | interval | seeds | better than {other} by |"
    yield "|---|---|---|---|---|"
    rows = {report.metric: (candidate.val, candidate.val_difference)}
    if report.test_metric is not None:
        rows[report.test_metric] = (candidate.test, candidate.test_difference)
    for metric, (estimate, difference) in rows.items():
        if estimate is not None:
            yield _row(metric, estimate, difference)
    yield (
        f"\nThe intervals cover {report.covers}. The training that this model comes from had the best value on val of "
        "its seeds; the means say what to expect of another one."
    )
    if candidate.search_value is not None:
        yield f"\nThe search's own value of this configuration was {_number(candidate.search_value)}."
    for note in report.notes:
        yield f"\n{note}"


def _row(metric: str, estimate: Estimate, difference: Difference | None) -> str:
    by = "-" if difference is None else f"{_number(difference.mean)} {_interval(difference.low, difference.high)}"
    interval = _interval(estimate.low, estimate.high)
    return f"| {metric} | {_number(estimate.mean)} | {interval} | {estimate.num_seeds} | {by} |"


def _findings(choice: Choice, facts: CardFacts) -> Iterator[str]:
    yield f"\n## Findings of the doctor in {choice.name}\n"
    if not facts.findings:
        yield "None."
    for since in facts.findings:
        finding = since.finding
        yield f"- {finding.severity.value}, `{finding.check}`, since epoch {since.step}: {finding.meaning}"


def _load(choice: Choice, facts: CardFacts) -> Iterator[str]:
    yield "\n## Load\n"
    if not facts.is_registered:
        yield (
            "```python\nfrom safetensors.torch import load_file\n\n"
            'weights = load_file("model.safetensors")  # path in the checkpoint to tensor\n```'
        )
        return
    yield (
        "```python\nfrom trainables.exported import load_model\n\n"
        'exported = load_model("path/to/this/folder")\n'
        "exported.model   # a torch.nn.Module in eval mode\n"
        "exported.config  # the configuration\n"
        "exported.facts   # what it took from its data: vocabulary, class names, shapes\n```"
    )


def _versions(facts: CardFacts) -> Iterator[str]:
    yield "\n## Versions\n"
    yield from _table(facts.versions)


def _table(rows: Mapping[str, str]) -> Iterator[str]:
    yield "| | |\n|---|---|"
    for name, text in rows.items():
        yield f"| {name} | {text} |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None and high is None else f"({_number(low)} to {_number(high)})"
