"""Runs that are deleted or moved in a real store."""

import pytest

from orchestrator.errors import InfrastructureError
from orchestrator.tracking.correcting import correct_runs


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_runs_are_deleted_and_moved(tmp_path):
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("toys", artifact_location=str(tmp_path / "artifacts"))
    kept, extra = (client.create_run(experiment).info.run_id for _ in range(2))

    correct_runs(uri, delete=[extra], parents={kept: "parent"})

    assert client.get_run(extra).info.lifecycle_stage == "deleted"
    assert client.get_run(kept).data.tags["mlflow.parentRunId"] == "parent"
    with pytest.raises(InfrastructureError, match="cannot be corrected"):
        correct_runs(uri, delete=["nobody"], parents={})
