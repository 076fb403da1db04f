"""What is found in a sweep's folders."""

from orchestrator.sweeps.paths import SweepPaths
from orchestrator.sweeps.verifying.disk import look_at_disk
from orchestrator.trial import TrialRecord, TrialState
from trainables.checkpoint import write_checkpoint


def test_checkpoints_damage_and_what_is_left_over(tmp_path):
    paths = SweepPaths(tmp_path, tmp_path)
    trial = paths.checkpoints / "trial-0003"
    write_checkpoint(trial / "step-000001", {"epoch": 1})
    write_checkpoint(trial / "step-000002", {"epoch": 2})
    (trial / "step-000002" / "manifest.json").unlink()
    (trial / ".step-000004.123.new").mkdir()
    paths.tune.mkdir()

    disk = look_at_disk(paths, [TrialRecord(3, TrialState.COMPLETE, {}), TrialRecord(4, TrialState.COMPLETE, {})])

    assert disk.steps == {3: [1, 2], 4: []}
    assert [(damage.trial, damage.step) for damage in disk.damaged] == [(3, 2)]
    assert (disk.is_sound(3, 1), disk.is_sound(3, 2), disk.is_sound(4, 1)) == (True, False, False)
    assert [path.name for path in disk.leftovers] == [".step-000004.123.new", "tune"]
