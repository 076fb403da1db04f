"""Taking back what MLflow has wrongly: a run too many is deleted, as MLflow deletes, and can be restored there.

Called by repair; nothing else deletes or moves a run.
"""

from collections.abc import Mapping, Sequence

from orchestrator.errors import InfrastructureError
from orchestrator.tracking.reading import PARENT_TAG
from orchestrator.tracking.store import configure
from orchestrator.tracking.uri import redact


def correct_runs(tracking_uri: str, *, delete: Sequence[str], parents: Mapping[str, str]) -> None:
    """Delete some runs, and put others, by their ids, below their parents.

    Raises:
        InfrastructureError: MLflow cannot be reached, or refuses.
    """
    configure()
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    try:
        for run_id in delete:
            client.delete_run(run_id)
        for run_id, parent_id in parents.items():
            client.set_tag(run_id, PARENT_TAG, parent_id)
    except (MlflowException, OSError) as error:
        raise InfrastructureError(f"the MLflow at {redact(tracking_uri)} cannot be corrected: {error}") from error
