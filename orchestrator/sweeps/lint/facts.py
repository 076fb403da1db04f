"""What the rules may know of this machine at once: nothing is started, and no ledger is opened."""

import shutil

from orchestrator.spec import SweepSpec
from orchestrator.sweeps.lint.question import Facts
from orchestrator.sweeps.paths import Home


def facts_here(spec: SweepSpec, home: Home) -> Facts:
    """The free disk for checkpoints, and the concurrency that the file itself asks for."""
    folder = (home.storage or home.root).absolute()
    while not folder.exists():
        folder = folder.parent
    return Facts(concurrency=spec.resources.max_concurrent, free_bytes=shutil.disk_usage(folder).free)
