"""Each module has a test file that mirrors it, or stands in the table below with the file that covers it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    str(path.relative_to(ROOT))
    for package in ("orchestrator", "trainables")
    for path in (ROOT / package).rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)
COVERED = {
    "orchestrator/tracking/orders.py": "tests/orchestrator/tracking/test_shipper.py",
    "trainables/loop/alone.py": "tests/trainables/loop/test_trial.py",
    "orchestrator/cli/confirmation.py": "tests/orchestrator/cli/test_cli_confirm.py",
    "orchestrator/cli/advice.py": "tests/orchestrator/cli/test_cli_lint.py",
    "orchestrator/execution/assignment.py": "tests/orchestrator/execution/test_attempt.py",
    "orchestrator/execution/checkpoint_names.py": "tests/orchestrator/execution/test_attempt.py",
    "orchestrator/execution/checkpoints.py": "tests/orchestrator/execution/test_attempt.py",
    "orchestrator/execution/clock.py": "tests/orchestrator/execution/test_control.py",
    "orchestrator/execution/cluster.py": "tests/integration/test_ray_cluster.py",
    "orchestrator/execution/local.py": "tests/orchestrator/execution/test_control.py",
    "orchestrator/execution/progress.py": "tests/orchestrator/cli/test_cli_watch.py",
    "orchestrator/execution/ray_actor.py": "tests/integration/test_ray_sweeps.py",
    "orchestrator/execution/ray_tune.py": "tests/integration/test_ray_sweeps.py",
    "orchestrator/execution/runner.py": "tests/integration/test_ray_cluster.py",
    "orchestrator/execution/yielded.py": "tests/orchestrator/execution/test_attempt.py",
    "orchestrator/execution/signals.py": "tests/faults/test_signals.py",
    "orchestrator/space/parameters.py": "tests/orchestrator/space/test_kinds.py",
    "orchestrator/spec/config_fields.py": "tests/orchestrator/spec/test_config_check.py",
    "orchestrator/spec/config_trials.py": "tests/orchestrator/spec/test_config_check.py",
    "orchestrator/spec/constraint_checks.py": "tests/orchestrator/spec/test_loading.py",
    "orchestrator/spec/model.py": "tests/orchestrator/spec/test_loading.py",
    "orchestrator/spec/nodes.py": "tests/orchestrator/spec/test_reading.py",
    "orchestrator/spec/rule_checks.py": "tests/orchestrator/spec/test_loading.py",
    "orchestrator/spec/space_checks.py": "tests/orchestrator/spec/test_loading.py",
    "orchestrator/study/change.py": "tests/orchestrator/study/test_driver_storage.py",
    "orchestrator/study/plain_trials.py": "tests/orchestrator/study/test_driver_storage.py",
    "orchestrator/study/importance.py": "tests/orchestrator/study/test_matched_epochs.py",
    "orchestrator/study/rows.py": "tests/orchestrator/study/test_driver_storage.py",
    "orchestrator/study/code_log.py": "tests/orchestrator/sweeps/test_changed.py",
    "orchestrator/study/decisions.py": "tests/contracts/test_pruners.py",
    "orchestrator/study/judging.py": "tests/contracts/test_pruners.py",
    "orchestrator/study/confirmations.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/study/drafting.py": "tests/contracts/test_samplers.py",
    "orchestrator/study/models.py": "tests/contracts/test_samplers.py",
    "orchestrator/study/importing.py": "tests/orchestrator/sweeps/test_continuing.py",
    "orchestrator/study/plots.py": "tests/orchestrator/sweeps/test_drive.py",
    "orchestrator/study/preview.py": "tests/orchestrator/sweeps/test_plan.py",
    "orchestrator/study/pruning.py": "tests/contracts/test_pruners.py",
    "orchestrator/study/records.py": "tests/orchestrator/study/test_ledger.py",
    "orchestrator/sweeps/checks.py": "tests/orchestrator/cli/test_cli_bad_input.py",
    "orchestrator/sweeps/choosing.py": "tests/orchestrator/sweeps/test_export.py",
    "orchestrator/sweeps/confirming/build.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/confirming/examining.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/confirming/find.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/confirming/finishing.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/confirming/page.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/confirming/report.py": "tests/orchestrator/sweeps/confirming/test_confirm.py",
    "orchestrator/sweeps/examine.py": "tests/orchestrator/cli/test_cli_doctor.py",
    "orchestrator/sweeps/lint/ignores.py": "tests/orchestrator/sweeps/lint/test_judge.py",
    "orchestrator/sweeps/lint/rule.py": "tests/orchestrator/sweeps/lint/test_judge.py",
    "orchestrator/sweeps/lint/whole_configs.py": "tests/orchestrator/sweeps/lint/test_question.py",
    "orchestrator/sweeps/maintain.py": "tests/orchestrator/cli/test_cli_act.py",
    "orchestrator/sweeps/paths.py": "tests/orchestrator/cli/test_cli_run.py",
    "orchestrator/sweeps/read.py": "tests/orchestrator/cli/test_cli_read.py",
    "orchestrator/sweeps/report.py": "tests/orchestrator/sweeps/test_drive.py",
    "orchestrator/sweeps/summary.py": "tests/orchestrator/cli/test_cli_run.py",
    "orchestrator/sweeps/verifying/evidence.py": "tests/orchestrator/sweeps/verifying/test_verify.py",
    "orchestrator/sweeps/verifying/gathering.py": "tests/orchestrator/sweeps/verifying/test_verify.py",
    "trainables/manifest.py": "tests/trainables/test_checkpoint.py",
    "trainables/contract.py": "tests/contracts/test_trainables.py",
    "trainables/loop/randomness.py": "tests/trainables/loop/test_trial.py",
    "trainables/loop/report.py": "tests/trainables/loop/test_trial.py",
    "trainables/data/embeddings/load.py": "tests/trainables/data/embeddings/test_generated.py",
    "trainables/data/embeddings/sources.py": "tests/trainables/data/embeddings/test_generated.py",
    "trainables/data/errors.py": "tests/trainables/data/pairs/test_omniglot.py",
    "trainables/data/images/digits.py": "tests/trainables/data/images/test_load_images.py",
    "trainables/data/images/images.py": "tests/trainables/data/images/test_load_images.py",
    "trainables/data/images/sources.py": "tests/trainables/data/images/test_load_images.py",
    "trainables/data/pairs/pairs.py": "tests/trainables/data/pairs/test_load_pairs.py",
    "trainables/data/pairs/sources.py": "tests/trainables/data/pairs/test_load_pairs.py",
    "trainables/data/pairs/vessel_tree.py": "tests/trainables/data/pairs/test_angiogram.py",
    "trainables/losses/ant.py": "tests/numerics/test_ant_losses.py",
    "trainables/losses/ant_form.py": "tests/numerics/test_ant_losses.py",
    "trainables/losses/gap.py": "tests/numerics/test_ant_losses.py",
    "trainables/tasks/adapter/model.py": "tests/trainables/test_exported.py",
    "trainables/tasks/identification/model.py": "tests/trainables/test_exported.py",
    "trainables/tasks/incremental/model.py": "tests/trainables/test_exported.py",
    "trainables/tasks/multitask/model.py": "tests/trainables/test_exported.py",
    "trainables/tasks/toxicity/model.py": "tests/trainables/test_exported.py",
}
"""Module without a test file of its own to the file that covers it."""


def mirrors(module):
    """Test files in the mirrored folder that bear the module's name: `test_clip_loss.py` is the one of `clip.py`."""
    path = Path(module)
    names = {path.stem, f"{path.parent.name}_{path.stem}"}
    found = (ROOT / "tests" / path.parent).glob("test_*.py")
    stems = {file: file.stem.removeprefix("test_") for file in found}
    return [file for file, stem in stems.items() if any(stem == n or stem.startswith(f"{n}_") for n in names)]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_tested_somewhere_that_can_be_guessed_or_looked_up(module):
    assert mirrors(module) or (ROOT / COVERED.get(module, "no such file")).is_file()


def test_the_table_names_modules_that_are_there():
    assert COVERED.keys() <= set(MODULES)
