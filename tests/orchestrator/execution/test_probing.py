"""A short training on a whole GPU, which is a fake."""

import time

from orchestrator.execution import probing
from orchestrator.execution.packing import Probed, first_assignment, trials_on_a_gpu
from tests.conftest import ROOT
from tests.support.specs import modes, toy_spec

GIB = 2**30


def probed(monkeypatch, tmp_path, *, probe_s=20.0, **sections):
    """What a probe of the toy finds on a GPU of which it takes a tenth."""
    monkeypatch.setattr(probing, "PROBE_S", probe_s)
    monkeypatch.setattr(probing, "LOOK_S", 0.005)
    monkeypatch.setattr(probing, "scrub", lambda named: None)
    monkeypatch.setattr(probing, "peak_gpu_bytes", lambda: GIB)
    monkeypatch.setattr(probing, "gpu_memory_bytes", lambda: 10 * GIB)
    monkeypatch.setattr(probing, "gpu_busy_fraction", lambda: 0.25)
    monkeypatch.chdir(tmp_path)
    spec = toy_spec(**sections)
    return probing.probe(first_assignment(spec, dict(spec.config), ROOT))


def test_a_probe_trains_two_epochs_and_leaves_nothing(monkeypatch, tmp_path):
    diary = tmp_path / "diary"
    config = {"epochs": 50, "epoch_s": 0.05, "diary": str(diary)}
    assert probed(monkeypatch, tmp_path, config=config) == Probed(GIB, 10 * GIB, 0.25)
    assert [path.name for path in tmp_path.iterdir()] == ["diary"]


def test_a_probe_ends_in_the_middle_of_an_epoch(monkeypatch, tmp_path):
    began_s = time.monotonic()
    found = probed(monkeypatch, tmp_path, probe_s=0.5, config={"epoch_s": 3.0})
    assert time.monotonic() - began_s < 2.5
    assert (found.gpu_bytes, found.busy_fraction, found.failure) == (GIB, 0.25, "")


def test_a_probe_that_raises_says_so(monkeypatch, tmp_path):
    found = probed(monkeypatch, tmp_path, **modes("raise"))
    assert found.failure
    assert trials_on_a_gpu(found, most=8) == 1
