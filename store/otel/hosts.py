"""The host that a span connects to."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from store.otel.attributes import Attributes, number, text

_PORTS = ("server.port", "net.peer.port", "network.peer.port", "net.sock.peer.port")
_THIS_MACHINE = frozenset({"localhost", "::1", "0.0.0.0"})


def host_of(attributes: Attributes) -> str:
    """The host that a caller connects to, without its port."""
    host = text(attributes, "server.address", "net.peer.name")
    if host:
        return host
    for url in _urls(attributes):
        host = url.hostname or ""
        if host:
            return host
    peers = "network.peer.address", "net.sock.peer.name", "net.peer.ip", "net.sock.peer.addr"
    return text(attributes, *peers)


def called_host(attributes: Attributes, service: str) -> str:
    """The same as the name of a node. A loopback address names another process for each caller: every
    sidecar, agent and daemon of a cluster is at one. So port and caller belong to the name."""
    host = host_of(attributes)
    if not is_loopback(host):
        return host
    port = number(attributes, *_PORTS) or next(filter(None, map(_port, _urls(attributes))), 0)
    caller = text(attributes, "aws.local.service") or service
    return f"localhost{f':{port}' if port else ''} ({caller})"


def is_loopback(host: str) -> bool:
    """Whether a host is the caller's own machine."""
    return host.lower() in _THIS_MACHINE or (
        host.startswith("127.") and host.replace(".", "").isdecimal()
    )


def _urls(attributes: Attributes) -> Iterator[SplitResult]:
    host = text(attributes, "http.host")
    url = text(attributes, "url.full", "http.url", "db.connection_string")
    for given in (f"//{host}" if host else "", url.removeprefix("jdbc:")):
        try:
            yield urlsplit(given)
        except ValueError:
            continue


def _port(url: SplitResult) -> int:
    try:
        return url.port or 0
    except ValueError:
        return 0
