"""How many lanes a bundle gets: what is measured decides, and is said."""

from orchestrator.execution.assignment import Measured
from orchestrator.execution.lane_count import ENOUGH, LaneCount


def epochs(seconds, num=ENOUGH, *, host=0):
    return [Measured(step, {}, seconds, host_bytes=host) for step in range(2, 2 + num)]


def test_auto_grows_while_it_pays_and_says_so():
    said = []
    count = LaneCount("auto", say=said.append)
    assert count.next() == 1
    count.saw(epochs(0.8), num_lanes=1)
    assert count.next() == 4
    count.saw(epochs(0.4), num_lanes=4)
    assert count.next() == 16
    count.saw(epochs(0.39), num_lanes=16)
    assert count.next() == 4
    assert said == [
        "fuses 4 trials: 2.0 times as fast (an epoch of a trial: 1 lane 0.8 s, 4 lanes 0.4 s, 16 lanes 0.39 s)"
    ]


def test_auto_stays_alone_where_lanes_are_slower():
    said = []
    count = LaneCount("auto", say=said.append)
    count.saw(epochs(0.8), num_lanes=1)
    count.saw(epochs(1.0), num_lanes=4)
    assert count.next() == 1
    assert said[0].startswith("trains trials alone")


def test_auto_stops_where_the_memory_would_end():
    count = LaneCount("auto", say=lambda text: None)
    count.saw(epochs(0.8, host=10**9), num_lanes=1)
    count.saw(epochs(0.2, host=10**15), num_lanes=4)
    assert count.next() == 4


def test_first_epochs_and_shrunk_bundles_say_nothing():
    count = LaneCount("auto", say=lambda text: None)
    count.saw([Measured(1, {}, 9.0)] * 5, num_lanes=1)
    count.saw(epochs(0.1), num_lanes=3)
    assert count.next() == 1


def test_a_fixed_number_is_fixed():
    count = LaneCount(8, say=lambda text: None)
    count.saw(epochs(0.1), num_lanes=8)
    assert count.next() == 8
