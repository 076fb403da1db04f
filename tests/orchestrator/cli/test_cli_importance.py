"""`orch show` prints what matters, and says it in JSON."""

import json

from rich.console import Console

from orchestrator.cli.importance import importance_json, print_importance
from orchestrator.study.importance import Importance, MatchedEpoch

FOUND = Importance(
    {"kind": 0.7, "lr": 0.3},
    (MatchedEpoch(1, 9, 6, 0.2, {"kind": 0.9, "lr": 0.1}), MatchedEpoch(4, 3, 3, 0.1, {"lr": 1.0})),
)


def test_a_row_for_each_parameter_and_a_column_for_each_epoch():
    console = Console(width=100)
    with console.capture() as captured:
        print_importance(console, FOUND)
    lines = [line.split() for line in captured.get().splitlines()]

    assert lines[0] == ["importance", "overall", "epoch", "1", "epoch", "4"]
    assert lines[1] == ["9", "trials", "3", "trials"]
    assert lines[2:] == [["kind", "0.70", "0.90", "-"], ["lr", "0.30", "0.10", "1.00"]]


def test_nothing_is_said_where_nothing_is_known():
    console = Console(width=100)
    with console.capture() as captured:
        print_importance(console, None)

    assert captured.get() == ""
    assert importance_json(None) == {}
    assert importance_json(FOUND)["importance"]["shares"] == {"kind": 0.7, "lr": 0.3}


def test_show_of_a_sweep_with_two_parameters(sweep, folder, orch):
    file = folder / "toy.yaml"
    two = "space:\n  kind: {type: categorical, choices: [a, b]}\n"
    file.write_text(file.read_text().replace("space:\n", two).replace("trials: 3", "trials: 5"))
    sweep()

    assert "importance" in orch("show", "toy-1").out
    assert set(orch("show", "toy-1", "--json").json["importance"]["shares"]) == {"x", "kind"}
    assert orch("show", "toy-1", "--json").json["importance"] == json.loads(
        next(folder.glob(".orch/sweeps/*/report/importance.json")).read_text()
    )
    assert (next(folder.glob(".orch/sweeps/*/report")) / "importance.json").exists()
