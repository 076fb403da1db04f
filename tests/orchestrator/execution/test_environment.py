"""Which environment variables a trainable sees."""

import pytest

from orchestrator.execution.environment import is_allowed, scrub

SECRETS = ["AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "ORCH_LEDGER", "MLFLOW_TRACKING_URI", "PGPASSWORD",
           "RAY_AUTH_TOKEN", "HF_TOKEN", "GITHUB_TOKEN", "WANDB_API_KEY", "HTTPS_PROXY", "PATHS"]  # fmt: skip
NEEDED = ["PATH", "HOME", "LANG", "LC_ALL", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS",
          "RAY_JOB_ID", "RAY_AUTH_MODE", "PYTHONPATH", "PYTORCH_CUDA_ALLOC_CONF", "TORCH_HOME", "HF_HOME",
          "HF_HUB_OFFLINE", "LD_LIBRARY_PATH", "TMPDIR", "TOKENIZERS_PARALLELISM"]  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_what_may_be_a_secret_is_not_on_the_list(name):
    assert not is_allowed(name)


@pytest.mark.parametrize("name", NEEDED)
def test_what_training_needs_is_on_the_list(name):
    assert is_allowed(name)


def test_what_the_sweep_file_names_stays_and_nothing_else_does():
    environ = dict.fromkeys([*SECRETS, *NEEDED], "1")
    scrub(["WANDB_API_KEY"], environ)
    assert environ.keys() == {*NEEDED, "WANDB_API_KEY"}
