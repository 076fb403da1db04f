"""Reaching a Ray cluster: a local one by default, or a running one by address; and what fits on it.

Whoever reaches a cluster's ports runs code on it: a local one listens on loopback alone, and both ask for a token.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants
from ray._private.state import state as global_state
from ray._raylet import Config  # type: ignore[attr-defined]
from ray.core.generated.gcs_pb2 import JobTableData
from ray.exceptions import GetTimeoutError, RayError
from ray.job_config import JobConfig
from ray.tune.execution.class_cache import ENV_VARS_TO_PROPAGATE

from orchestrator.errors import InfrastructureError
from orchestrator.execution.assignment import Assignment
from orchestrator.execution.environment import is_allowed
from orchestrator.execution.mishaps import describe
from orchestrator.execution.packing import PROBE_S, Probed
from orchestrator.execution.ray_actor import run_probe
from orchestrator.execution.runner import Capacity, does_not_fit, needed
from orchestrator.execution.sharing import Sharers
from orchestrator.spec.model import Resources

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_DEDUP_LOGS": "0",
}


AUTH_MODE = "RAY_AUTH_MODE"
TOKEN = "RAY_AUTH_TOKEN"
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
_TOKEN_HELP = (
    "set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's token; RAY_AUTH_MODE=disabled is for one that has none"
)

_RESOURCES = "orch.resources"
"""Under this name the job of a sweep's driver says what its trials ask for."""

KNOCK_TIMEOUT_S = 5.0
LOOK_S = 5.0
MAX_MISSED = 3
START_S = 60.0
"""How long a probe may wait for a GPU and for its worker."""


def connect(address: str | None, resources: Resources) -> str:
    """Start a local cluster, or join the one at `address`; returns where, in words.

    `resources` is what a trial of the sweep asks for, which other sweeps on the cluster can see.

    Raises:
        InfrastructureError: the cluster does not answer.
    """
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    # Tune would send the driver's AWS keys to every worker, and Ray would write them into its log.
    ENV_VARS_TO_PROPAGATE.intersection_update([name for name in ENV_VARS_TO_PROPAGATE if is_allowed(name)])
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address:
        metadata = {_RESOURCES: resources.model_dump_json()}
        options |= {"address": address, "job_config": JobConfig(metadata=metadata)}
        _bring_token(address)
    else:
        _stay_on_this_machine()
        # Prestarted workers would be in the way: they are not ready in time for the first actors, which then start in
        # processes of their own while all of them import at once (docs/decisions/0004).
        settings = {"prestart_worker_first_driver": False}
        options |= {"address": "local", "include_dashboard": False, "_system_config": settings}
    try:
        if address:
            _knock(address)
        ray.init(**options)
    # Ray raises a plain Exception where a local cluster does not start in time.
    except Exception as error:
        where = f"the Ray cluster at {address}" if address else "a local Ray cluster"
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = f"; is it running (ray status), and are address and token right? {_TOKEN_HELP}" if address else ""
        raise InfrastructureError(f"cannot reach {where}: {cause}{hint}") from error
    return f"Ray at {address}" if address else "a local Ray cluster"


def _stay_on_this_machine() -> None:
    """Every port on loopback, and a token of this process's own, which is in no file."""
    _ask_for_tokens()
    os.environ.setdefault(TOKEN, secrets.token_hex(32))
    # The one switch that puts all of Ray's ports on loopback; in the environment for its processes.
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False


def _ask_for_tokens() -> None:
    os.environ[AUTH_MODE] = "token"
    Config.initialize("")  # Ray has read its environment when it was imported


def _bring_token(address: str) -> None:
    """The person's own token; without one Ray would make one up, which no cluster knows.

    Raises:
        InfrastructureError: there is none.
    """
    if AUTH_MODE not in os.environ:
        _ask_for_tokens()
    if os.environ[AUTH_MODE] == "token" and not (
        os.environ.get(TOKEN) or os.environ.get(TOKEN_PATH) or has_token_file()
    ):
        raise InfrastructureError(
            f"the Ray cluster at {address} asks for a token, and there is none here: {_TOKEN_HELP}"
        )


def has_token_file() -> bool:
    """Whether `ray get-auth-token --generate` has been here."""
    return (Path.home() / ".ray" / "auth_token").is_file()


class Lookout:
    """Looks from a thread whether a cluster's head is there. Ray itself says nothing for a minute and ends the process.

    Attributes:
        is_gone: whether nothing has listened at its address for several looks in a row.
    """

    def __init__(self, address: str, *, leave: Callable[[], object]) -> None:
        """Begin; `address` is the host:port of the cluster's control store.

        `leave` is called when the main thread has not closed this soon after: it then waits inside of Ray.
        """
        self._address = address
        self._leave = leave
        self._done = threading.Event()
        self.is_gone = False
        self._thread = threading.Thread(target=self._look, name="orch-lookout", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        missed = 0
        while not self._done.wait(LOOK_S):
            try:
                _knock(self._address)
                missed = 0
            except OSError:
                missed += 1
                self.is_gone = missed >= MAX_MISSED
            if missed >= 2 * MAX_MISSED:
                self._leave()


def head_address() -> str:
    """Where the control store of the cluster listens that this process is connected to."""
    return str(ray.get_runtime_context().gcs_address)


def _knock(address: str) -> None:
    """Raise OSError unless something listens at host:port; Ray itself would try for a minute and more."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_TIMEOUT_S):
            pass


def sharers() -> Sharers | None:
    """The sweeps whose drivers live on the cluster that this process has joined; None where that cannot be told."""
    try:
        table = global_state._connect_and_get_accessor().get_job_table(
            skip_submission_job_info_field=True, skip_is_running_tasks_field=True
        )
        jobs = [JobTableData.FromString(job) for job in table]
        resources = {
            job.job_id.hex(): Resources.model_validate_json(job.config.metadata[_RESOURCES])
            for job in jobs
            if not job.is_dead and _RESOURCES in job.config.metadata
        }
        nodes = _nodes()
    # A head that is away, or a driver of another version: then all stays as it is.
    except (RayError, RuntimeError, ValueError):
        return None
    return Sharers(mine=ray.get_runtime_context().get_job_id(), resources=resources, nodes=nodes)


def _nodes() -> tuple[Mapping[str, float], ...]:
    """What each node that is alive has, such as its `CPU` and `GPU`."""
    return tuple(node["Resources"] for node in ray.nodes() if node["Alive"])


def probe(assignment: Assignment, *, cpu: float) -> Probed:
    """Train a little in a worker that has a whole GPU and ends afterwards; not for longer than it may wait for one."""
    task = ray.remote(num_cpus=cpu, num_gpus=1, max_calls=1, max_retries=0)(run_probe)
    found = task.remote(assignment)
    try:
        probed: Probed = ray.get(found, timeout=PROBE_S + START_S)
    except GetTimeoutError:
        ray.cancel(found, force=True)
        return Probed(failure="no worker with a free GPU came in time")
    except RayError as error:
        return Probed(failure=describe(error)[1])
    return probed


def capacity(resources: Resources, where: str) -> Capacity:
    """How many trials fit on the cluster that this process is connected to.

    Raises:
        UsageError: not one trial fits on any node.
    """
    nodes = _nodes()
    gpus = sum(node.get("GPU", 0.0) for node in nodes)
    need = needed(resources, gpus=gpus)
    fit = sum(need.times_on(node) for node in nodes)
    if fit == 0:
        found = ", ".join(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes)
        raise does_not_fit(need, where, found)
    concurrent = min(fit, resources.max_concurrent or fit)
    cpus = sum(node.get("CPU", 0.0) for node in nodes)
    return Capacity(where, cpus=cpus, gpus=gpus, max_concurrent=concurrent, gpu=need.gpu, fit=fit)
