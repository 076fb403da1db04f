"""What this machine has of CPUs and memory, and what of it this process has held. What torch sees is in `devices`."""

import os
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

CONTEXT_BYTES = 512 * 2**20
"""What a process takes of a GPU besides its tensors, for CUDA's context and kernels; torch does not count it."""


def num_cpus() -> int:
    """CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def num_gpus() -> int:
    """CUDA devices."""
    import torch  # takes seconds, which few callers need

    return torch.cuda.device_count()


def load_per_cpu() -> float:
    """Processes that wanted a CPU in the last minute, for each CPU."""
    return os.getloadavg()[0] / num_cpus()


def memory_bytes() -> int:
    """Memory that all processes here may use: the machine's, or less inside a container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.is_file() else ""
    return min(total, int(limit)) if limit.isdigit() else total


def peak_host_bytes() -> int:
    """The most memory that this process has held, libraries included."""
    if _STATUS.is_file():
        # `ru_maxrss` of a child process begins with what its parent held.
        lines = (line.split() for line in _STATUS.read_text().splitlines())
        return next((int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:"), 0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
