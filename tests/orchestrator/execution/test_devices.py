"""What a process may take: memory of a GPU, its context included, and CPU threads. Torch's CUDA is a fake."""

from types import SimpleNamespace

import pytest
import torch

from orchestrator.execution.devices import gpu_busy_fraction, limit_gpu_memory, limit_threads
from orchestrator.execution.machine import CONTEXT_BYTES


@pytest.fixture
def limits(monkeypatch):
    """The limits that torch was given for a GPU of sixteen contexts."""
    given = []
    gpu = SimpleNamespace(total_memory=16 * CONTEXT_BYTES)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: gpu)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda fraction, device: given.append((fraction, device))
    )
    return given


@pytest.mark.parametrize(("fraction", "limit"), [(1.0, 1.0), (0.5, 0.5 - 1 / 16), (0.1, 0.05)])
def test_the_limit_leaves_room_for_the_context(limits, fraction, limit):
    limit_gpu_memory(fraction)
    assert limits == [(limit, 0)]


def test_without_a_gpu_there_is_nothing_to_limit_and_nothing_busy():
    limit_gpu_memory(0.5)
    assert gpu_busy_fraction() is None


def test_a_gpu_is_as_busy_as_nvml_says(monkeypatch):
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 35)
    assert gpu_busy_fraction() == 0.35


@pytest.mark.parametrize(("asked", "threads"), [(None, 3), ("2", 2), ("8", 3), ("0", 3), ("2,1", 3)])
def test_omp_num_threads_can_lower_the_threads(monkeypatch, asked, threads):
    given = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    limit_threads(3)
    assert given == [threads]
