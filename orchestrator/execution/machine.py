"""What this machine has, CPUs, GPUs and memory, what of it this process has held, and what it may take."""

import os
import resource
import sys
from pathlib import Path

import torch

_STATUS = Path("/proc/self/status")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

CONTEXT_BYTES = 512 * 2**20
"""What a process takes of a GPU besides its tensors, for CUDA's context and kernels; torch does not count it."""


def num_cpus() -> int:
    """CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def num_gpus() -> int:
    """CUDA devices."""
    return torch.cuda.device_count()


def load_per_cpu() -> float:
    """Processes that wanted a CPU in the last minute, for each CPU."""
    return os.getloadavg()[0] / num_cpus()


def memory_bytes() -> int:
    """Memory that all processes here may use: the machine's, or less inside a container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.is_file() else ""
    return min(total, int(limit)) if limit.isdigit() else total


def gpu_memory_bytes() -> int:
    """Memory of the smallest GPU; 0 without one."""
    return min((torch.cuda.get_device_properties(index).total_memory for index in range(num_gpus())), default=0)


def peak_host_bytes() -> int:
    """The most memory that this process has held, libraries included."""
    if _STATUS.is_file():
        # `ru_maxrss` of a child process begins with what its parent held.
        lines = (line.split() for line in _STATUS.read_text().splitlines())
        return next((int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:"), 0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


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
