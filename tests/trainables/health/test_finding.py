"""Findings are plain data that the driver can read without anything heavy."""

import subprocess
import sys

from trainables.contract import Measurement
from trainables.health import Finding, History, Severity


def test_health_loads_neither_torch_nor_numpy():
    code = "import sys, trainables.health; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


def test_equal_histories_are_equal_and_findings_say_how_much_they_matter():
    measurements = (Measurement(0, {"val/recall_at_1": 0.1}),)
    assert History(measurements) == History(measurements)
    finding = Finding("point_collapse", Severity.ILL, 3, {"val/resultant_length": 0.99}, "meaning", "cure")
    assert finding.severity == "ill"
