"""The doctor: checks that read what a trial measured and say what is ill, by which numbers, and what would cure it.

Standard library only: the driver runs them live, and `orch diagnose` without importing torch.
"""

from trainables.health.check import Check
from trainables.health.diagnosis import CHECKS, diagnose, explain
from trainables.health.finding import Finding, History, Severity

__all__ = ["CHECKS", "Check", "Finding", "History", "Severity", "diagnose", "explain"]
