"""What `orch doctor` looks at: each check says what it found and whether that is well."""

import shutil
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version

from orchestrator.errors import OrchError
from orchestrator.execution.exposure import asks_for_token, is_private, open_dashboards
from orchestrator.execution.machine import num_cpus, num_gpus
from orchestrator.study import Storage, is_absent
from orchestrator.sweeps.paths import Home
from orchestrator.tracking import is_reachable, redact

PACKAGES = ("torch", "ray", "optuna", "mlflow", "pydantic", "click")
MIN_FREE_GIB = 2.0
TIMEOUT_S = 5.0
CURE = "start it with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or on 127.0.0.1"


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    health: Health
    text: str


def examine(home: Home, *, address: str | None) -> list[Check]:
    """Look at everything; creates nothing."""
    checks = [_versions(), _processors(), _disk(home), _ledger(home), _mlflow(home), _dashboards()]
    return [*checks, _cluster(address)] if address else checks


def _versions() -> Check:
    found, missing = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Check("packages", Health.BROKEN, f"not installed: {', '.join(missing)}")
    return Check("packages", Health.OK, ", ".join(found))


def _processors() -> Check:
    gpus = num_gpus()
    text = f"{num_cpus()} CPUs, {gpus} GPUs"
    return Check("processors", Health.OK, text if gpus else f"{text}: trials run on the CPU")


def _disk(home: Home) -> Check:
    folder = home.root.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    health = Health.OK if free >= MIN_FREE_GIB else Health.WARNING
    return Check("disk", health, f"{free:.1f} GiB free for {home.root.absolute()}")


def _ledger(home: Home) -> Check:
    try:
        if is_absent(home.ledger_url):
            return Check("ledger", Health.OK, f"none yet; the first sweep makes {redact(home.ledger_url)}")
        storage = Storage(home.ledger_url)
    except OrchError as error:
        return Check("ledger", Health.BROKEN, str(error))
    text = f"{len(storage.names)} sweeps in {redact(home.ledger_url)}"
    storage.close()
    return Check("ledger", Health.OK, text)


def _mlflow(home: Home) -> Check:
    uri = redact(home.tracking_uri)
    if is_reachable(home.tracking_uri, timeout_s=TIMEOUT_S):
        return Check("MLflow", Health.OK, uri)
    text = f"{uri} does not answer; sweeps run all the same and `orch sync` delivers later"
    return Check("MLflow", Health.WARNING, text)


def _dashboards() -> Check:
    if exposed := open_dashboards():
        text = f"{', '.join(exposed)} lets other machines in without a token: whoever reaches it runs code here; {CURE}"
        return Check("dashboards", Health.BROKEN, text)
    return Check("dashboards", Health.OK, "no dashboard of Ray here lets other machines in without a token")


def _let_in(address: str) -> Check:
    match asks_for_token(address):
        case True:
            return Check("Ray", Health.OK, f"{address} answers and asks for a token")
        case False if is_private(address):
            return Check("Ray", Health.WARNING, f"{address} asks for no token; only this machine reaches it")
        case False:
            return Check("Ray", Health.BROKEN, f"{address} asks for no token: who reaches it runs code there; {CURE}")
    return Check("Ray", Health.BROKEN, f"{address} answers, and is no head of a Ray cluster; is the port the GCS's?")


def _cluster(address: str) -> Check:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return Check("Ray", Health.BROKEN, f"{address}: the form is host:port")
    if is_reachable(f"tcp://{host}:{port}", timeout_s=TIMEOUT_S):
        return _let_in(address)
    return Check("Ray", Health.BROKEN, f"{address} does not answer; is the cluster running (ray status)?")
