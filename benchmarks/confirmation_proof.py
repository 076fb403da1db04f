"""Whether a confirmation tells the truth: simulated sweeps of which the right answer is known.

    python benchmarks/confirmation_proof.py [--sweeps 200] [--repeats 2000] [--json FILE]

A sweep's search is the luck of 20 trials; the best three go into a confirmation beside the default, with elimination.
Noise has a standard deviation of 1 among seeds unless said otherwise. Prints rates with exact 95 % intervals.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from rich.console import Console
from rich.table import Table
from scipy.special import expit
from scipy.stats import binomtest

from orchestrator.analysis.confirming import Candidate, Confirmation, Outcome, Run, confirm, next_run
from orchestrator.spec.model import Direction, Objective

OBJECTIVE = Objective(metric="val/score", direction=Direction.MAXIMIZE)
TRIALS, TOP, SEEDS = 20, 3, 10
DEFAULT = TRIALS
"""The default configuration's place after those of the trials."""

Draw = Callable[[np.random.Generator], float]


@dataclass(frozen=True)
class World:
    """What is true of a sweep: each configuration's effect and noise, and what a seed does to all of them alike."""

    effects: dict[int, float] = field(default_factory=dict)
    noise: dict[int, float] = field(default_factory=dict)
    draw: Draw = lambda rng: float(rng.normal())
    of_seed: float = 0.0
    step: float = 0.0

    def value(self, configuration: int, rng: np.random.Generator, *, shared: float = 0.0) -> float:
        """One training of a configuration."""
        exact = self.effects.get(configuration, 0.0) + self.noise.get(configuration, 1.0) * self.draw(rng) + shared
        return round(exact / self.step) * self.step if self.step else exact


@dataclass(frozen=True)
class Sweep:
    """One simulated sweep: which trials were confirmed, how many trainings that took, and what was said."""

    confirmed: tuple[str, ...]
    num_runs: int
    said: Confirmation

    @property
    def names(self) -> tuple[str, ...]:
        """The winner, or those that tie."""
        return self.said.verdict.names

    @property
    def won(self) -> bool:
        """Whether it has one winner."""
        return self.said.verdict.outcome is Outcome.WINNER


def simulate(world: World, rng: np.random.Generator, *, seeds: int) -> Sweep:
    """Search by luck, then confirm one run at a time."""
    searched = [world.value(trial, rng) for trial in range(TRIALS)]
    top = sorted(range(TRIALS), key=lambda trial: -searched[trial])[:TOP]
    candidates = [Candidate("default", default=True), *(Candidate(str(trial), searched[trial]) for trial in top)]
    shared = world.of_seed * rng.normal(size=seeds)
    runs: list[Run] = []
    while (found := next_run(candidates, runs, seeds=range(seeds), direction=OBJECTIVE.direction)) is not None:
        name, seed = found
        configuration = DEFAULT if name == "default" else int(name)
        runs.append(Run(name, seed, world.value(configuration, rng, shared=shared[seed])))
    return Sweep(tuple(map(str, top)), len(runs), confirm(candidates, runs, objective=OBJECTIVE, seeds=range(seeds)))


def rate(hits: list[bool]) -> dict[str, float]:
    """How often, with the exact 95 % interval."""
    low, high = binomtest(sum(hits), len(hits)).proportion_ci(method="exact") if hits else (0.0, 1.0)
    return {"rate": sum(hits) / max(1, len(hits)), "low": float(low), "high": float(high), "of": len(hits)}


NOISE = {
    "normal noise": World(),
    "heavy tails (Student t, 3 df)": World(draw=lambda rng: float(rng.standard_t(3))),
    "seeds that move all alike": World(of_seed=1.0),
    "a default three times as noisy": World(noise={DEFAULT: 3.0}),
    "half of the trials three times as noisy": World(noise=dict.fromkeys(range(TRIALS // 2), 3.0)),
    "a coarse metric (steps of one deviation)": World(step=1.0),
}
ONE = World(effects={0: 2.0})
HALF = World(effects=dict.fromkeys(range(TRIALS // 2), 2.0))


def noise_table(num_sweeps: int) -> dict[str, dict]:
    """No configuration differs from the default: nobody should be named."""
    found = {}
    for title, world in NOISE.items():
        rng = np.random.default_rng(1)
        sweeps = [simulate(world, rng, seeds=SEEDS) for _ in range(num_sweeps)]
        found[title] = {
            "winner named": rate([sweep.won for sweep in sweeps]),
            "anyone named": rate([bool(sweep.names) for sweep in sweeps]),
        }
    return found


def effect_table(num_sweeps: int) -> dict[str, dict]:
    """One trial is two deviations better than all others: it should be named, once the search has handed it on."""
    found = {}
    for seeds in (3, 5, 8, SEEDS):
        rng = np.random.default_rng(2)
        sweeps = [simulate(ONE, rng, seeds=seeds) for _ in range(num_sweeps)]
        handed = [sweep for sweep in sweeps if "0" in sweep.confirmed]
        found[f"{seeds} seeds"] = {
            "handed on": rate(["0" in sweep.confirmed for sweep in sweeps]),
            "then the winner": rate([sweep.won and sweep.names == ("0",) for sweep in handed]),
            "then better than the default": rate(["0" in sweep.names for sweep in handed]),
            "the winner, of all sweeps": rate([sweep.won and sweep.names == ("0",) for sweep in sweeps]),
            "another one the winner": rate([sweep.won and sweep.names != ("0",) for sweep in sweeps]),
            "trainings": {"mean": float(np.mean([sweep.num_runs for sweep in handed])), "most": (TOP + 1) * seeds},
        }
    return found


def half_table(num_sweeps: int) -> dict[str, dict]:
    """Half of the trials are two deviations better than the default and equal to each other."""
    rng = np.random.default_rng(3)
    good = {str(trial) for trial in range(TRIALS // 2)}
    sweeps = [simulate(HALF, rng, seeds=SEEDS) for _ in range(num_sweeps)]
    return {
        f"{SEEDS} seeds": {
            "good ones named, no others": rate([bool(s.names) and set(s.names) <= good for s in sweeps]),
            "one of several equals the winner": rate([s.won and len(good & {*s.confirmed}) > 1 for s in sweeps]),
        }
    }


@dataclass(frozen=True)
class Exam:
    """Models that answer a finite test set: hits whose odds depend on candidate, seed and unit, and on pairs of them.

    Standard deviations are of log-odds.
    """

    skill: dict[str, float]
    seed: float = 0.3
    unit: float = 1.2
    unit_of_candidate: float = 0.6
    unit_of_seed: float = 0.6
    num_units: int = 150
    draws: int = 200

    def truth(self, name: str) -> float:
        """The expected hit rate over all seeds and units."""
        spread = (self.seed**2 + self.unit**2 + self.unit_of_candidate**2 + self.unit_of_seed**2) ** 0.5
        nodes, weights = hermegauss(80)
        return float(weights @ expit(self.skill[name] + spread * nodes) / weights.sum())

    def runs(self, rng: np.random.Generator, *, seeds: int) -> list[Run]:
        """All candidates with all seeds; val and test have other units and the same models."""
        drawn = rng.multinomial(self.num_units, np.full(self.num_units, 1 / self.num_units), size=self.draws)
        luck = {name: self.seed * rng.normal(size=seeds) for name in self.skill}
        val, test = ({name: hits for name, hits in self._hits(rng, luck)} for _ in range(2))
        return [
            Run(
                name,
                seed,
                float(val[name][seed].mean()),
                float(test[name][seed].mean()),
                tuple(drawn @ test[name][seed] / self.num_units),
            )
            for name in self.skill
            for seed in range(seeds)
        ]

    def _hits(self, rng: np.random.Generator, luck: dict[str, np.ndarray]):
        unit = self.unit * rng.normal(size=self.num_units)
        for name, skill in self.skill.items():
            own = unit + self.unit_of_candidate * rng.normal(size=self.num_units)
            pair = self.unit_of_seed * rng.normal(size=(len(luck[name]), self.num_units))
            odds = skill + luck[name][:, None] + own + pair
            yield name, (rng.random(odds.shape) < expit(odds)).astype(float)


EXAMS = {
    "equal candidates": Exam({"default": 0.5, "a": 0.5, "b": 0.5, "c": 0.5}),
    "different candidates": Exam({"default": 0.5, "a": 1.5, "b": 0.7, "c": -0.5}),
    "near the bound": Exam({"default": 3.0, "a": 3.5, "b": 3.0, "c": 3.0}),
}


def coverage_table(num_repeats: int, *, seeds: int = SEEDS) -> dict[str, dict]:
    """How often an interval holds the truth, over new seeds and new test units."""
    return {title: _coverage(exam, num_repeats, seeds=seeds) for title, exam in EXAMS.items()}


def _coverage(exam: Exam, num_repeats: int, *, seeds: int) -> dict[str, dict]:
    rng = np.random.default_rng(4)
    truth = {name: exam.truth(name) for name in exam.skill}
    means: list[bool] = []
    seeds_alone: list[bool] = []
    together: list[bool] = []
    for _ in range(num_repeats):
        runs = exam.runs(rng, seeds=seeds)
        candidates = [Candidate(name, 1.0, default=name == "default") for name in exam.skill]
        said = confirm(candidates, runs, objective=OBJECTIVE, seeds=range(seeds), bounds=(0.0, 1.0))
        means += [holds(e.value, truth[e.candidate]) for e in said.estimates if e.default]
        gaps = {d.candidate: truth[d.candidate] - truth["default"] for d in said.against_default}
        together.append(all(d.low <= gaps[d.candidate] <= d.high for d in said.against_default))
        without = confirm(
            candidates,
            [Run(r.candidate, r.seed, r.val, r.test) for r in runs],
            objective=OBJECTIVE,
            seeds=range(seeds),
        )
        seeds_alone += [holds(e.value, truth[e.candidate]) for e in without.estimates if e.default]
    return {
        "mean": rate(means),
        "all differences together": rate(together),
        "(mean, from seeds alone)": rate(seeds_alone),
    }


def holds(interval, value: float) -> bool:
    """Whether the interval has the value in it."""
    return interval.low <= value <= interval.high


def show(console: Console, title: str, rows: dict[str, dict]) -> None:
    """One table; rates in per cent."""
    columns = list(next(iter(rows.values())))
    table = Table("", *columns, title=title, title_justify="left")
    for name, cells in rows.items():
        table.add_row(name, *(_text(cells[column]) for column in columns))
    console.print(table)


def _text(cell: dict[str, float]) -> str:
    if "rate" not in cell:
        return f"{cell['mean']:.1f} of {cell['most']}"
    return f"{100 * cell['rate']:.1f} % ({100 * cell['low']:.1f} to {100 * cell['high']:.1f})"


def main() -> None:
    """Run all of it and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=200, help="simulated sweeps of each kind")
    parser.add_argument("--repeats", type=int, default=2000, help="simulated confirmations for the coverage")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    asked = parser.parse_args()
    console = Console(width=170)
    started = time.perf_counter()
    tables = {
        "No configuration differs from the default": noise_table(asked.sweeps),
        "One configuration is two deviations better": effect_table(asked.sweeps),
        "Half of the configurations are two deviations better": half_table(asked.sweeps),
        "Coverage of the 95 % intervals": coverage_table(asked.repeats),
    }
    for title, rows in tables.items():
        show(console, title, rows)
    console.print(f"{time.perf_counter() - started:.0f} s, {asked.sweeps} sweeps of each kind, {asked.repeats} repeats")
    if asked.json:
        asked.json.write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()
