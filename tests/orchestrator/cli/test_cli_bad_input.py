"""Every kind of bad sweep file: a message with its place, exit 2, no traceback, and nothing created."""

import re

import pytest

from tests.orchestrator.cli.conftest import SWEEP, listing

BAD_FILES = {
    "an open bracket": (("{trials: 3}", "{trials: 3"), "toy.yaml:9:10: not valid YAML"),
    "a tab": (("  x:", "\tx:"), "toy.yaml:5:1: a tab"),
    "a duplicate key": (
        ("seed", "budget: {trials: 4}"),
        "toy.yaml:10:1: duplicate key 'budget'; it already stands in line 8",
    ),
    "an unknown key": (("seed", "sede: 1"), "toy.yaml:10:1 sede: unknown key (did you mean 'seed'?)"),
    "a misspelt key": (("trials:", "trails:"), "toy.yaml:8:10 budget.trails: unknown key (did you mean 'trials'?)"),
    "a missing key": (("name: toy\n", ""), "the key 'name' is missing"),
    "a misspelt parameter": (("  x:", "  xx:"), "toy.yaml:5:3 space.xx: the trainable's Config has no field 'xx'"),
    "a misspelt config key": (
        ("{epochs: 3}", "{epoch: 3}"),
        "config.epoch: the trainable's Config has no field 'epoch' (did you mean 'epochs'?)",
    ),
    "reversed bounds": (("low: 0, high: 1", "low: 1, high: 0"), "toy.yaml:5:25 space.x.low: 1.0 is above high: 0.0"),
    "the logarithm of zero": (("high: 1", "high: 1, log: true"), "toy.yaml:5:25 space.x.low: 0.0 with log: true"),
    "a bound outside of the field": (
        ("high: 1", "high: 2"),
        "toy.yaml:5:34 space.x.high: 2.0 is outside the field's range",
    ),
    "no choice": (
        ("{type: float, low: 0, high: 1}", "{type: categorical, choices: []}"),
        "toy.yaml:5:26 space.x.choices: empty",
    ),
    "a choice of the wrong type": (
        ("{type: float, low: 0, high: 1}", "{type: categorical, choices: [a]}"),
        "toy.yaml:5:",
    ),
    "a condition on nothing": (
        ("high: 1", "high: 1, when: {kid: a}"),
        "toy.yaml:5:44 space.x.when.kid: unknown parameter 'kid'",
    ),
    "a condition that is never met": (
        (
            "  x: {",
            "  kind: {type: categorical, choices: [a, b]}\n"
            "  fails: {type: categorical, choices: [true, false], when: {kind: a}}\n"
            "  x: {when: {kind: b, fails: true}, ",
        ),
        "space.x.when: never active",
    ),
    "a cycle of conditions": (
        (
            "  x: {",
            "  kind: {type: categorical, choices: [a, b], when: {fails: true}}\n"
            "  fails: {type: categorical, choices: [true, false], when: {kind: a}}\n"
            "  x: {",
        ),
        "the conditions form a cycle: kind -> fails -> kind",
    ),
    "a constraint that never holds": (
        ("seed", 'constraints: ["x > 2"]'),
        "toy.yaml:10:15 constraints[0]: can never hold",
    ),
    "a constraint that is none": (("seed", 'constraints: ["x >"]'), "toy.yaml:10:15 constraints[0]:"),
    "a constraint on nothing": (("seed", 'constraints: ["y > 0.1"]'), "unknown name 'y'"),
    "a constraint that is code": (("seed", "constraints: [\"__import__('os')\"]"), "toy.yaml:10:15 constraints[0]:"),
    "an objective that is not reported": (
        ("val/score", "val/scor"),
        "toy.yaml:3:21 objective.metric: the trainable does not report 'val/scor' (did you mean 'val/score'?)",
    ),
    "a module that is not there": (("toy:train", "toyy:train"), "toy.yaml:2:12 trainable:"),
    "a function that is not there": (("toy:train", "toy:trian"), "did you mean 'train'"),
    "a registered name that is not there": (("toy:train", "multitsk"), "did you mean 'multitask'"),
    "no trials": (("trials: 3", "trials: 0"), "toy.yaml:8:18 budget.trials: 0 is not allowed; allowed: 1 or more"),
    "no hours": (("trials: 3", "trials: 3, wall_hours: 0"), "budget.wall_hours: 0 is not allowed; allowed: above 0"),
    "words for a number": (
        ("trials: 3", "trials: three"),
        "budget.trials: 'three' is not allowed; allowed: a whole number",
    ),
    "a config value of the wrong type": (
        ("{epochs: 3}", "{epochs: three}"),
        "toy.yaml:6:18 config.epochs: 'three' is not allowed",
    ),
    "a list for a mapping": (("{gpu: 0}", "[0]"), "toy.yaml:9:1 resources: a list is not allowed; allowed: a mapping"),
    "an unknown sampler": (
        ("type: random", "type: randon"),
        "sampler.type: 'randon' is not allowed; allowed: tpe, gp, cmaes, nsga2, nsga3, qmc, random, grid, "
        "brute_force, pbt (did you mean 'random'?)",
    ),
    "a direction that is none": (
        ("maximize", "up"),
        "objective.direction: 'up' is not allowed; allowed: maximize, minimize",
    ),
    "a grid over a float": (("type: random", "type: grid"), "space.x: a float between 0.0 and 1.0 has no grid"),
    "a name with spaces": (("name: toy", "name: My Toy"), "toy.yaml:1:7 name: 'My Toy' is not a name"),
    "a tag": (("seed", "seed: !!python/name:os.system"), "toy.yaml:10:7: the tag"),
    "two documents": (("seed", "---"), "a second document"),
}
PLACED = re.compile(r"^orch: toy\.yaml:\d+:\d+")
"""What every message of a bad file opens with."""


def refused(answer, message):
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


@pytest.fixture(params=["validate", "sweep"])
def command(request):
    return {"validate": ["validate", "--import"], "sweep": ["sweep", "--runner", "local"]}[request.param]


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place_and_leaves_nothing(folder, orch, command, case):
    (old, new), message = BAD_FILES[case]
    text = SWEEP + "seed\n" if old == "seed" else SWEEP
    assert old in text
    (folder / "toy.yaml").write_text(text.replace(old, new, 1))
    before = listing(folder)

    answer = orch(*command, "toy.yaml")

    refused(answer, message)
    assert all(PLACED.match(line) for line in answer.err.splitlines()), answer.err
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "toy.yaml:1:1: the file is empty"),
        (b"# a comment\n", "toy.yaml:1:1: the file is empty"),
        (b"- a\n- b\n", "toy.yaml:1:1: expected a mapping"),
        (b"hello\n", "toy.yaml:1:1: expected a mapping"),
        (b"\x80\xff\x00" * 100, "toy.yaml:1:1: the byte 0x80 is not UTF-8"),
        (b"name: a\x00b\n", "toy.yaml:1:8: the character U+0000"),
        (b"a: " + b"[" * 500 + b"]" * 500, "toy.yaml:1:23: nested more than"),
        (b"a: 1\n" * 300_000, "toy.yaml: larger than"),
    ],
)
def test_a_file_that_is_no_sweep_file(folder, orch, command, content, message):
    (folder / "toy.yaml").write_bytes(content)
    before = listing(folder)

    refused(orch(*command, "toy.yaml"), message)
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("file", "message"),
    [("none.yaml", "none.yaml: cannot be read: No such file"), (".", "cannot be read: Is a directory")],
)
def test_a_file_that_cannot_be_read(folder, orch, command, file, message):
    before = listing(folder)

    refused(orch(*command, file), message)
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("budget.trials", "--set budget.trials: expected dotted.key=value"),
        ("=3", "--set =3: expected dotted.key=value"),
        ("budget.trials=0", "--set budget.trials=0 budget.trials: 0 is not allowed; allowed: 1 or more"),
        ("budget.trails=3", "did you mean 'trials'?"),
        ("budget.trials=[", "not valid YAML"),
        ("space.x.low=5", "space.x.low: 5.0 is above high: 1.0"),
        ("space.y.low=0.1", "no parameter of space: matches 'y.low'"),
        ("config.epochs=zero", "config.epochs: 'zero' is not allowed; allowed: a whole number"),
        ("name.first=a", "name is a single value; nothing stands below it"),
        ("nonsense=1", "nonsense: unknown key"),
    ],
)
def test_a_bad_override_is_placed_at_the_option(folder, orch, command, option, message):
    before = listing(folder)

    answer = orch(*command, "toy.yaml", "--set", option)

    refused(answer, message)
    assert answer.err.startswith(f"orch: --set {option}")
    assert listing(folder) == before


def test_all_faults_come_at_once_in_the_order_of_the_file(folder, orch, command):
    bad = SWEEP.replace("maximize", "up").replace("trials: 3", "trials: 0").replace("type: random", "type: randon")
    (folder / "toy.yaml").write_text(bad)

    answer = orch(*command, "toy.yaml")

    places = [line.split(":")[2] for line in answer.err.splitlines()]
    assert places == ["3", "7", "8"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('at import')", "importing toy failed: RuntimeError: at import"),
        ("import sys; sys.exit('gone')", "importing toy failed: SystemExit: gone"),
        ("def train(config, context): yield", "pydantic model"),
        ("train = 3", "it is not a function"),
        ("def train(:", "SyntaxError"),
    ],
)
def test_a_trainable_that_is_none(folder, orch, command, body, message):
    (folder / "toy.py").write_text(f'"""Bad."""\n{body}\n')
    before = listing(folder)

    answer = orch(*command, "toy.yaml")

    refused(answer, message)
    assert answer.err.startswith("orch: toy.yaml:2:12 trainable:")
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("resources", "message"),
    [("{cpu: 1000}", "a trial needs 1000 CPU and"), ("{gpu: 64}", "64 GPU on one node; this process has")],
)
def test_resources_that_this_process_never_has(folder, orch, resources, message):
    (folder / "toy.yaml").write_text(SWEEP.replace("{gpu: 0}", resources))
    before = listing(folder)

    answer = orch("sweep", "toy.yaml", "--runner", "local")

    refused(answer, message)
    assert answer.err.startswith("orch: toy.yaml:9:1 resources:")
    assert listing(folder) == before


def test_validate_gives_faults_as_json(folder, orch):
    (folder / "toy.yaml").write_text(SWEEP.replace("trials: 3", "trials: 0"))

    answer = orch("validate", "toy.yaml", "--json")

    assert answer.code == 2
    (fault,) = answer.json["faults"]
    assert answer.json["valid"] is False
    assert (fault["file"], fault["line"], fault["column"], fault["path"]) == ("toy.yaml", 8, 18, "budget.trials")
