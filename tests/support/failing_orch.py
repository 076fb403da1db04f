"""`python -m tests.support.failing_orch ...`: the `orch` command with the fail-points of its environment."""

from orchestrator.cli import main
from tests.support import failpoints

if __name__ == "__main__":
    failpoints.install()
    main()
