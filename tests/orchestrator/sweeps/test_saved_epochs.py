"""A folder of saved epochs: measured, judged, and refused with file and row."""

import numpy as np
import pytest

from orchestrator.errors import UsageError
from orchestrator.sweeps import saved_epochs
from orchestrator.sweeps.saved_epochs import diagnose_folder


def save(folder, epoch, *, pull=0.0, num=48):
    """Eight classes of unit blobs that are pulled to one point."""
    rng = np.random.default_rng(0)
    labels = np.arange(num) % 8
    z = rng.normal(size=(8, 16))[labels] + 0.5 * rng.normal(size=(num, 16))
    z = (1 - pull) * z + pull * 20
    np.savez(folder / f"epoch_{epoch:03d}.npz", embeddings=z.astype(np.float32), labels=labels)


def test_a_run_that_collapses_is_told_from_one_that_does_not(tmp_path):
    sick, healthy = tmp_path / "sick", tmp_path / "healthy"
    for folder in (sick, healthy):
        folder.mkdir()
        for epoch in range(5):
            save(folder, epoch, pull=0.24 * epoch if folder == sick else 0.0)
    found = diagnose_folder(sick)
    courses = {course.metric: course for course in found.trends}

    assert "point_collapse" in [since.finding.check for since in found.findings]
    assert courses["val/rank_at_1"].references["chance"] == pytest.approx(5 / 47)
    assert courses["val/resultant_length"].verdict == "bad"
    assert set(courses) >= {"val/mean_average_precision", "val/davies_bouldin", "val/inter_distance", "val/auc"}
    assert found.num_epochs == 5
    assert diagnose_folder(healthy).findings == ()


def test_many_items_are_thinned_out_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_epochs, "MAX_ITEMS", 32)
    save(tmp_path, 0)
    found = diagnose_folder(tmp_path)

    assert found.notes == ["32 of 48 items were measured"]
    assert found.constants["val/gallery_size"] == 31


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no epochs; expected files such as epoch_003.npz"):
        diagnose_folder(tmp_path)
    (tmp_path / "step-000005").mkdir()
    with pytest.raises(UsageError, match="checkpoints: weights, no embeddings"):
        diagnose_folder(tmp_path)
    save(tmp_path, 0)
    (tmp_path / "epoch_001.npz").write_bytes(b"torn")
    with pytest.raises(UsageError, match=r"epoch_001.npz: cannot be read"):
        diagnose_folder(tmp_path)


def test_a_sample_in_which_nothing_can_be_found_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_epochs, "MAX_ITEMS", 1)
    save(tmp_path, 0)
    with pytest.raises(UsageError, match=r"epoch_000.npz: "):
        diagnose_folder(tmp_path)
