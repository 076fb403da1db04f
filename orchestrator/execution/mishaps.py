"""What Ray says of a dead worker, in our words. Called by the Ray runner for each attempt that it has lost."""

from ray.exceptions import NodeDiedError, OutOfMemoryError, RayActorError, RayTaskError

from orchestrator.trial import Mishap

_NO_MEMORY = "low on memory"
_NODE = ("node has died", "node was terminated", "node died", "node is dead", "preempt")


def describe(error: Exception | None) -> tuple[Mishap, str]:
    """Which mishap an error of Ray is, and the line of it that says most.

    A node that is gone or was preempted says nothing of the trial; a worker alone may have died of it.
    """
    cause = error.as_instanceof_cause() if isinstance(error, RayTaskError) else error
    lines = [line.strip() for line in str(cause or "").splitlines() if line.strip()]
    text = " ".join(lines).lower()
    what = lines[-1] if lines else "the worker process died"
    if isinstance(cause, OutOfMemoryError) or _NO_MEMORY in text:
        return Mishap.OUT_OF_MEMORY, "Ray ended the worker because its node was low on memory"
    gone = isinstance(cause, NodeDiedError) or (isinstance(cause, RayActorError) and cause.preempted)
    if gone or any(words in text for words in _NODE):
        return Mishap.NODE_LOST, what
    return Mishap.WORKER_LOST, what
