"""What a machine has, and what a process has held of it."""

from orchestrator.execution.machine import load_per_cpu, memory_bytes, num_cpus, peak_host_bytes


def test_this_machine_has_a_cpu_and_memory_and_this_process_some_of_it():
    assert num_cpus() >= 1
    assert load_per_cpu() >= 0
    assert 2**20 < peak_host_bytes() < memory_bytes()
