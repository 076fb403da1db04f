"""The whole chain on this machine, with one interruption: check, sweep, Ctrl-C, resume, ledger, MLflow, checkpoint.

Prints a pass/fail table and ends with 1 if anything failed. Uses half a GPU a trial where there is a GPU.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = "benchmarks/local_smoke.yaml"
TRIALS = 4
LIMIT_S = 120


class Chain:
    """One home folder and the sweep in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.overrides = ["--set", "resources.gpu=0.5"] if _has_gpu() else []

    def check_file(self) -> str:
        """The file is valid."""
        return self._orch("validate", FILE, *self.overrides).stdout.strip()

    def interrupt(self) -> str:
        """Ctrl-C after the first trained epoch pauses the sweep."""
        command = self._command("sweep", FILE, "--name", "smoke", "--epochs", "--home", str(self.home), *self.overrides)
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(), text=True, stderr=subprocess.PIPE)
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if " epoch 1 " in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        code = process.wait(timeout=LIMIT_S)
        assert code == 130, f"exit code {code}, expected 130:\n{''.join(seen)}{rest}"
        assert "orch resume smoke" in rest, f"no resume command in:\n{rest}"
        state = json.loads(self._orch("show", "smoke", "--json", "--home", str(self.home)).stdout)
        assert state["state"] == "PAUSED", state["state"]
        return f"exit 130, {state['counts']['paused']} trials paused"

    def resume(self) -> str:
        """Resuming ends with exactly the trials that were asked for."""
        done = self._orch("resume", "smoke", "--json", "--quiet", "--home", str(self.home))
        self.summary = json.loads(done.stdout)
        assert self.summary["state"] == "COMPLETE", self.summary["state"]
        states = [trial["state"] for trial in self.summary["trials"]]
        assert states == ["COMPLETE"] * TRIALS, states
        attempts = sum(trial["attempt"] for trial in self.summary["trials"])
        return f"{TRIALS} trials complete in {attempts} attempts, {self.summary['train_s']:.1f} s training"

    def learned(self) -> str:
        """The best trial beats its own untrained model."""
        number = self.summary["best"]["number"]
        trial = json.loads(self._orch("show", "smoke", str(number), "--json", "--home", str(self.home)).stdout)
        curve = [m["metrics"]["val/recall_at_1"] for m in trial["measurements"]]
        assert max(curve[1:]) > curve[0], curve
        steps = [m["step"] for m in trial["measurements"]]
        assert steps == list(range(len(steps))), steps
        return f"val/recall_at_1 {curve[0]:.3f} untrained, {max(curve):.3f} best"

    def mlflow_runs(self) -> str:
        """MLflow has one run per trial under one parent, all ended."""
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=self.summary["tracking_uri"])
        parent = client.get_run(self.summary["parent_run_id"])
        query = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
        children = client.search_runs([parent.info.experiment_id], query)
        assert len(children) == TRIALS, f"{len(children)} child runs"
        assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
        assert {run.info.run_id for run in children} == {trial["run_id"] for trial in self.summary["trials"]}
        points = sum(len(client.get_metric_history(run.info.run_id, "val/recall_at_1")) for run in children)
        assert points == sum(trial["epochs"] + 1 for trial in self.summary["trials"]), f"{points} points"
        artifacts = {item.path for item in client.list_artifacts(parent.info.run_id)}
        assert {"report", "best_checkpoint", "sweep.yaml"} <= artifacts, artifacts
        return f"1 parent, {len(children)} children, {points} points, {', '.join(sorted(artifacts))}"

    def checkpoint(self) -> str:
        """The best checkpoint is sound."""
        from trainables.checkpoint import read_checkpoint

        best = json.loads(self._orch("best", "smoke", "--json", "--home", str(self.home)).stdout)
        folder = Path(best["checkpoints"]["best"])
        state = read_checkpoint(folder)
        return f"{len(state)} entries in {folder.name}"

    def _orch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self._command(*arguments), cwd=ROOT, env=_environment(), text=True, capture_output=True, timeout=LIMIT_S
        )
        assert done.returncode == 0, f"orch {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}"
        return done

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "orchestrator", *arguments]


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _environment() -> dict[str, str]:
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {key: value for key, value in os.environ.items() if not key.startswith("ORCH_")} | quiet


def main() -> None:
    """Run the steps in order; after the first failure the others are skipped."""
    started_s = time.monotonic()
    failed = False
    with tempfile.TemporaryDirectory(prefix="orch-smoke-") as folder:
        chain = Chain(Path(folder))
        steps: list[tuple[str, Callable[[], str]]] = [
            ("sweep file", chain.check_file),
            ("interrupt", chain.interrupt),
            ("resume", chain.resume),
            ("learning", chain.learned),
            ("MLflow", chain.mlflow_runs),
            ("checkpoint", chain.checkpoint),
        ]
        for name, step in steps:
            before_s = time.monotonic()
            try:
                verdict, text = ("skip", "") if failed else ("pass", step())
            except Exception as error:
                verdict, text = "FAIL", str(error)
                failed = True
            print(f"{verdict:<5} {name:<11} {time.monotonic() - before_s:6.1f} s  {text}", flush=True)
    total_s = time.monotonic() - started_s
    in_time = total_s <= LIMIT_S
    print(f"{'pass' if in_time else 'FAIL':<5} {'time':<11} {total_s:6.1f} s  at most {LIMIT_S} s")
    sys.exit(1 if failed or not in_time else 0)


if __name__ == "__main__":
    main()
