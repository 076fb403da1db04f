"""What a sweep must have when all is over: nothing lost, nothing twice, nothing stuck. Each fault is one line.

`Memory` remembers what was acknowledged before a fault; `faults_of` reads ledger and MLflow after the end.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import psutil

from orchestrator.study import Storage
from orchestrator.trial import TrialRecord, TrialState
from tests.support.commands import Orch

SCORE = "val/score"
SWEEP = "toy-1"
ORPHANS_LEAVE_S = 60.0
"""Ray's agents notice the death of their raylet by themselves; a driver's end need not wait for that."""

DELIVERY_S = 300.0
"""How long `orch sync` may take for what MLflow had not got at the end."""


@dataclass
class Memory:
    """What the ledger had acknowledged at any moment when somebody looked: it must be there for ever, unchanged."""

    values: dict[tuple[int, int], float] = field(default_factory=dict)
    params: dict[int, object] = field(default_factory=dict)

    def look(self, records: Sequence[TrialRecord]) -> None:
        """Remember the trials and measurements that are there."""
        self.params |= {r.number: r.params for r in records}
        self.values |= {(r.number, m.step): m.metrics[SCORE] for r in records for m in r.measurements}

    def missing(self, records: Sequence[TrialRecord]) -> Iterator[str]:
        """What was there and is not, or is another one."""
        now = Memory()
        now.look(records)
        for number, params in self.params.items():
            if now.params.get(number) != params:
                yield f"lost: the parameters of trial {number} were {params}"
        for (number, step), value in self.values.items():
            if now.values.get((number, step)) != value:
                yield f"lost: trial {number} had {value} at step {step}"


def has_begun(orch: Orch) -> bool:
    """Whether the sweep is in the ledger, so that it is resumed; a killed driver may not have come so far."""
    if not any(orch.home.glob("sweeps/*/lock")):  # before it a driver still makes the ledger's tables
        return False
    with closing(Storage(f"sqlite:///{orch.home / 'ledger.db'}")) as storage:
        return SWEEP in storage.names


def faults_of(orch: Orch, memory: Memory, *, trials: int, epochs: int, uri: str | None = None) -> list[str]:
    """Everything that is wrong with a sweep that has ended; `uri` is MLflow's, when it is not in the home."""
    records = orch.records()
    return [
        *memory.missing(records),
        *_in_ledger(records, trials=trials, epochs=epochs),
        *_in_mlflow(orch, records, uri),
        *_orphans(orch),
        *_verified(orch, uri),
    ]


def _in_ledger(records: Sequence[TrialRecord], *, trials: int, epochs: int) -> Iterator[str]:
    for number, count in Counter(r.number for r in records).items():
        if count > 1:
            yield f"doubled: trial {number} is in the ledger {count} times"
    for number in sorted(set(range(trials)) ^ {r.number for r in records}):
        yield f"{'lost' if number < trials else 'doubled'}: trial {number}, of {trials} that were asked for"
    for record in records:
        steps = [m.step for m in record.measurements]
        if not record.state.is_terminal:
            yield f"stuck: trial {record.number} is {record.state.value}"
        elif record.state is TrialState.FAILED:
            yield f"failed: trial {record.number}: {record.ending.reason if record.ending else 'no reason'}"
        elif steps != list(range(len(steps))):
            yield f"lost or doubled: trial {record.number} has steps {steps}"
        elif record.state is TrialState.COMPLETE and len(steps) != epochs + 1 and record.bucket != "stopped":
            yield f"lost: trial {record.number} is complete with {len(steps)} measurements of {epochs + 1}"


def _in_mlflow(orch: Orch, records: Sequence[TrialRecord], uri: str | None) -> Iterator[str]:
    synced = orch.run("sync", SWEEP, *where(uri), "--timeout", DELIVERY_S, timeout=2 * DELIVERY_S)
    if synced.code:
        yield f"lost: MLflow has not got everything: {synced.out} {synced.err}"
    runs = orch.runs(uri)
    counts = Counter(number for _, number, _ in runs)
    for number in [None, *(r.number for r in records)]:
        what = "the sweep" if number is None else f"trial {number}"
        if counts[number] != 1:
            yield f"{'doubled' if counts[number] else 'lost'}: {what} has {counts[number]} MLflow runs"
    for _, number, status in runs:
        if status == "RUNNING":
            yield f"stuck: the MLflow run of trial {number} is RUNNING"


def where(uri: str | None) -> tuple[str, ...]:
    """The option that says where MLflow is."""
    return ("--tracking-uri", uri) if uri else ()


def _orphans(orch: Orch) -> Iterator[str]:
    """Processes of this sweep that are there when its last driver has gone, by the home in their environment."""
    end = time.monotonic() + ORPHANS_LEAVE_S
    while (left := list(_processes(orch))) and time.monotonic() < end:
        time.sleep(0.5)
    yield from (f"stuck: process {pid} is still there: {name}" for pid, name in left)


def _processes(orch: Orch) -> Iterator[tuple[int, str]]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("ORCH_HOME") == str(orch.home):
                yield process.pid, " ".join(process.cmdline()[:3])
        except psutil.Error:
            continue


def _verified(orch: Orch, uri: str | None) -> Iterator[str]:
    """What `orch verify` says, where there is that command."""
    if orch.run("verify", "--help").code:
        return
    # A server answers for each metric of each run.
    done = orch.run("verify", SWEEP, *where(uri), timeout=900)
    if done.code:
        yield f"verify: exit {done.code}: {done.out}{done.err}"
