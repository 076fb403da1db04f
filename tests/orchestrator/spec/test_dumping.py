"""Specs written back: YAML that loads to an equal spec, the JSON Schema, differences."""

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.spec import SweepSpec, difference, dump, json_schema, parse
from orchestrator.spec.reading import read

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
tricky = st.sampled_from(
    ["1e-4", "010", "yes", "on", "null", "~", "", "0x1f", ".5", "<<", "=", "a: b", "- a", "#", "'", "*x", "1_0"]
)
numbers = st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
leaves = st.one_of(st.none(), st.booleans(), numbers, words, tricky)
keys = st.from_regex(r"k[a-z_<>: #é'\"]{0,6}", fullmatch=True)
choices = st.lists(st.one_of(words, tricky), min_size=1, max_size=4, unique=True)
domains = st.one_of(
    st.tuples(st.floats(1e-9, 1e9), st.floats(1.5, 1e9), st.booleans()).map(
        lambda t: {"type": "float", "low": t[0], "high": t[0] * t[1], "log": t[2]}
    ),
    st.tuples(st.integers(-9, 9), st.integers(1, 99)).map(lambda t: {"type": "int", "low": t[0], "high": t[0] + t[1]}),
    choices.map(lambda c: {"type": "categorical", "choices": c}),
    st.one_of(words, tricky, numbers, st.booleans()).map(lambda v: {"type": "fixed", "value": v}),
)
rules = st.sampled_from(
    [
        {"type": "plateau", "patience": 3},
        {"type": "target", "metric": "val/y", "direction": "minimize", "value": 1e-5},
        {"type": "non_finite", "metrics": ["a", "yes"]},
        {"type": "collapse", "resultant_above": 0.5},
        {"type": "max_epochs", "epochs": 3},
    ]
)


@st.composite
def specs(draw):
    """Specs without faults: `s*` is searched, `k*` is fixed, `kind` and `child` are conditional."""
    space = {f"s{index}.x": draw(domains) for index in range(draw(st.integers(0, 3)))}
    options = draw(choices)
    space["kind"] = {"type": "categorical", "choices": options}
    space["child"] = {
        "type": "int",
        "low": 1,
        "high": 2,
        "when": {"kind": draw(st.sampled_from([options[0], options]))},
    }
    config = draw(
        st.dictionaries(
            keys, st.one_of(leaves, st.lists(leaves, max_size=2), st.dictionaries(keys, leaves, max_size=2)), max_size=3
        )
    )
    config = {key: value for key, value in config.items() if key != "kind"}
    return SweepSpec.model_validate(
        {
            "name": draw(st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,62}", fullmatch=True)),
            "trainable": draw(words.filter(bool)),
            "objective": {
                "metric": draw(tricky.filter(bool)),
                "direction": draw(st.sampled_from(["maximize", "minimize"])),
            },
            "space": space,
            "constraints": draw(st.sampled_from([(), ("child < 3",)])),
            "config": config,
            "sampler": draw(
                st.sampled_from([{"type": "tpe", "startup_trials": 3}, {"type": "random"}, {"type": "qmc"}])
            ),
            "pruner": draw(
                st.sampled_from(
                    [{"type": "asha"}, {"type": "median"}, {"type": "none"}, {"type": "hyperband", "max_epochs": 4}]
                )
            ),
            "stop": draw(st.lists(rules, max_size=2)),
            "budget": {"trials": draw(st.integers(1, 99)), "wall_hours": draw(st.sampled_from([None, 0.5]))},
            "resources": {"gpu": draw(st.sampled_from(["auto", 0, 0.5]))},
            "seed": draw(st.integers(0, 2**32 - 1)),
        }
    )


@settings(deadline=None)
@given(specs())
def test_a_spec_survives_yaml(spec):
    again = parse(dump(spec), file="f.yaml").spec
    assert again == spec
    assert difference(spec, again) == []


@settings(deadline=None, max_examples=30)
@given(specs())
def test_what_is_dumped_fits_the_schema(spec):
    jsonschema.validate(read(dump(spec), origin="f.yaml").data(), json_schema())


def test_the_schema_is_sound_and_refuses_unknown_keys():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"] == "Orch sweep file"
    assert not jsonschema.Draft202012Validator(schema).is_valid({"nme": "x"})


def test_text_that_looks_like_something_else_is_quoted():
    spec = parse(
        "name: a\ntrainable: t\nobjective: {metric: m, direction: minimize}\n"
        "space: {x: {type: fixed, value: '1e-4'}}\nbudget: {trials: 1}\n",
        file="f",
    ).spec
    assert "value: '1e-4'" in dump(spec)


def test_differences_are_dotted_and_know_true_from_one():
    base = (
        "name: a\ntrainable: t\nobjective: {metric: m, direction: minimize}\n"
        "space: {o.lr: {type: float, low: 1, high: 2}}\nbudget: {trials: 1}\nconfig: {d: {x: 1, y: [1]}}\n"
    )
    old = parse(base, file="f").spec
    new = parse(
        base, file="f", overrides=["space.o.lr.high=3", "config.d.x=true", "config.d.y=[1, 2]", "config.z=0"]
    ).spec
    assert [tuple(one) for one in difference(old, new)] == [
        ("space.o.lr.high", 2.0, 3.0),
        ("config.d.x", 1, True),
        ("config.d.y", [1], [1, 2]),
        ("config.z", None, 0),
    ]
