"""`orch validate` and `schema`: answers without side effects."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.orchestrator.cli.conftest import TOY

ROOT = Path(__file__).parents[3]


VALID = "toy.yaml: valid, 1 parameter, 3 trials of toy:train"


def test_a_valid_file_in_one_line(folder, orch):
    assert orch("validate", "toy.yaml", "--import").out == f"{VALID}\n"
    said = orch("validate", "toy.yaml").out
    assert said == f"{VALID}; its Config was not checked: --import does, and runs its module\n"


def test_a_valid_file_as_json(folder, orch):
    told = orch("validate", "toy.yaml", "--import", "--json").json
    assert told.pop("lint")["advice"] == []
    assert told == {"valid": True, "faults": [], "name": "toy", "parameters": 1, "config_checked": True}
    assert orch("validate", "toy.yaml", "--json").json["config_checked"] is False


MARKED = "from pathlib import Path\nPath('imported').touch()\n" + TOY


@pytest.mark.parametrize("command", [("validate", "toy.yaml"), ("lint", "toy.yaml"), ("schema", "toy:train")])
def test_a_module_of_ones_own_runs_only_with_import(folder, orch, command):
    (folder / "toy.py").write_text(MARKED)
    orch(*command)
    assert not (folder / "imported").exists()
    assert orch(*command, "--import").code == 0
    assert (folder / "imported").exists()


def test_what_can_be_checked_without_the_module_is_checked(folder, orch):
    file = folder / "toy.yaml"
    sound = file.read_text()
    for old, new, message in (
        ("toy:train", "toi:train", "there is no module 'toi' here"),
        ("toy:train", "toy.part:train", "there is no module"),
        ("toy:train", "to y:train", "is not a module name"),
        ("low: 0,", "low: 2,", "space.x"),
        ("budget:", "constraints: ['x + y < 2']\npoints: [{x: 3}]\nbudget:", "outside of the space"),
    ):
        file.write_text(sound.replace(old, new))
        answer = orch("validate", "toy.yaml")
        assert (answer.code, message in answer.err) == (2, True), answer.err


@pytest.mark.parametrize("file", sorted((ROOT / "search_spaces").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_file_is_valid_and_names_its_schema(orch, file):
    assert orch("validate", file).code == 0
    assert file.read_text().startswith("# yaml-language-server: $schema=sweep.schema.json\n")


def test_what_a_module_prints_while_it_is_imported_is_no_data(folder, orch):
    (folder / "toy.py").write_text(TOY + "print('hello')\n")

    for command in (("validate",), ("plan", "--no-probe")):
        answer = orch(*command, "toy.yaml", "--json")
        assert answer.json
    assert orch("validate", "toy.yaml", "--import", "--json").json


def test_the_schema_of_sweep_files_is_valid_and_is_the_shipped_one(orch):
    schema = orch("schema").json

    Draft202012Validator.check_schema(schema)
    assert schema == json.loads((ROOT / "search_spaces" / "sweep.schema.json").read_text())


def test_the_schema_of_a_config(folder, orch):
    assert set(orch("schema", "toy:train", "--import").json["properties"]) == {
        "x",
        "kind",
        "epochs",
        "epoch_s",
        "fails",
        "interrupts",
    }
    assert "optimizer" in orch("schema", "multitask").json["properties"]


def test_the_schema_of_a_module_that_is_not_imported(folder, orch):
    answer = orch("schema", "toy:train")
    assert answer.code == 2
    assert "--import runs the module" in answer.err


def test_the_schema_of_nothing(orch):
    answer = orch("schema", "multitsk")

    assert answer.code == 2
    assert "did you mean 'multitask'" in answer.err
