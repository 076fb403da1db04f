"""The rule about `roles()` itself: what a person's own Config says of its keys must be usable."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from orchestrator.spec.config_fields import field_types
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.roles import Role


def unusable_roles(question: Question) -> Iterator[Hit]:
    """A `roles()` that fails, or that speaks of keys that are not there."""
    faults = [fault for whole in question.configs for fault in _faults(whole.config)]
    keys = dict.fromkeys(key for roles in question.roles for key in roles)
    unknown = [key for key in keys if not field_types(question.config_type, key)]
    faults += [f"names {key}, which the Config does not have" for key in unknown]
    for fault in dict.fromkeys(faults):
        yield Hit(("trainable",), f"roles() of its Config {fault}: rules about embedding models do not see it")


def _faults(config: BaseModel) -> Iterator[str]:
    say = getattr(config, "roles", None)
    if not callable(say):
        return
    try:
        said = say()
    # A person's own Config may do anything.
    except Exception as error:
        yield f"raised {type(error).__name__}: {' '.join(str(error).split())}"
        return
    if not isinstance(said, Mapping):
        yield f"returned {type(said).__name__}, not a mapping of keys to roles"
        return
    for key, role in said.items():
        if not isinstance(role, Role):
            yield f"gives {key} {type(role).__name__}, which is none of trainables.roles"


RULES = (
    Rule(
        id="ORC200",
        name="unusable-roles",
        severity=Severity.WARNING,
        title="The Config's roles() fails, or names a key that the Config does not have.",
        why=(
            "A Config may say what its keys mean: that `tau` is a temperature that divides cosines. Rules ORC201 and "
            "up read that. Where it fails they find nothing, which would look like a clean file."
        ),
        fix="docs/lint/roles.md lists the roles, with an example. A Config without roles() is fine.",
        bad='trainable: my_pkg.my_module:train   # roles() returns {"temprature": Temperature(Contrast.CLIP)}',
        good='trainable: my_pkg.my_module:train   # roles() returns {"temperature": Temperature(Contrast.CLIP)}',
        source="trainables/roles.py.",
        check=unusable_roles,
    ),
)
