from orchestrator.analysis.compare import compare, split_params
from orchestrator.trial import TrialRecord, TrialState


def trial(number, **params):
    return TrialRecord(number, TrialState.COMPLETE, params, value=float(number), best_step=3)


def test_differing_parameters_come_first_and_constant_ones_collapse():
    comparison = compare({"a": [trial(0, seed=1, lr=0.1), trial(1, seed=1, lr=0.2)]})
    assert comparison.differing == {"lr": [0.1, 0.2]}
    assert comparison.constant == {"seed": 1}


def test_trials_of_several_sweeps_keep_their_order_and_names():
    comparison = compare({"b": [trial(4, lr=0.1)], "a": [trial(0, lr=0.3)]})
    assert [column.label for column in comparison.columns] == ["b/4", "a/0"]
    assert [column.value for column in comparison.columns] == [4.0, 0.0]


def test_an_inactive_parameter_differs():
    comparison = compare({"a": [trial(0, kind="linear", end=0.3), trial(1, kind="constant")]})
    assert comparison.differing == {"kind": ["linear", "constant"], "end": [0.3, None]}


def test_the_parameter_with_most_values_is_first():
    params = [{"a": 1, "b": i, "c": i % 2} for i in range(4)]
    assert split_params(params) == (["b", "c"], {"a": 1})


def test_true_is_not_one():
    assert split_params([{"x": True}, {"x": 1}]) == (["x"], {})


def test_nothing_to_compare():
    assert compare({}).columns == []
    assert split_params([]) == ([], {})
