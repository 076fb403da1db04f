"""Where a sweep came from: commit, versions, host. A flat dict of tags, gathered once at launch without imports."""

import platform
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("orch", "torch", "ray", "optuna", "mlflow")


def provenance(directory: Path) -> dict[str, str]:
    """Tags of the parent run. What can not be found out, such as the commit outside of git, is left out."""
    tags = {f"orch.version.{name}": text for name in _PACKAGES if (text := _version(name))}
    tags["orch.version.python"] = platform.python_version()
    tags["orch.host"] = socket.gethostname()
    tags["orch.platform"] = platform.platform()
    tags["orch.directory"] = str(directory.resolve())
    commit = _git(directory, "rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit  # the name that MLflow's pages show
        tags["orch.git_commit"] = commit
        tags["orch.git_dirty"] = str(bool(_git(directory, "status", "--porcelain", "--untracked-files=no"))).lower()
    return tags


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(directory: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
