"""`orch validate`, `plan` and `schema`: answers without side effects."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.orchestrator.cli.conftest import SWEEP, TOY, listing

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


@pytest.mark.parametrize("probe", ["--probe", "--no-probe"])
def test_a_plan_in_a_new_folder_makes_nothing(folder, orch, probe):
    before = listing(folder)
    answer = orch("plan", "toy.yaml", probe)

    assert answer.code == 0
    assert listing(folder) == before
    assert not (folder / ".orch").exists()
    assert "3 of toy:train, sampler random, pruner none" in answer.out
    assert "up to 3 each, about 9 in all\n" in answer.out
    assert str(folder / ".orch" / "ledger.db") in answer.out
    assert [line.split()[0] for line in answer.out.splitlines()[-3:]] == ["0", "1", "2"]
    assert ("measured now" in answer.out) == (probe == "--probe")


def test_a_plan_beside_an_earlier_sweep_leaves_every_byte_and_takes_its_pace(finished, orch):
    before = listing(finished.folder)
    answer = orch("plan", "toy.yaml")

    assert "(sweep toy-1)" in answer.out
    assert listing(finished.folder) == before


def test_a_plan_shows_what_the_sweep_then_does(finished, orch):
    plan = orch("plan", "toy.yaml", "--json").json
    done = json.loads(finished.out)

    assert plan["configurations"] == [trial["params"] for trial in done["trials"]]
    assert plan["trials"] == 3
    assert plan["estimated_s"] >= 0


def test_a_plan_of_a_pruned_sweep_expects_less_epochs(folder, orch):
    (folder / "toy.yaml").write_text(SWEEP + "pruner: {type: asha, min_epochs: 1, reduction_factor: 3}\n")

    answer = orch("plan", "toy.yaml", "--no-probe", "--set", "config.epochs=9", "--set", "budget.trials=9")

    assert "up to 9 each, about 21 in all after pruning" in answer.out  # 9 for 1 epoch, 3 for 2 more, 1 for 6 more


def test_a_plan_of_what_would_raise_says_so_or_knows_no_time(folder, orch):
    answer = orch("plan", "toy.yaml", "--set", "config.fails=true")

    assert answer.code == 0
    assert "Traceback" not in answer.err


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
