"""Tracking URIs: which ones name a server, whether it answers, and what of one may be written down."""

import socket
import urllib.error
import urllib.parse
import urllib.request

from orchestrator.errors import redact

__all__ = ["is_reachable", "is_server", "redact", "without_credentials"]

_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def without_credentials(uri: str) -> str:
    """What of a URI may be written down: without user, password and values such as `?password=`."""
    bare, mark, query = redact(uri).replace("***@", "").partition("?")
    kept = "&".join(pair for pair in query.split("&") if not pair.endswith("=***"))
    return f"{bare}{mark}{kept}" if kept else bare


def is_server(uri: str) -> bool:
    """Whether an MLflow server stands behind the URI, not a database or folder that this process opens itself."""
    return urllib.parse.urlsplit(uri).scheme in ("http", "https", "databricks")


def is_reachable(uri: str, *, timeout_s: float) -> bool:
    """Whether something answers there: `/health` of a server, the port of a database; a local file always does."""
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return _answers_http(parts, timeout_s=timeout_s)
    if parts.hostname is None:
        return True
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme.partition("+")[0], 0)
    try:
        with socket.create_connection((parts.hostname, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def _answers_http(parts: urllib.parse.SplitResult, *, timeout_s: float) -> bool:
    host = parts.netloc.rpartition("@")[2]
    health = urllib.parse.urlunsplit((parts.scheme, host, parts.path.rstrip("/") + "/health", "", ""))
    try:
        with urllib.request.urlopen(health, timeout=timeout_s):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # a server that asks for a password is there
    except OSError:
        return False
