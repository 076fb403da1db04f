"""Print the page that explains every finding: `python -m trainables.health > docs/findings.md`."""

from trainables.health.page import page

print(page(), end="")
