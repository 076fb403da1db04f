"""Who is let in to a Ray cluster: asked as a stranger would, without a token. Called by `orch doctor`.

Ray itself is not imported: it keeps one way of authentication for the whole process.
"""

import contextlib
import ipaddress
import json
import socket
import urllib.request
from collections.abc import Iterable

import grpc
import psutil

TIMEOUT_S = 5.0
_DASHBOARD = "dashboard.py"
_ALIVE = "/ray.rpc.NodeInfoGcsService/CheckAlive"


def asks_for_token(address: str) -> bool | None:
    """Whether the cluster at host:port refuses who has no token; None if what answers there is no Ray head."""
    with grpc.insecure_channel(address.removeprefix("ray://")) as channel:
        call = channel.unary_unary(_ALIVE, request_serializer=bytes, response_deserializer=bytes)
        try:
            call(b"", timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return True if error.code() is grpc.StatusCode.UNAUTHENTICATED else None
    return False


def is_private(address: str) -> bool:
    """Whether only this machine reaches host:port: a loopback address, and nothing listens on more at its port."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        names = {info[4][0] for info in socket.getaddrinfo(host.strip("[]"), int(port))}
    except OSError:
        return False
    listening = {ip for ip, at in _listening(psutil.process_iter()) if at == int(port)}
    return all(_is_loopback(str(ip)) for ip in {*names, *listening})


def open_dashboards() -> list[str]:
    """Dashboards of Ray on this machine that other machines reach and that ask for no token, as `0.0.0.0:8265`."""
    dashboards = (process for process in psutil.process_iter() if _is_dashboard(process))
    exposed = sorted({(ip, port) for ip, port in _listening(dashboards) if not _is_loopback(ip)})
    return [f"{ip}:{port}" for ip, port in exposed if _lets_in(ip, port)]


def _is_dashboard(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(argument.endswith(_DASHBOARD) and "ray" in argument for argument in process.cmdline())
    return False


def _listening(processes: Iterable[psutil.Process]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):  # another user's
            found |= {(c.laddr.ip, c.laddr.port) for c in process.net_connections("inet") if c.status == "LISTEN"}
    return found


def _is_loopback(ip: str) -> bool:
    address = ipaddress.ip_address(ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _lets_in(ip: str, port: int) -> bool:
    host = "127.0.0.1" if ip in ("0.0.0.0", "::") else f"[{ip}]" if ":" in ip else ip
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/api/version", timeout=TIMEOUT_S) as reply:
            return "ray_version" in json.load(reply)
    except (OSError, ValueError):  # 401 is an OSError, too
        return False
