"""The rule about `lint: ignore` itself. The judge asks it, who alone knows what the others have said."""

from orchestrator.sweeps.lint.rule import Rule, Severity

IDLE_IGNORE = Rule(
    id="ORC100",
    name="idle-ignore",
    severity=Severity.WARNING,
    title="An entry of `lint: ignore` that ignores nothing: no such rule, or the rule has nothing to say.",
    why="Whoever reads the file takes the entry for a problem that is known and meant. It may also hide the rule's "
    "next "
    "hit, which nobody has meant.",
    fix="Remove the entry, or correct the id. Rules about the machine (disk, speed, concurrency) are left alone, since "
    "they speak on one machine and not on another.",
    bad="lint: {ignore: {ORC999: our ranges are wide on purpose}}",
    good="lint: {ignore: {ORC101: the scale is not known to two decades}}",
    source="A convention: the same as an unused suppression in linters of code.",
    check=None,
)
