"""The `orch` command. Parses, calls `sweeps`, renders; the only room with lazy imports, so that help is instant."""

from orchestrator.cli.main import main

__all__ = ["main"]
