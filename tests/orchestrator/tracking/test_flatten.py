from orchestrator.tracking.flatten import flatten


def test_nested_keys_are_dotted_and_leaves_are_text():
    config = {"a": {"b": {"c": 1e-4}}, "d": True, "e": None, "f": "text", "g": [1, {"h": 2}], "i": {}}
    assert flatten(config) == {"a.b.c": "0.0001", "d": "True", "e": "None", "f": "text", "g": '[1, {"h": 2}]'}


def test_keys_that_are_dotted_already_stay():
    assert flatten({"optimizer.lr": 0.1}) == {"optimizer.lr": "0.1"}
