"""A sweep file's faults: each bad file with its line, its column and the words that it gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import ExitCode, SpecError
from orchestrator.spec import load, parse

GOOD = """\
name: demo
trainable: toy
objective: {metric: val/x, direction: maximize}
space:
  optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}
  margin.kind: {type: categorical, choices: [constant, linear]}
  margin.end: {type: float, low: 0.2, high: 0.6, when: {margin.kind: linear}}
  layers: {type: int, low: 1, high: 4}
config: {epochs: 10, data: {source: angiogram}}
budget: {trials: 4}
"""


def faults(text):
    with pytest.raises(SpecError) as caught:
        parse(text, file="f.yaml")
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.faults


def changed(line, new):
    """`GOOD` with one line (from 1) replaced."""
    lines = GOOD.splitlines()
    lines[line - 1 : line] = new.split("\n") if new else []
    return "\n".join(lines) + "\n"


def test_the_good_file_is_good():
    document = parse(GOOD, file="f.yaml")
    assert document.text == GOOD
    assert document.spec.space["optimizer.lr"].low == 1e-5
    assert document.spec.config == {"epochs": 10, "data": {"source": "angiogram"}}
    fault = document.fault(("space", "optimizer.lr", "low"), "x", "y")
    assert str(fault) == "f.yaml:5:36 space.optimizer.lr.low: x (y)"


SHAPE = [
    (1, "nme: demo", 1, 1, "nme: unknown key (did you mean 'name'?)"),
    (1, "name: My Demo", 1, 7, "'My Demo' is not a name"),
    (1, "name: 3", 1, 7, "3 is not allowed; allowed: text"),
    (2, "", 1, 1, "the key 'trainable' is missing"),
    (3, "objective: {metric: val/x, direction: maximise}", 3, 39, "did you mean 'maximize'?"),
    (3, "objective: val/x", 3, 12, "'val/x' is not allowed; allowed: a mapping"),
    (3, "objective: {metric: '', direction: maximize}", 3, 21, "allowed: text that is not empty"),
    (5, "  a: {type: flaot, low: 1, high: 2}", 5, 13, "did you mean 'float'?"),
    (5, "  a: {low: 1, high: 2}", 5, 3, "the key 'type' is missing; allowed: float, int, categorical, fixed"),
    (5, "  a: {type: float, low: 1, hihg: 2}", 5, 28, "a.hihg: unknown key (did you mean 'high'?)"),
    (5, "  a: {type: float, low: '1', high: 2}", 5, 25, "'1' is not allowed; allowed: a number"),
    (5, "  a: {type: float, low: 1, high: .inf}", 5, 34, "inf is not allowed; allowed: a finite number"),
    (5, "  a: {type: float, low: 1, high: 1e999}", 5, 34, "allowed: a finite number"),
    (5, "  a: {type: float, low: 1, high: 2, log: yes}", 5, 42, "'yes' is not allowed; allowed: true or false"),
    (5, "  a: {type: int, low: 1.5, high: 2}", 5, 23, "1.5 is not allowed; allowed: a whole number"),
    (5, "  a: {type: int, low: true, high: 2}", 5, 23, "true is not allowed; allowed: a whole number"),
    (5, "  a: {type: int, low: 1, high: 9, step: 0}", 5, 41, "0 is not allowed; allowed: 1 or more"),
    (5, "  a: {type: categorical, choices: []}", 5, 26, "choices: empty; at least 1 is needed"),
    (
        5,
        "  a: {type: categorical, choices: [null]}",
        5,
        36,
        "null is not allowed; allowed: true or false, a number, text",
    ),
    (5, "  a: 0.1", 5, 6, "0.1 is not allowed; allowed: a mapping"),
    (9, "config: {a: .nan}", 9, 13, "nan is not allowed; allowed: a finite number"),
    (9, "config: {a: {b: 1}, a.b: 2}", 9, 21, "config.a.b: set twice; also in line 9"),
    (9, "config: {a: 1, a.b: 2}", 9, 16, "config.a: set twice"),
    (9, "config: {a..b: 1}", 9, 10, "empty part"),
    (9, "sampler: {type: tpe, startup_trials: 0}", 9, 38, "0 is not allowed; allowed: 1 or more"),
    (9, "sampler: {type: tpee}", 9, 17, "did you mean 'tpe'?"),
    (9, "pruner: {type: asha, rungs: 2}", 9, 22, "unknown key (allowed: type, min_epochs, reduction_factor)"),
    (9, "stop: [{type: plateau}]", 9, 8, "the key 'patience' is missing"),
    (9, "stop: {type: plateau, patience: 2}", 9, 1, "a mapping is not allowed; allowed: a list"),
    (9, "constraints: layers > 1", 9, 14, "'layers > 1' is not allowed; allowed: a list"),
    (9, "resources: {gpu: fast}", 9, 18, "'fast' is not allowed; allowed: auto, a number"),
    (9, "resources: {gpu: -1}", 9, 18, "-1 is not allowed; allowed: auto, 0 or more"),
    (9, "seed: -1", 9, 7, "-1 is not allowed; allowed: 0 or more"),
    (10, "budget: {trials: 0}", 10, 18, "0 is not allowed; allowed: 1 or more"),
    (10, "budget: {trails: 3}", 10, 10, "budget.trails: unknown key (did you mean 'trials'?)"),
    (10, "budget:", 10, 8, "null is not allowed; allowed: a mapping"),
    (10, "", 1, 1, "the key 'budget' is missing"),
]

MEANING = [
    (5, "  a: {type: float, low: 2, high: 1}", 5, 25, "2.0 is above high: 1.0; low must be below high"),
    (5, "  a: {type: int, low: 2, high: 2}", 5, 23, "2 equals high; low must be below high (for one value use"),
    (5, "  a: {type: float, low: 0.0, high: 1, log: true}", 5, 25, "0.0 with log: true; a logarithmic range needs low"),
    (5, "  a: {type: int, low: 0, high: 1, log: true}", 5, 23, "0 with log: true"),
    (5, "  a: {type: float, low: 1, high: 9, log: true, step: 2}", 5, 54, "a step or a logarithm, not both"),
    (5, "  a: {type: float, low: 1, high: 2, step: 5}", 5, 43, "5.0 is larger than the range from 1.0 to 2.0"),
    (5, "  a: {type: categorical, choices: [x, y, x]}", 5, 42, "'x' is listed twice"),
    (
        7,
        "  a: {type: fixed, value: 1, when: {margn.kind: linear}}",
        7,
        37,
        "unknown parameter 'margn.kind' (did you mean",
    ),
    (7, "  a: {type: fixed, value: 1, when: {margin.kind: linaer}}", 7, 50, "did you mean 'linear'?"),
    (
        7,
        "  a: {type: fixed, value: 1, when: {margin.kind: [linear, x]}}",
        7,
        59,
        "'x' can never be; margin.kind is one of",
    ),
    (7, "  a: {type: fixed, value: 1, when: {margin.kind: []}}", 7, 37, "an empty list"),
    (7, "  a: {type: fixed, value: 1, when: {layers: 5}}", 7, 45, "5 can never be; layers is between 1 and 4"),
    (7, "  a: {type: fixed, value: 1, when: {layers: true}}", 7, 45, "true can never be"),
    (7, "  a: {type: fixed, value: 1, when: {optimizer.lr: 1e-4}}", 7, 37, "optimizer.lr is a float"),
    (7, "  a: {type: fixed, value: 1, when: {epochs: 3}}", 7, 45, "never active: config: sets epochs to 10, not to 3"),
    (7, "  a: {type: fixed, value: 1, when: {a: 1}}", 7, 37, "the conditions form a cycle: a -> a"),
    (
        7,
        "  a: {type: fixed, value: 1, when: {b: 1}}\n"
        "  b: {type: fixed, value: 1, when: {c: 1}}\n"
        "  c: {type: fixed, value: 1, when: {a: 1}}",
        7,
        37,
        "the conditions form a cycle: a -> b -> c -> a",
    ),
    (
        8,
        "  a: {type: int, low: 1, high: 3, when: {margin.kind: constant}}\n"
        "  b: {type: fixed, value: 1, when: {a: 2, margin.kind: linear}}\n"
        "  c: {type: fixed, value: 1, when: {b: 1}}",
        9,
        30,
        "never active: margin.kind would have to be 'constant' and also 'linear'",
    ),
    (5, "  margin: {type: fixed, value: 1}", 6, 3, "lies inside 'margin'"),
    (5, "  a..b: {type: fixed, value: 1}", 5, 3, "empty part"),
    (9, "config: {layers: 3}", 9, 10, "set here and searched as space.layers"),
    (9, "config: {margin: {kind: linear}}", 9, 19, "set here and searched as space.margin.kind"),
    (9, "config: {margin: 3}", 9, 10, "set here and searched as space.margin.kind"),
    (9, "config: {layers.x: 3}", 9, 10, "set here and searched as space.layers"),
    (9, "constraints: [layers >]", 9, 15, "column 8: not an expression"),
    (9, "constraints: [layers > 1, margin.kind > 2]", 9, 27, "column 1: margin.kind is text; needed: a number"),
    (9, "constraints: [layers + 1]", 9, 15, "a constraint is a comparison"),
    (9, "constraints: [layers > 7]", 9, 15, "can never hold"),
    (9, "constraints: [margin.end > 0.7]", 9, 15, "margin.end is between 0.2 and 0.6"),
    (9, "constraints: [layers > 2, layers < 3]", 9, 1, "can never hold together"),
    (9, "sampler: {type: grid}", 5, 3, "the grid sampler needs choices or a step"),
    (9, "config: {epochs: 3}\npruner: {type: asha, min_epochs: 4}", 10, 34, "4 is more than the trials' 3 epochs"),
    (9, "pruner: {type: hyperband, min_epochs: 5, max_epochs: 3}", 9, 39, "5 is more than max_epochs: 3"),
    (9, "sampler: {type: pbt}\npruner: {type: asha}", 10, 1, "pbt compares its members itself"),
    (9, "sampler: {type: pbt}\nconfirm: {top: 1}", 10, 1, "cannot be trained again as one configuration"),
    (9, "sampler: {type: pbt, population: 99}", 10, 18, "is less than the population of 99"),
    (
        9,
        "sampler: {type: pbt}\nfurther_objectives: [{metric: val/y, direction: minimize}]",
        10,
        1,
        "pbt has one objective",
    ),
    (
        9,
        "config: {epochs: 3}\npruner: {type: percentile, min_epochs: 4}",
        10,
        40,
        "4 is more than the trials' 3 epochs",
    ),
    (9, "config: {epochs: 3}\npruner: {type: patient, patience: 3}", 10, 35, "3 is not less than the trials' 3 epochs"),
    (
        9,
        "config: {epochs: 3}\npruner: {type: patient, patience: 1, pruner: {type: wilcoxon, min_epochs: 4}}",
        10,
        75,
        "4 is more than the trials' 3 epochs",
    ),
    (
        9,
        "further_objectives: [{metric: val/y, direction: minimize}, {metric: val/y, direction: maximize}]",
        9,
        69,
        "'val/y' is an objective already",
    ),
    (
        9,
        "sampler: {type: cmaes}\nfurther_objectives: [{metric: val/y, direction: minimize}]",
        9,
        17,
        "cmaes has one objective, and there are 2",
    ),
]


@pytest.mark.parametrize(("line", "new", "at_line", "at_column", "words"), SHAPE + MEANING)
def test_faults_and_their_places(line, new, at_line, at_column, words):
    found = faults(changed(line, new))
    hits = [fault for fault in found if words in str(fault)]
    assert hits, [str(fault) for fault in found]
    assert (hits[0].line, hits[0].column) == (at_line, at_column), str(hits[0])


def test_all_faults_come_at_once_and_in_file_order():
    text = changed(5, "  a: {type: float, low: 2, high: 1}").replace(
        "choices: [constant, linear]", "choices: [linear, linear]"
    )
    text += "constraints: ['layers >', 'layers > margin.kind']\nsampler: {type: grid}\n"
    assert [fault.path for fault in faults(text)] == [
        "space.a",
        "space.a.low",
        "space.margin.kind.choices[1]",
        "space.margin.end",
        "constraints[0]",
        "constraints[1]",
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file(text):
    assert "the file is empty" in faults(text)[0].what


def test_a_file_that_is_no_mapping():
    assert "expected a mapping" in faults("- a\n- b\n")[0].what


def test_unknown_names_in_constraints_wait_for_the_config():
    parse(GOOD + "constraints: [layers < optimizer.depth]\n", file="f.yaml")


def test_dotted_and_nested_config_are_the_same():
    dotted = parse(changed(9, "config: {epochs: 10, data.source: angiogram, data: {size.x: 3}}"), file="f.yaml")
    nested = parse(changed(9, "config: {epochs: 10, data: {source: angiogram, size: {x: 3}}}"), file="f.yaml")
    assert dotted.spec == nested.spec
    fault = dotted.fault(("config", "data", "size", "x"), "here")
    assert (fault.line, fault.column) == (9, 61)


def test_load_reads_utf8_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path, overrides=["budget.trials=9"]).spec.budget.trials == 9


@pytest.mark.parametrize(
    ("raw", "line", "column", "words"),
    [
        (b"name: a\nb: \xff", 2, 4, "0xff is not UTF-8"),
        (GOOD.encode("utf-16"), 1, 1, "is not UTF-8"),
        (b"a" * 1_000_001, 0, 0, "larger than 1000000 bytes"),
        (b"a: \x00", 1, 4, "U+0000"),
    ],
)
def test_load_refuses_other_bytes(tmp_path, raw, line, column, words):
    path = tmp_path / "sweep.yaml"
    path.write_bytes(raw)
    with pytest.raises(SpecError, match=r"sweep\.yaml") as caught:
        load(path)
    (fault,) = caught.value.faults
    assert words in fault.what
    assert (fault.line, fault.column) == (line, column)


def test_load_refuses_what_is_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(SpecError, match="cannot be read"):
            load(path)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_faults(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "arbitrary.yaml"
    path.write_bytes(raw)
    with pytest.raises(SpecError):
        load(path)


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.text(max_size=8), st.integers(0, 8))
def test_a_damaged_file_is_read_or_gives_faults(at, inserted, removed):
    text = GOOD[:at] + inserted + GOOD[at + removed :]
    try:
        parse(text, file="f.yaml")
    except SpecError as error:
        assert all(fault.line >= 1 for fault in error.faults)
