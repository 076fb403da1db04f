"""`orch validate` and `schema`: answers without side effects."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.orchestrator.cli.conftest import TOY

ROOT = Path(__file__).parents[3]


def test_a_valid_file_in_one_line(folder, orch):
    assert orch("validate", "toy.yaml").out == "toy.yaml: valid, 1 parameter, 3 trials of toy:train\n"


def test_a_valid_file_as_json(folder, orch):
    told = orch("validate", "toy.yaml", "--json").json
    assert told.pop("lint")["advice"] == []
    assert told == {"valid": True, "faults": [], "name": "toy", "parameters": 1}


@pytest.mark.parametrize("file", sorted((ROOT / "search_spaces").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_file_is_valid_and_names_its_schema(orch, file):
    assert orch("validate", file).code == 0
    assert file.read_text().startswith("# yaml-language-server: $schema=sweep.schema.json\n")


def test_what_a_module_prints_while_it_is_imported_is_no_data(folder, orch):
    (folder / "toy.py").write_text(TOY + "print('hello')\n")

    for command in (("validate",), ("plan", "--no-probe")):
        answer = orch(*command, "toy.yaml", "--json")
        assert answer.json


def test_the_schema_of_sweep_files_is_valid_and_is_the_shipped_one(orch):
    schema = orch("schema").json

    Draft202012Validator.check_schema(schema)
    assert schema == json.loads((ROOT / "search_spaces" / "sweep.schema.json").read_text())


def test_the_schema_of_a_config(folder, orch):
    assert set(orch("schema", "toy:train").json["properties"]) == {
        "x",
        "kind",
        "epochs",
        "epoch_s",
        "fails",
        "interrupts",
    }
    assert "optimizer" in orch("schema", "multitask").json["properties"]


def test_the_schema_of_nothing(orch):
    answer = orch("schema", "multitsk")

    assert answer.code == 2
    assert "did you mean 'multitask'" in answer.err
