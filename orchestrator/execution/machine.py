"""What this machine has: CPUs that this process may use, and GPUs."""

import os

import torch


def num_cpus() -> int:
    """CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def num_gpus() -> int:
    """CUDA devices."""
    return torch.cuda.device_count()
