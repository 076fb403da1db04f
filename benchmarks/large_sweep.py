"""What reading a large sweep costs: resuming it, and the commands of `orch` that should be felt as instant.

Writes a ledger of complete trials (10,000 of 20 epochs with 20 metrics by default) with one trial of the budget left,
then takes up the sweep as a resumed driver does as far as its first hand-out, and calls the commands, each in a process
of its own. Prints seconds of wall and CPU and the most memory that each held.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from optuna.trial import TrialState, create_trial

from benchmarks.driver import NOWHERE, NUM_METRICS, spec_of
from orchestrator.execution.clock import Clock
from orchestrator.execution.control import ControlSettings, SweepControl
from orchestrator.execution.doctor import findings_of, severities
from orchestrator.execution.machine import peak_host_bytes
from orchestrator.study import Storage, SweepRecord, SweepState
from orchestrator.study.matched_epochs import importance, note_importance
from orchestrator.study.models import distribution
from orchestrator.study.records import ATTEMPT, ENDING, PROPOSED, STEP, read_trial, write_ending, write_measurement
from orchestrator.tracking import Identity, Shipper, Tracker
from orchestrator.trial import Cause, Ending, JsonValue, Measurement

NAME = "driver-1"
NUM_CALLS = 5
THIS = (sys.executable, "-m", "benchmarks.large_sweep")
FILE = "search_spaces/multitask.yaml"
COMMANDS = {
    "--help": ("--help",),
    "validate": ("validate", FILE),
    "lint": ("lint", FILE),
    "ls": ("ls",),
    "status": ("status", NAME),
    "show": ("show", NAME),
    "show --json": ("show", NAME, "--json"),
    "show, one trial": ("show", NAME, "7"),
    "best": ("best", NAME),
    "compare": ("compare", NAME, NAME),
}


def write_sweep(home: Path, *, trials: int, epochs: int) -> None:
    """A ledger as a sweep leaves it that was paused before its last trial."""
    spec, rng = spec_of("random", trials=trials + 1, epochs=epochs), random.Random(0)
    storage = Storage(f"sqlite:///{home}/ledger.db")
    record = SweepRecord(NAME, "id-1", spec, created_ms=0, fixed=dict(spec.config), state=SweepState.RUNNING)
    ledger = storage.create(record)
    made = ledger.study._storage
    engine = made._backend.engine
    with engine.begin() as connection:
        for _ in range(trials):
            made._rows.add(connection, _trial(record, ledger.space, rng, epochs))
    storage.close()
    with closing(Storage(f"sqlite:///{home}/ledger.db")) as storage:
        ledger = storage.open(NAME)
        ledger.update_sweep(replace(record, state=SweepState.PAUSED))
        note_importance(ledger, importance(ledger))


def _trial(sweep: SweepRecord, space, rng: random.Random, epochs: int):
    params = space.sample(lambda _, parameter: _draw(parameter, rng))
    score = rng.random()
    steps = {}
    for step in range(epochs + 1):
        value = score * (step + 1) / (epochs + 1)
        metrics = {"score": value} | {f"metric/{n:02d}": value / (n + 1) for n in range(1, NUM_METRICS)}
        steps[f"{STEP}{step}"] = write_measurement(Measurement(step, metrics, 0.05, 1_700_000_000_000 + step), None)
    made = create_trial(
        state=TrialState.COMPLETE,
        value=score,
        params=params,
        distributions={name: distribution(space.parameters[name]) for name in params},
        user_attrs={PROPOSED: {"seeds": [0]}, ATTEMPT: 1, **steps},
        intermediate_values={step: score * (step + 1) / (epochs + 1) for step in range(epochs + 1)},
    )
    ending = Ending(Cause.FINISHED, "finished", {"epochs": epochs})
    known = replace(read_trial(made, sweep.spec), ending=ending)
    outline = replace(known.outlined, findings=severities(findings_of(sweep, known)))
    made.set_user_attr(ENDING, write_ending(ending, outline))
    return made


def _draw(parameter, rng: random.Random):
    if parameter.type == "categorical":
        return rng.choice(parameter.choices)
    drawn = rng.uniform(parameter.low, parameter.high)
    return round(drawn) if parameter.type == "int" else drawn


def resume(home: Path) -> dict[str, JsonValue]:
    """What a driver does before its first hand-out; the first one here tells MLflow of everything."""
    started, cpu = time.perf_counter(), time.process_time()
    storage = Storage(f"sqlite:///{home}/ledger.db")
    ledger = storage.open(NAME)
    identity = Identity(sweep=NAME, sweep_id="id-1", experiment="orch", artifacts=home / "artifacts")
    shipper = Shipper(NOWHERE, now_ms=Clock().now_ms)
    tracker = Tracker(home / "outbox.db", identity=identity, shipper=shipper, now_ms=Clock().now_ms)
    settings = ControlSettings(home / "checkpoints", home / "stop")
    control = SweepControl(ledger, tracker, settings, clock=Clock())
    ready_s = time.perf_counter() - started
    assert control.next() is not None
    figures: dict[str, JsonValue] = {
        "ready_s": round(ready_s, 2),
        "first_hand_out_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "peak_mb": round(peak_host_bytes() / 2**20),
    }
    tracker.close()
    storage.close()
    return figures


def command(home: Path, *arguments: str) -> dict[str, JsonValue]:
    """One command of `orch`, five times after a first one: medians, and from where to where."""
    wall_s, cpu_s = [], []
    for _ in range(1 + NUM_CALLS):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            env={**os.environ, "ORCH_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall_s.append(time.perf_counter() - started)
        cpu_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"rc": done.returncode, "wall_s": _spread(wall_s[1:]), "cpu_s": _spread(cpu_s[1:])}


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--home", type=Path, help="keep the ledger there; one that is there is read again")
    parser.add_argument("--resume", action="store_true", help="resume the sweep in --home, and nothing else")
    options = parser.parse_args()
    if options.resume:
        print(json.dumps(resume(options.home)))
        return
    with tempfile.TemporaryDirectory(prefix="orch-large-") as folder:
        home = options.home or Path(folder)
        if not (home / "ledger.db").exists():
            home.mkdir(parents=True, exist_ok=True)
            write_sweep(home, trials=options.trials, epochs=options.epochs)
        figures = {"ledger_mb": (home / "ledger.db").stat().st_size // 2**20}
        for name, arguments in COMMANDS.items():
            figures[name] = command(home, *arguments)
            print(name, figures[name], file=sys.stderr, flush=True)
        for name in ("resume, all to tell", "resume"):
            done = subprocess.run([*THIS, "--resume", "--home", str(home)], capture_output=True, text=True, check=True)
            figures[name] = json.loads(done.stdout)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
