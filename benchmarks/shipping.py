"""What MLflow costs the driver: processor seconds of its process at 100 measurements a second.

`python -m benchmarks.shipping`. 16 open trials report nine metrics a measurement into the outbox, as a sweep's driver
does; a SQLite store. The first seconds, in which MLflow is imported and runs are created, are left out.
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.workload import Config, metrics_at
from orchestrator.spec import SweepSpec
from orchestrator.spec.loading import load
from orchestrator.tracking import Identity, Shipper, Tracker
from orchestrator.trial import Measurement, Suggestion

ROOT = Path(__file__).resolve().parent.parent
TRIALS = 16
WARM_UP_S = 15


def _now_ms() -> int:
    return int(time.time() * 1000)


def feed(tracker: Tracker, *, rate: float, seconds: float, first_step: int) -> int:
    """Report at a steady rate; returns the next step."""
    began_s, step = time.perf_counter(), first_step
    for n in range(int(rate * seconds)):
        number = n % TRIALS
        step += number == 0
        metrics = metrics_at(Config(), step)
        tracker.measure(number, Measurement(step, metrics, train_s=0.01, at_ms=_now_ms()))
        time.sleep(max(0.0, began_s + (n + 1) / rate - time.perf_counter()))
    return step


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Measure and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=100.0, help="measurements a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    spec: SweepSpec = load(ROOT / "benchmarks" / "overhead.yaml").spec
    with tempfile.TemporaryDirectory(prefix="orch-shipping-") as folder:
        identity = Identity(sweep="shipping-1", sweep_id="shipping", experiment="orch", artifacts=Path(folder))
        uri = f"sqlite:///{folder}/mlflow.db"
        shipper = Shipper(uri, now_ms=_now_ms)
        tracker = Tracker(Path(folder) / "outbox.db", identity=identity, shipper=shipper, now_ms=_now_ms)
        tracker.start_sweep(spec, yaml="", tags={})
        for number in range(TRIALS):
            tracker.start_trial(Suggestion(number, {"lr": 0.001}), {"lr": 0.001})
        step = feed(tracker, rate=options.rate, seconds=WARM_UP_S, first_step=0)
        (process,) = psutil.Process().children()
        before, own_s, began_s, shipped = _cpu_s(process), time.thread_time(), time.perf_counter(), tracker.num_shipped
        feed(tracker, rate=options.rate, seconds=options.seconds, first_step=step)
        wall_s, cpu_s, own_s = time.perf_counter() - began_s, _cpu_s(process) - before, time.thread_time() - own_s
        print(
            f"{options.rate:g} measurements a second: {cpu_s / wall_s:.1%} of a core in the shipping process, "
            f"{own_s / wall_s:.1%} in the driver; {tracker.num_shipped - shipped} operations arrived, "
            f"{tracker.lag.num_pending} pending"
        )
        tracker.close()


if __name__ == "__main__":
    main()
