"""A sweep file against a trainable's Config: unknown keys, wrong kinds, ranges, combinations, metrics."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.errors import SpecError
from orchestrator.spec import check_config, parse, resolve

METRICS = ("val/recall_at_1", "val/loss", "val/video_effective_rank")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Section):
    kind: Literal["constant"] = "constant"
    value: float = 0.2


class Linear(Section):
    kind: Literal["linear"]
    start: float = 0.1
    end: float = Field(default=0.5, gt=0, lt=1)


class Optimizer(Section):
    lr: float = Field(default=1e-3, gt=0, le=1e-2)
    steps: int = Field(default=3, ge=1)


class Temperature(Section):
    start: Annotated[float, Field(gt=0, le=1)] = 0.1


class Data(BaseModel):
    """Ignores what it does not know, as a user's own Config may."""

    source: Literal["angiogram", "omniglot"] = "angiogram"


class Config(Section):
    epochs: int = Field(default=10, ge=1)
    optimizer: Optimizer = Optimizer()
    temperature: Temperature | None = None
    margin: Annotated[Constant | Linear, Field(discriminator="kind")] = Constant()
    weights: dict[str, float] = {}
    data: Data = Data()
    augment: bool = False
    title: str = "x"
    layers: tuple[int, ...] = (1, 2)

    @model_validator(mode="after")
    def _check(self):
        if self.epochs > 50 and self.augment:
            raise ValueError("long runs need augment off")
        return self


GOOD = """\
name: demo
trainable: toy
objective: {metric: val/recall_at_1, direction: maximize}
space:
  optimizer.lr: {type: float, low: 1e-5, high: 1e-2, log: true}
  margin.kind: {type: categorical, choices: [constant, linear]}
  margin.end: {type: float, low: 0.2, high: 0.6, when: {margin.kind: linear}}
  temperature.start: {type: float, low: 0.07, high: 0.15}
  weights.a: {type: int, low: 1, high: 2}
constraints: ["optimizer.lr < optimizer.steps"]
config: {epochs: 12, data: {source: omniglot}}
stop: [{type: collapse}]
budget: {trials: 4}
"""


def check(*overrides, metrics=METRICS, config_type=Config):
    return check_config(parse(GOOD, file="f.yaml", overrides=overrides), config_type, metrics=metrics)


def refused(*overrides, **arguments):
    with pytest.raises(SpecError) as caught:
        check(*overrides, **arguments)
    return [str(fault).removeprefix("--set ") for fault in caught.value.faults]


def test_the_space_knows_the_defaults_and_the_config():
    space = check()
    assert space.names[:2] == ("optimizer.lr", "margin.kind")
    assert space.fixed == {
        "epochs": 12,
        "optimizer.steps": 3,
        "data.source": "omniglot",
        "augment": False,
        "title": "x",
    }


class Stream(Section):
    """Has no field `epochs`, but epochs."""

    num_steps: int = 5
    epochs_per_step: int = 8

    @property
    def epochs(self):
        return self.num_steps * self.epochs_per_step


@pytest.mark.parametrize(("searched", "epochs"), [("num_steps", None), ("other", 40)])
def test_epochs_that_a_config_computes_are_known_unless_they_are_searched(searched, epochs):
    class Searched(Stream):
        other: int = 1

    text = f"""
name: s
trainable: t
objective: {{metric: m, direction: maximize}}
space: {{{searched}: {{type: int, low: 1, high: 9}}}}
budget: {{trials: 3}}
"""
    assert check_config(parse(text, file="f.yaml"), Searched, metrics=("m",)).fixed.get("epochs") == epochs


def test_resolve_overlays_the_config_with_the_parameters():
    spec = parse(GOOD, file="f.yaml").spec
    nested = resolve(spec, {"optimizer.lr": 0.01, "margin.kind": "linear", "margin.end": 0.3, "data.size": 4})
    assert nested == {
        "epochs": 12,
        "data": {"source": "omniglot", "size": 4},
        "optimizer": {"lr": 0.01},
        "margin": {"kind": "linear", "end": 0.3},
    }
    assert spec.config == {"epochs": 12, "data": {"source": "omniglot"}}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (
            "space.optimizer.lrs={type: float, low: 1, high: 2}",
            "no field 'optimizer.lrs' (did you mean 'optimizer.lr'?)",
        ),
        ("space.zzz={type: fixed, value: 1}", "no field 'zzz' (known: epochs, optimizer.lr,"),
        ("config.optimzer.steps=3", "config.optimzer.steps: the trainable's Config has no field 'optimzer.steps' (did"),
        ("config.data.source=omnigolt", "'omnigolt' is not allowed; allowed: angiogram, omniglot (did you mean"),
        ("config.epochs=0", "0 is outside the field's range; allowed: at least 1"),
        ("config.epochs=1.5", "config.epochs: 1.5 is not allowed; allowed: a whole number"),
        ("config.epochs='3'", "config.epochs: '3' is not allowed; allowed: a number (leave out the quotes)"),
        ("config.layers=[a]", "config.layers: 'a' is not allowed; allowed: a whole number"),
        ("config.data=3", "config.data: 3 is not allowed; allowed: a mapping"),
        ("space.optimizer.lr.high=1", "high: 1.0 is outside the field's range; allowed: above 0 and at most 0.01"),
        ("space.temperature.start.high=1.5", "high: 1.5 is outside the field's range; allowed: above 0 and at most 1"),
        ("space.margin.end.low=-1", "low: -1.0 is outside the field's range; allowed: above 0 and below 1"),
        (
            "space.optimizer.steps={type: float, low: 1, high: 3}",
            "type: the field does not take a float; allowed: a whole number (use type: int)",
        ),
        ("space.augment={type: int, low: 0, high: 1}", "type: the field does not take an int; allowed: true or false"),
        ("space.title={type: int, low: 0, high: 1}", "type: the field does not take an int; allowed: text"),
        (
            "space.augment={type: categorical, choices: [false, 1]}",
            "choices[1]: 1 is not allowed; allowed: true or false",
        ),
        ("space.title={type: fixed, value: 3}", "value: 3 is not allowed; allowed: text"),
        (
            "space.margin.kind.choices=[linear, constnat]",
            "choices[1]: 'constnat' is not allowed; allowed: constant, linear (did",
        ),
        (
            "space.margin.value={type: float, low: 0, high: 1}",
            "random configurations the trainable's Config does not take margin.value",
        ),
        ("objective.metric=val/recal_at_1", "the trainable does not report 'val/recal_at_1' (did you mean"),
        (
            "stop=[{type: plateau, metric: z, direction: minimize, patience: 1}]",
            "stop[0].metric: the trainable does not report 'z'",
        ),
        (
            "stop=[{type: plateau, metric: val/los, patience: 1}]",
            "stop[0].metric: the trainable does not report 'val/los' (did you mean 'val/loss'?)",
        ),
        (
            "stop=[{type: plateau, metric: val/loss, patience: 1}]",
            "stop[0].metric: 'val/loss' is not the objective, so the rule needs a direction",
        ),
        (
            "stop=[{type: target, metric: val/loss, value: 2}]",
            "stop[0].metric: 'val/loss' is not the objective, so the rule needs a direction",
        ),
        ("stop=[{type: non_finite, metrics: [val/loss, z]}]", "stop[0].metrics[1]: the trainable does not report 'z'"),
        (
            "constraints=['optimizer.step > 1']",
            "column 1: unknown name 'optimizer.step' (did you mean 'optimizer.steps'?)",
        ),
        ("constraints=['layers > 1']", "unknown name 'layers' (name a parameter"),
        ("constraints=['title > 1']", "title is text; needed: a number"),
        ("constraints=['optimizer.steps > 5']", "can never hold"),
        ("pruner={type: asha, min_epochs: 13}", "13 is more than the trials' 12 epochs"),
        (
            "pruner={type: patient, patience: 1, pruner: {type: wilcoxon, min_epochs: 13}}",
            "pruner.pruner.min_epochs: 13 is more than the trials' 12 epochs",
        ),
        ("pruner={type: patient, patience: 12}", "pruner.patience: 12 is not less than the trials' 12 epochs"),
        ("floors={val/recal_at_1: 0.5}", "the trainable does not report 'val/recal_at_1' (did you mean"),
        (
            "further_objectives=[{metric: z, direction: minimize}]",
            "further_objectives[0].metric: the trainable does not report 'z'",
        ),
    ],
)
def test_faults_are_at_the_option_that_made_them(option, words):
    (fault,) = refused(option)
    assert words in fault
    assert fault.startswith(option.split("=")[0])


def test_faults_of_the_file_have_its_lines():
    text = GOOD.replace("high: 1e-2", "high: 2e-2").replace(
        "type: collapse", "type: target, metric: z, direction: minimize, value: 1"
    )
    with pytest.raises(SpecError) as caught:
        check_config(parse(text, file="f.yaml"), Config, metrics=METRICS)
    assert [(fault.line, fault.column, fault.path) for fault in caught.value.faults] == [
        (5, 48, "space.optimizer.lr.high"),
        (12, 31, "stop[0].metric"),
    ]


def test_collapse_needs_one_of_its_metrics():
    (fault,) = refused(metrics=["val/recall_at_1"])
    assert fault.startswith("f.yaml:12:15 stop[0].type: collapse reads val/resultant_length and val/effective_rank")


def test_unknown_metrics_are_not_checked():
    check("objective.metric=anything", metrics=None)


def test_a_parameter_that_some_configurations_refuse_is_named_once():
    (fault,) = refused("space.margin.end={type: float, low: 0.3, high: 0.6}")
    assert "space.margin.end: in " in fault
    assert "of 64 random configurations the trainable's Config does not take margin.end" in fault
    assert "such as margin.kind = 'constant', margin.end = 0." in fault
    assert fault.endswith("(give it a when: condition)")


def test_what_only_a_combination_breaks_shows_the_values():
    text = GOOD.replace("epochs: 12", "epochs: 60, augment: true")
    with pytest.raises(SpecError) as caught:
        check_config(parse(text, file="f.yaml"), Config, metrics=None)
    fault = str(caught.value)
    assert "the trainable's Config says: long runs need augment off; such as " in fault
    assert fault.startswith("f.yaml:4:1 space: in ")


def test_a_missing_field_is_named():
    class Needy(Config):
        path: str

    (fault,) = refused(config_type=Needy)
    assert "in 64 of 64 random configurations the trainable's Config needs path" in fault


def test_keys_that_a_lenient_config_drops_are_faults():
    class Small(BaseModel):
        size: int = 1

    class Large(BaseModel):
        depth: int = 1

    class Lenient(Config):
        model: Small | Large = Small()

    assert (
        "random configurations the trainable's Config drops it unread"
        in refused("space.model.depth={type: int, low: 1, high: 2}", "config.model.size=3", config_type=Lenient)[0]
    )


def test_a_fixed_key_that_is_never_read_is_a_fault():
    class A(BaseModel):
        kind: Literal["a"] = "a"

    class B(BaseModel):
        kind: Literal["b"] = "b"
        depth: int = 1

    class Lenient(Config):
        model: Annotated[A | B, Field(discriminator="kind")] = A()

    found = refused("config.model={kind: a, depth: 3}", config_type=Lenient)
    assert any("config.model.depth: the trainable's Config drops it unread" in fault for fault in found)


def test_hyperband_needs_epochs_from_somewhere():
    class Endless(BaseModel):
        lr: float = 0.1

    text = "name: a\ntrainable: t\nobjective: {metric: m, direction: minimize}\n"
    text += "space: {lr: {type: float, low: 0, high: 1}}\npruner: {type: hyperband}\nbudget: {trials: 1}\n"
    with pytest.raises(SpecError, match=r"f:5:1 pruner: hyperband needs to know how many epochs"):
        check_config(parse(text, file="f"), Endless, metrics=None)
    check_config(parse(text, file="f", overrides=["pruner.max_epochs=9"]), Endless, metrics=None)


def test_a_population_needs_epochs_that_are_not_searched():
    class Endless(BaseModel):
        lr: float = 0.1

    text = "name: a\ntrainable: t\nobjective: {metric: m, direction: minimize}\n"
    text += "space: {lr: {type: float, low: 0, high: 1}}\nsampler: {type: pbt}\nbudget: {trials: 9}\n"
    with pytest.raises(SpecError, match=r"f:5:1 sampler: pbt needs to know how many epochs"):
        check_config(parse(text, file="f"), Endless, metrics=None)


def test_mappings_take_any_key_and_check_the_value():
    class Open(BaseModel):
        weights: Mapping[str, Annotated[float, Field(ge=0)]] = {}

    text = "name: a\ntrainable: t\nobjective: {metric: m, direction: minimize}\n"
    text += "space: {weights.x: {type: float, low: -1, high: 1}}\nbudget: {trials: 1}\n"
    with pytest.raises(SpecError, match=r"weights\.x\.low: -1\.0 is outside the field's range"):
        check_config(parse(text, file="f"), Open, metrics=None)
