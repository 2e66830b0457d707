"""The host that a span connects to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from store.otel.attributes import Attributes, number, text
from store.short_cache import short_cache

_PORTS = ("server.port", "net.peer.port", "network.peer.port", "net.sock.peer.port")
_NAMED = ("server.address", "net.peer.name")
_PEERS = ("network.peer.address", "net.sock.peer.name", "net.peer.ip", "net.sock.peer.addr")
_THIS_MACHINE = frozenset({"localhost", "::1", "0.0.0.0"})
_TARGET = re.compile(
    r"(?:(?:dns|xds)://[^/]*/|(?!unix|file)[a-z][a-z0-9+.-]*:///|(?:dns|ipv4|ipv6):(?!//|[0-9]+$))(.+)",
    re.I,
)
"""A target of gRPC: what follows its scheme, and the server that resolves it, is the address."""
_URL = re.compile(r"(?!unix|file)[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#@]+)(?:[/?#].*)?", re.I)
_ADDRESS = re.compile(
    r"(?:([\w.~-]*[\w~-])\.?|\[([0-9a-f:.]+(?:%[\w.~-]+)?)\])(?::([0-9]{1,5}))?", re.I
)
_IPV6 = re.compile(r"[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[\w.~-]+)?", re.I)


class Address(NamedTuple):
    """A host under its one name, and a port, 0 without."""

    host: str
    port: int = 0


@short_cache(16_384)
def read_address(given: str) -> Address:
    """The host and port in an address however a client writes it: with the port, in brackets, as gRPC's target, as a URL.

    What is not one host stays as it is: a socket's path, an instance of SQL Server, a list.
    """
    target = _TARGET.fullmatch(given) or _URL.fullmatch(given)
    address = target[1] if target else given
    found = _ADDRESS.fullmatch(address)
    if found:
        return Address((found[1] or found[2]).lower(), int(found[3] or 0))
    return Address(address.lower() if _IPV6.fullmatch(address) else given)


def host_of(attributes: Attributes) -> str:
    """The host that a caller connects to, without its port."""
    return _address_of(attributes).host


def called_host(attributes: Attributes, service: str) -> str:
    """The same as the name of a node."""
    return _as_node(_address_of(attributes), attributes, service)


def named_host(name: str, attributes: Attributes, service: str) -> str:
    """A name of a service as that of a node; one with a port is a host's, as Application Signals makes them of URLs."""
    address = read_address(name)
    return _as_node(address, attributes, service) if address.port else name


def is_loopback(host: str) -> bool:
    """Whether a host is the caller's own machine."""
    return host.lower() in _THIS_MACHINE or (
        host.startswith("127.") and host.replace(".", "").isdecimal()
    )


def _as_node(address: Address, attributes: Attributes, service: str) -> str:
    """The name of the node at an address. A loopback address names another process for each caller: every
    sidecar, agent and daemon of a cluster is at one. So port and caller belong to the name."""
    if not is_loopback(address.host):
        return address.host
    port = number(attributes, *_PORTS) or address.port
    port = port or next((url.port for url in _urls(attributes) if url.port), 0)
    caller = text(attributes, "aws.local.service") or service
    return f"localhost{f':{port}' if port else ''} ({caller})"


def _address_of(attributes: Attributes) -> Address:
    named = text(attributes, *_NAMED)
    if named:
        return read_address(named)
    for url in _urls(attributes):
        if url.host:
            return url
    return read_address(text(attributes, *_PEERS))


def _urls(attributes: Attributes) -> Iterator[Address]:
    host = text(attributes, "http.host")
    if host:
        yield _in_url(f"//{host}")
    url = text(attributes, "url.full", "http.url", "db.connection_string")
    if url:
        yield _in_url(url.removeprefix("jdbc:"))


def _in_url(given: str) -> Address:
    """The address in a URL; a client's of Redis may have no scheme."""
    try:
        url = urlsplit(given)
        if url.hostname:
            return Address(read_address(url.hostname).host, _port(url))
    except ValueError:
        return Address("")
    address = read_address(given)
    return address if address.port else Address("")


def _port(url: SplitResult) -> int:
    try:
        return url.port or 0
    except ValueError:
        return 0
