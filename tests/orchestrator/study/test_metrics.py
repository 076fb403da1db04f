"""A measurement's metrics in little memory: a mapping like any other."""

import json
import math
import sys

import pytest

from orchestrator.study.metrics import Metrics

NAMES = [f"metric/{n}" for n in range(20)]


def test_it_equals_the_mapping_that_it_was_made_of():
    plain = {"b": 0.5, "a": math.inf}
    metrics = Metrics(plain)
    assert (metrics, dict(metrics), {**metrics}, list(metrics), len(metrics)) == (plain, plain, plain, ["b", "a"], 2)
    assert plain == metrics
    assert ("a" in metrics, "c" in metrics, metrics.get("c")) == (True, False, None)
    with pytest.raises(KeyError):
        metrics["c"]
    assert json.loads(json.dumps(metrics, default=dict)) == plain
    assert repr(metrics) == repr(plain)
    assert math.isnan(Metrics({"x": math.nan})["x"])


def test_names_are_kept_once():
    one, other = Metrics(dict.fromkeys(NAMES, 0.1)), Metrics(dict.fromkeys(NAMES, 0.2))
    assert one._places is other._places
    plain = {name: n / 7 for n, name in enumerate(NAMES)}
    ours = sys.getsizeof(one) + sys.getsizeof(one._values)
    assert ours < (sys.getsizeof(plain) + len(NAMES) * sys.getsizeof(0.5)) / 2
