"""Reaching a Ray cluster: a local one by default, or a running one by address; and what fits on it."""

import logging
import math
import os
from dataclasses import dataclass
from typing import Any

import ray

from orchestrator.errors import InfrastructureError, UsageError
from orchestrator.execution.runner import Capacity
from orchestrator.spec.model import Resources

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_DEDUP_LOGS": "0",
}


@dataclass(frozen=True, slots=True)
class Need:
    """What one trial takes."""

    cpu: float
    gpu: float

    def times_on(self, node: dict[str, float]) -> int:
        """How many trials fit on a node at once."""
        by_cpu = math.floor(node.get("CPU", 0.0) / self.cpu + 1e-9)
        by_gpu = math.floor(node.get("GPU", 0.0) / self.gpu + 1e-9) if self.gpu else by_cpu
        return min(by_cpu, by_gpu)


def connect(address: str | None) -> str:
    """Start a local cluster, or join the one at `address`; returns where, in words.

    Raises:
        InfrastructureError: the cluster does not answer.
    """
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    options |= {"address": address} if address else {"address": "local", "include_dashboard": False}
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, OSError, ValueError, TimeoutError) as error:
        where = f"the Ray cluster at {address}" if address else "a local Ray cluster"
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = "; is it running (ray status), and is the address right?" if address else ""
        raise InfrastructureError(f"cannot reach {where}: {cause}{hint}") from error
    return f"Ray at {address}" if address else "a local Ray cluster"


def capacity(resources: Resources, where: str) -> Capacity:
    """How many trials fit on the cluster that this process is connected to.

    Raises:
        UsageError: not one trial fits on any node.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = sum(node.get("GPU", 0.0) for node in nodes)
    gpu = (1.0 if gpus else 0.0) if resources.gpu == "auto" else resources.gpu
    need = Need(resources.cpu, gpu)
    fit = sum(need.times_on(node) for node in nodes)
    if fit == 0:
        largest = ", ".join(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes)
        message = f"resources: a trial needs {need.cpu:g} CPU and {need.gpu:g} GPU on one node; {where} has {largest}"
        raise UsageError(f"{message}; lower resources.cpu or resources.gpu, or join a larger cluster with --address")
    concurrent = min(fit, resources.max_concurrent or fit)
    cpus = sum(node.get("CPU", 0.0) for node in nodes)
    return Capacity(where, cpus=cpus, gpus=gpus, max_concurrent=concurrent, gpu=gpu)
