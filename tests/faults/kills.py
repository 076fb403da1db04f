"""Random `kill -9` of real sweeps, resumed until they are done: `make kills`.

`python -m tests.faults.kills 30` kills 30 times. Three of four sweeps run in the driver itself, where the result must
be equal to that of the same sweep left alone; the others run on Ray, where the order of events is free and counts and
states must be right. Half of the kills come at a random time after the start, half shortly after a measurement.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from orchestrator.trial import TrialRecord
from tests.faults.accounts import SCORE, SWEEP, Memory, faults_of, has_begun
from tests.faults.long_page import fault_lines, write_section
from tests.support.commands import Orch, wait_for
from tests.support.specs import TWO_WORKERS

KILLS, PER_SWEEP = 200, 12
TRIALS, EPOCHS = 14, 6
RUNNERS = ("local", "ray", "local", "local")
START_S = {"local": 8.0, "ray": 20.0}
"""Kills at a random time after the start come within this many seconds: some before, some after the first epoch."""


@dataclass(frozen=True)
class Killed:
    """One sweep that was killed and resumed until it was done."""

    runner: str
    seed: int
    kills: int
    attempts: int
    states: Counter[str]
    faults: list[str]

    @property
    def line(self) -> str:
        """A row of the table."""
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"| {self.seed} | {self.runner} | {self.kills} | {self.attempts} | {states} | {len(self.faults)} |"


def kill_sweep(folder: Path, *, runner: str, seed: int, kills: int) -> Killed:
    """Run a sweep, kill its driver up to `kills` times, resume it to its end, and look for faults."""
    orch, rng, memory = Orch(folder), random.Random(seed), Memory()
    file = orch.file(**_sections(runner, seed))
    run = ("--runner", runner, "--quiet")
    try:
        process, done_kills = orch.start("sweep", file, *run), 0
        while done_kills < kills and _wait_for_a_moment(orch, process, rng, START_S[runner]):
            process.kill()
            orch.end(process)
            done_kills += 1
            begun = has_begun(orch)
            if begun:
                memory.look(orch.records())
            process = orch.start(*(("resume", SWEEP) if begun else ("sweep", file)), *run)
        done = orch.end(process, timeout=280)
        faults = [f"exit {done.code}: {done.err}"] if done.code else []
        faults += faults_of(orch, memory, trials=TRIALS, epochs=EPOCHS)
        records = orch.records()
        if runner == "local":
            faults += _differences(records, _left_alone(folder, file))
    finally:
        orch.close()
    attempts = sum(record.attempt for record in records)
    return Killed(runner, seed, done_kills, attempts, Counter(r.state.value for r in records), faults)


def _sections(runner: str, seed: int) -> dict[str, object]:
    return {
        "trials": TRIALS,
        "seed": seed,
        "config": {"epochs": EPOCHS, "epoch_s": 0.03 if runner == "local" else 0.2},
        "sampler": {"type": "tpe", "startup_trials": 4},
        "pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
        "stop": [{"type": "target", "value": 0.98}],
        **({"resources": TWO_WORKERS} if runner == "ray" else {}),
    }


def _wait_for_a_moment(orch: Orch, process: "Popen[str]", rng: random.Random, start_s: float) -> bool:
    """Wait until the next kill; False when the sweep has ended before."""
    if rng.random() < 0.5:
        before = _num_measured(orch)
        wait_for(lambda: process.poll() is not None or _num_measured(orch) > before, what="another measurement")
        time.sleep(rng.uniform(0.0, 0.4))
    else:
        time.sleep(rng.uniform(0.0, start_s))
    return process.poll() is None


def _num_measured(orch: Orch) -> int:
    return sum(len(record.measurements) for record in orch.records()) if has_begun(orch) else 0


def _left_alone(folder: Path, file: Path) -> list[TrialRecord]:
    """The same sweep without a kill."""
    (folder / "twin").mkdir()
    twin = Orch(folder / "twin")
    done = twin.run("sweep", file, "--runner", "local", "--quiet")
    assert done.code == 0, done.err
    return twin.records()


def _differences(records: list[TrialRecord], twin: list[TrialRecord]) -> list[str]:
    """What a kill must not change."""

    def outcome(record: TrialRecord) -> tuple[object, ...]:
        curve = [(m.step, m.metrics[SCORE], m.metrics["noise"]) for m in record.measurements]
        reason = record.ending and record.ending.reason
        return record.number, record.state, record.params, reason, record.decisions, curve

    return [
        f"different: trial {one.number} is {outcome(one)}, left alone {outcome(other)}"
        for one, other in zip(records, twin, strict=True)
        if outcome(one) != outcome(other)
    ]


def kill_sweeps(folder: Path, *, kills: int, say: Callable[[str], None]) -> list[Killed]:
    """Sweep after sweep, until so many kills have been done."""
    done: list[Killed] = []
    while (left := kills - sum(sweep.kills for sweep in done)) > 0:
        seed = len(done)
        (folder / str(seed)).mkdir()
        runner = RUNNERS[seed % len(RUNNERS)]
        done.append(kill_sweep(folder / str(seed), runner=runner, seed=seed, kills=min(left, PER_SWEEP)))
        say(f"{done[-1].line} {kills - left + done[-1].kills} of {kills}")
        for fault in done[-1].faults:
            say(f"  {fault}")
    return done


def page(sweeps: list[Killed], *, wall_s: float) -> str:
    """The result in Markdown."""
    num_kills, num_faults = sum(s.kills for s in sweeps), sum(len(s.faults) for s in sweeps)
    return "\n".join(
        [
            f"{num_kills} kills of {len(sweeps)} sweeps of {TRIALS} trials (tpe, asha, a target rule): "
            f"{num_faults} faults. {wall_s / 60:.0f} minutes.",
            "On the local runner a sweep is compared with the same one left alone: parameters, endings, decisions and",
            "each measured value are equal. On Ray counts and states are compared.",
            "",
            "| seed | runner | kills | attempts of all trials | trials | faults |",
            "|---|---|---|---|---|---|",
            *(sweep.line for sweep in sweeps),
            *fault_lines([fault for sweep in sweeps for fault in sweep.faults]),
        ]
    )


def main() -> None:
    """Kill, print, and write the page; ends with 1 when there are faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", nargs="?", type=int, default=KILLS)
    kills = parser.parse_args().kills
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orch-kills-") as folder:
        sweeps = kill_sweeps(Path(folder), kills=kills, say=lambda line: print(line, flush=True))
    text = page(sweeps, wall_s=time.monotonic() - begin)
    write_section("Random kills", text)
    print(text)
    raise SystemExit(any(sweep.faults for sweep in sweeps))


if __name__ == "__main__":
    main()
