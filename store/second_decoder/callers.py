"""What a span says of its peer: a span as a caller, hosts, and the peer's name."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from store.model import Kind
from store.second_decoder.attributes import Attributes, number, text
from store.second_decoder.resource import Place

LOOPBACK = re.compile(r"localhost|::1|0\.0\.0\.0|127\.[0-9.]+", re.I | re.A)
PEER = ("service.peer.name", "peer.service")
ADDRESS = ("server.address", "net.peer.name")
URLS = ("url.full", "http.url", "db.connection_string")
SOCKETS = ("network.peer.address", "net.sock.peer.name", "net.peer.ip", "net.sock.peer.addr")
PORTS = ("server.port", "net.peer.port", "network.peer.port", "net.sock.peer.port")


class Caller(NamedTuple):
    """A span as one that calls something."""

    kind: Kind
    attributes: Attributes
    service: str
    place: Place


def peer_name(caller: Caller) -> str:
    """What a span calls its peer."""
    a = caller.attributes
    if name := text(a, "faas.invoked_name"):
        return name
    name = text(a, "aws.remote.service", *PEER)
    if name and name != "UnknownRemoteService":
        return name
    return called_host(caller) or rpc_service(a)


def called_host(caller: Caller) -> str:
    """The host that a span calls; a process at the same machine is another for each caller."""
    a, host = caller.attributes, host_of(caller.attributes)
    if not LOOPBACK.fullmatch(host):
        return host
    urls = (f"//{text(a, 'http.host')}", text(a, *URLS))
    port = number(a, *PORTS) or next(filter(None, map(port_in, urls)), 0)
    return f"localhost:{port} ({caller.service})" if port else f"localhost ({caller.service})"


def rpc_service(attributes: Attributes) -> str:
    """The service of an RPC; the newest conventions have it in the method's name alone."""
    service, _, method = text(attributes, "rpc.method").rpartition("/")
    return text(attributes, "rpc.service") or (service if method else "")


def host_of(attributes: Attributes) -> str:
    """The host that a span connects to."""
    named = text(attributes, *ADDRESS)
    return (
        named
        or host_in(f"//{text(attributes, 'http.host')}")
        or host_in(text(attributes, *URLS))
        or text(attributes, *SOCKETS)
    )


def host_in(url: str) -> str:
    """The host in a URL, '' without any."""
    try:
        return urlsplit(url.removeprefix("jdbc:")).hostname or ""
    except ValueError:
        return ""


def port_in(url: str) -> int:
    """The port in a URL, 0 without any."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0
