"""What the code of a sweep's trainable was, by file, when a driver last ran it. An attribute of the study."""

from collections.abc import Mapping

from orchestrator.study.ledger import Ledger

CODE_KEY = "orch:code"


def read_code(ledger: Ledger) -> Mapping[str, str]:
    """File to hash, as they were noted; nothing where no driver has noted them."""
    noted: Mapping[str, str] = ledger.study.user_attrs.get(CODE_KEY, {})
    return noted


def write_code(ledger: Ledger, code: Mapping[str, str]) -> None:
    """Note them."""
    ledger.study.set_user_attr(CODE_KEY, dict(code))
