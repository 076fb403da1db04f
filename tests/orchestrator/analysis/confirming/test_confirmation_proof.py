"""Smaller versions of `make confirmation-proof`: what it prints is of this code."""

import numpy as np

from benchmarks.confirmation_proof import EXAMS, ONE, SEEDS, World, coverage_table, half_table, simulate


def sweeps(world, number):
    rng = np.random.default_rng(1)
    return [simulate(world, rng, seeds=SEEDS) for _ in range(number)]


def test_noise_names_hardly_anyone():
    seen = sweeps(World(), 60)

    assert sum(sweep.won for sweep in seen) <= 1
    assert sum(bool(sweep.names) for sweep in seen) <= 7


def test_two_deviations_are_mostly_named_and_cost_fewer_trainings_than_planned():
    seen = [sweep for sweep in sweeps(ONE, 60) if "0" in sweep.confirmed]

    assert sum(sweep.won and sweep.names == ("0",) for sweep in seen) >= 0.8 * len(seen)
    assert np.mean([sweep.num_runs for sweep in seen]) < 4 * SEEDS


def test_half_a_space_of_good_ones_is_named_without_a_bad_one():
    assert half_table(30)[f"{SEEDS} seeds"]["good ones named, no others"]["rate"] > 0.9


def test_intervals_hold_the_truth_and_those_of_seeds_alone_do_not():
    found = coverage_table(80)

    assert found.keys() == EXAMS.keys()
    for cells in found.values():
        assert cells["mean"]["rate"] >= 0.87
        assert cells["all differences together"]["rate"] >= 0.9
        assert cells["(mean, from seeds alone)"]["rate"] < cells["mean"]["rate"]
