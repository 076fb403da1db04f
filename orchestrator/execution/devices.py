"""What torch sees of the GPUs, what this process has held of them, and what it may take of GPU and CPUs."""

import os

import torch

from orchestrator.execution.machine import CONTEXT_BYTES, num_gpus


def gpu_memory_bytes() -> int:
    """Memory of the smallest GPU; 0 without one."""
    return min((torch.cuda.get_device_properties(index).total_memory for index in range(num_gpus())), default=0)


def peak_gpu_bytes() -> int:
    """The most memory that tensors of this process have held on its GPU; 0 without one."""
    return torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0


def gpu_busy_fraction() -> float | None:
    """The share of the last moments in which this process's GPU computed; None where NVML is not there to tell."""
    try:
        return torch.cuda.utilization() / 100
    # Without the package, the library, the driver or the right each raises an error of its own.
    except Exception:
        return None


def limit_gpu_memory(fraction: float) -> None:
    """Let this process take so much of its GPU's memory, its context included; beyond that it is out of memory."""
    if not torch.cuda.is_available():
        return
    context = CONTEXT_BYTES / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(fraction if fraction >= 1 else max(fraction - context, fraction / 2), 0)


def limit_threads(most: int) -> None:
    """Let torch compute with so many CPU threads, or with fewer where `OMP_NUM_THREADS` says so."""
    # Ray sets it, where nobody has, to the CPUs of the worker.
    asked = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(min(most, int(asked)) if asked.isdigit() and int(asked) else most)
