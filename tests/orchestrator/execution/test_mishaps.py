"""Ray's errors in our words."""

import pytest
from ray.exceptions import ActorDiedError, NodeDiedError, OutOfMemoryError, RayActorError

from orchestrator.execution.mishaps import describe
from orchestrator.trial import Mishap


@pytest.mark.parametrize(
    ("error", "mishap"),
    [
        (None, Mishap.WORKER_LOST),
        (ActorDiedError(), Mishap.WORKER_LOST),
        (RayActorError(error_msg="Worker unexpectedly exits with a connection error code 2."), Mishap.WORKER_LOST),
        (RayActorError(error_msg="The actor died because its node has died. Node Id: 12ab"), Mishap.NODE_LOST),
        (RayActorError(error_msg="The actor is dead", preempted=True), Mishap.NODE_LOST),
        (NodeDiedError("Task failed due to the node (where this task was running) was dead"), Mishap.NODE_LOST),
        (OutOfMemoryError("Task was killed due to the node running low on memory."), Mishap.OUT_OF_MEMORY),
        (RayActorError(error_msg="killed due to the node running low on memory"), Mishap.OUT_OF_MEMORY),
    ],
)
def test_an_error_of_ray_is_one_of_our_mishaps(error, mishap):
    found, what = describe(error)
    assert found is mishap
    assert what
