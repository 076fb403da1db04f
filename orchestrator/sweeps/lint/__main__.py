"""Write the pages that explain every rule: `python -m orchestrator.sweeps.lint [FOLDER]`, by default `docs/lint`."""

import sys
from pathlib import Path

from orchestrator.sweeps.lint.pages import index, page
from orchestrator.sweeps.lint.table import RULES

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/lint")
folder.mkdir(parents=True, exist_ok=True)
for old in folder.glob("ORC*.md"):
    old.unlink()
for rule in RULES.values():
    (folder / f"{rule.id}.md").write_text(page(rule))
(folder / "README.md").write_text(index(RULES))
