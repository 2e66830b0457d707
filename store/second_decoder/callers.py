"""What a span says of its peer: a span as a caller, hosts, and the peer's name."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from store.model import Kind
from store.second_decoder.attributes import Attributes, number, text
from store.second_decoder.resource import Place

LOOPBACK = re.compile(r"localhost|::1|0\.0\.0\.0|127\.[0-9.]+", re.I | re.A)
HOST = re.compile(r"[\w.~-]*[\w~-]\.?")
IPV6 = re.compile(r"[0-9a-f:.]+(%[\w.~-]+)?", re.I)
SCHEME = re.compile("[a-z][a-z0-9+.-]*", re.I)
MOST_DIGITS = 5
PEER = ("service.peer.name", "peer.service")
ADDRESS = ("server.address", "net.peer.name")
URLS = ("url.full", "http.url", "db.connection_string")
SOCKETS = ("network.peer.address", "net.sock.peer.name", "net.peer.ip", "net.sock.peer.addr")
PORTS = ("server.port", "net.peer.port", "network.peer.port", "net.sock.peer.port")


class Address(NamedTuple):
    """Where something is; 0 for a port that is not said."""

    host: str
    port: int


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
        address = read(text(a, "aws.remote.service"))
        return _at(address, caller) if address.port else name
    return called_host(caller) or rpc_service(a)


def called_host(caller: Caller) -> str:
    """The host that a span calls; a process at the same machine is another for each caller."""
    return _at(address_of(caller.attributes), caller)


def _at(address: Address, caller: Caller) -> str:
    a, (host, port) = caller.attributes, address
    if not LOOPBACK.fullmatch(host):
        return host
    urls = (f"//{text(a, 'http.host')}", text(a, *URLS))
    port = number(a, *PORTS) or port or next(filter(None, (at_url(each).port for each in urls)), 0)
    return f"localhost:{port} ({caller.service})" if port else f"localhost ({caller.service})"


def rpc_service(attributes: Attributes) -> str:
    """The service of an RPC; the newest conventions have it in the method's name alone."""
    service, _, method = text(attributes, "rpc.method").rpartition("/")
    return text(attributes, "rpc.service") or (service if method else "")


def host_of(attributes: Attributes) -> str:
    """The host that a span connects to."""
    return address_of(attributes).host


def address_of(attributes: Attributes) -> Address:
    """Where a span connects to."""
    if named := text(attributes, *ADDRESS):
        return read(named)
    for url in (f"//{text(attributes, 'http.host')}", text(attributes, *URLS)):
        if (found := at_url(url)).host:
            return found
    return read(text(attributes, *SOCKETS))


def at_url(url: str) -> Address:
    """The address in a URL, or in what has a port and no scheme."""
    url = url.removeprefix("jdbc:")
    try:
        if host := urlsplit(url).hostname:
            return Address(read(host).host, _port(url))
    except ValueError:
        return Address("", 0)
    found = read(url)
    return found if found.port else Address("", 0)


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0


def read(given: str) -> Address:
    """One host and its port, in small letters; all else as it is given."""
    address = _without_scheme(given)
    name, mark, port = address.rpartition(":")
    if not (mark and port.isascii() and port.isdecimal() and len(port) <= MOST_DIGITS):
        name, port = address, "0"
    if name.startswith("[") and name.endswith("]"):
        inner = name[1:-1]
        return Address(inner.lower(), int(port)) if IPV6.fullmatch(inner) else Address(given, 0)
    if HOST.fullmatch(name):
        return Address(name.removesuffix(".").lower(), int(port))
    bare = IPV6.fullmatch(address) and address.count(":") > 1
    return Address(address.lower() if bare else given, 0)


def _without_scheme(given: str) -> str:
    """What a URL or a target of gRPC has as its address."""
    scheme, mark, rest = given.partition("://")
    if mark and SCHEME.fullmatch(scheme) and not scheme.lower().startswith(("unix", "file")):
        authority, _, path = rest.partition("/")
        if scheme.lower() in ("dns", "xds") or not authority:
            return path
        return re.split("[?#]", authority)[0].rpartition("@")[2]
    scheme, mark, rest = given.partition(":")
    is_target = mark and scheme.lower() in ("dns", "ipv4", "ipv6") and not rest.isdecimal()
    return rest if is_target else given
