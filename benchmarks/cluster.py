"""Large and many sweeps of sleeping trials on one Ray cluster of 16 logical CPUs, whatever the machine has.

`make many-trials`: 10,000 trials of one second; ideal is 10,000 / 16 = 625 s. `make many-sweeps`: 20 sweeps of 50
trials begun at once, each with its own driver, all in one ledger and one MLflow store; `orch verify` looks at each at
the end. Prints one JSON document.
"""

import argparse
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.ray_scripts import QUIET

ROOT = Path(__file__).resolve().parent.parent
SPEC = "benchmarks/sleeping.yaml"
CPUS = 16
START_S = 120


@contextmanager
def cluster(folder: Path) -> Iterator[Mapping[str, str]]:
    """A head with `CPUS` logical CPUs; gives the environment in which `orch` finds it, with its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        **QUIET,
        "ADDRESS": f"127.0.0.1:{port}",
    }
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
    command += [f"--num-cpus={CPUS}", "--include-dashboard=false", "--disable-usage-stats"]
    with (folder / "ray.log").open("w") as log:
        head = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
        try:
            _await(port)
            yield environment
        finally:
            head.terminate()
            head.wait(60)


def _await(port: int) -> None:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"the head did not start within {START_S} s")


def start_orch(environment: Mapping[str, str], *arguments: str, output: Path) -> subprocess.Popen:
    """Start `orch`; its standard output goes to a file."""
    command = [sys.executable, "-m", "orchestrator", *arguments]
    with output.open("w") as file:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file)


def begin_sweep(
    environment: Mapping[str, str], home: Path, name: str, *, trials: int, workers: int, output: Path
) -> subprocess.Popen:
    """Start a sweep of sleeping trials on the cluster."""
    sets = [f"budget.trials={trials}", f"resources.max_concurrent={workers}"]
    options = [part for value in sets for part in ("--set", value)]
    options += ["--address", environment["ADDRESS"], "--home", str(home), "--name", name, "--json", "--quiet"]
    return start_orch(environment, "sweep", SPEC, *options, output=output)


def is_sound(environment: Mapping[str, str], home: Path, name: str) -> bool:
    """Whether `orch verify` finds nothing."""
    output = home / f"{name}.verify"
    return start_orch(environment, "verify", name, "--home", str(home), output=output).wait() == 0


def many_trials(environment: Mapping[str, str], home: Path, *, trials: int) -> dict[str, object]:
    """One sweep; the driver's processor seconds and its largest memory beside the wall time."""
    output = home / "sweep.json"
    driver = begin_sweep(environment, home, "large", trials=trials, workers=CPUS, output=output)
    process, peak, cpu_s = psutil.Process(driver.pid), 0, 0.0
    while driver.poll() is None:
        with process.oneshot():
            try:
                peak = max(peak, process.memory_info().rss)
                cpu_s = process.cpu_times().user + process.cpu_times().system
            except psutil.Error:
                break
        time.sleep(1)
    assert driver.wait() == 0, output.read_text()
    summary = json.loads(output.read_text())
    return {
        "trials": trials,
        "search_s": summary["wall_s"],
        "elapsed_s": summary["elapsed_s"],
        "ideal_s": trials / CPUS,
        "driver_cpu_s": round(cpu_s, 1),
        "driver_peak_mb": round(peak / 2**20),
        "counts": summary["counts"],
        "sound": is_sound(environment, home, "large"),
    }


def many_sweeps(environment: Mapping[str, str], home: Path, *, sweeps: int, trials: int) -> dict[str, object]:
    """Sweeps begun at once, each with as many workers as it can get."""
    began_s = time.perf_counter()
    names = [f"sweep-{n:02d}" for n in range(sweeps)]
    outputs = {name: home / f"{name}.json" for name in names}
    drivers = {
        name: begin_sweep(environment, home, name, trials=trials, workers=CPUS, output=outputs[name]) for name in names
    }
    codes = {name: driver.wait() for name, driver in drivers.items()}
    elapsed_s = time.perf_counter() - began_s
    walls = [json.loads(outputs[name].read_text())["wall_s"] for name in names if codes[name] == 0]
    return {
        "sweeps": sweeps,
        "trials": trials,
        "elapsed_s": round(elapsed_s, 1),
        "ideal_s": sweeps * trials / CPUS,
        "wall_s": {"shortest": min(walls), "median": statistics.median(walls), "longest": max(walls)},
        "failed": [name for name, code in codes.items() if code],
        "unsound": [name for name in names if not is_sound(environment, home, name)],
    }


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=["many-trials", "many-sweeps"])
    parser.add_argument("--trials", type=int, help="of a sweep; default: 10,000, or 50 with many sweeps")
    parser.add_argument("--sweeps", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orch-cluster-") as folder, cluster(Path(folder)) as environment:
        home = Path(folder) / "home"
        home.mkdir()
        if options.scenario == "many-trials":
            figures = many_trials(environment, home, trials=options.trials or 10_000)
        else:
            figures = many_sweeps(environment, home, sweeps=options.sweeps, trials=options.trials or 50)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
