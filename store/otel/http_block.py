"""The ``http`` block of a span: method, URL, status, client address and user agent
(docs/xray-format.md §11.1)."""

from __future__ import annotations

from store.model import NO_HTTP, Http
from store.otel.attributes import Attributes, number, text

URL_KEYS = ("url.full", "http.url")
AGENT_KEYS = ("user_agent.original", "http.user_agent")
TARGET_KEYS = ("http.target", "url.path", "url.query")
_CLIENT_KEYS = ("http.client_ip", "client.address")
_PEER_KEYS = ("network.peer.address", "net.sock.peer.addr", "net.peer.ip")
CLIENT_KEYS = (*_CLIENT_KEYS, *_PEER_KEYS)
_SERVER_HOSTS = (
    "server.address", "http.host", "http.server_name", "net.host.name", "host.name"
)  # fmt: skip
_CLIENT_HOSTS = (
    "server.address", "http.host", "net.peer.name", "network.peer.address", "net.peer.ip"
)  # fmt: skip
_OUTCOMES = frozenset(
    {"INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR", "UNKNOWN"}
)
_DEFAULT_PORTS = (None, 80, 443)


def http_of(attributes: Attributes, status: int, *, server: bool) -> Http:
    """The block; empty if no attribute is about HTTP.

    Only servers have a client address: the peer of a client span is its server.
    """
    method = text(attributes, "http.request.method", "http.method")
    if not method and "outcome" in attributes and is_observation(attributes):
        method = text(attributes, "method")
    url = text(attributes, *URL_KEYS)
    agent = text(attributes, *AGENT_KEYS)
    if not url and (method or status or "url.path" in attributes or "http.target" in attributes):
        url = join_url(url_origin(attributes, server=server), url_target(attributes))
    if not (method or url or status or agent):
        return NO_HTTP
    client = client_address(attributes)[0] if server else ""
    return Http(method, url, status, client, agent)


def is_observation(attributes: Attributes) -> bool:
    """Whether a span is a request as Micrometer observes it (Spring Framework 6, Micronaut), whose own names for
    HTTP's method and status are ``method`` and ``status``."""
    return "method" in attributes and text(attributes, "outcome") in _OUTCOMES


def client_address(attributes: Attributes) -> tuple[str, bool]:
    """The caller's address, and whether a proxy reported it (there is no peer address then)."""
    reported = text(attributes, *_CLIENT_KEYS)
    peer = text(attributes, *_PEER_KEYS)
    return reported or peer, bool(reported and not peer)


def url_target(attributes: Attributes) -> str:
    """Path and query of a URL, from `TARGET_KEYS` alone."""
    target = text(attributes, "http.target")
    if target:
        return target
    query = text(attributes, "url.query").removeprefix("?")
    return (text(attributes, "url.path") or "/") + (f"?{query}" if query else "")


def url_origin(attributes: Attributes, *, server: bool) -> str:
    """Scheme, host and port of a URL; empty if no attribute names a host."""
    host = text(attributes, *(_SERVER_HOSTS if server else _CLIENT_HOSTS))
    if not host:
        return ""
    scheme = text(attributes, "url.scheme", "http.scheme") or "http"
    peer = "net.host.port" if server else "net.peer.port"
    port = number(attributes, "server.port", peer)
    if ":" in host and not host.startswith("[") and host.count(":") > 1:
        host = f"[{host}]"
    explicit = port not in _DEFAULT_PORTS and not host.endswith(f":{port}")
    return f"{scheme}://{host}{f':{port}' if explicit else ''}"


def join_url(origin: str, target: str) -> str:
    """A URL; empty if it would be no more than ``/``."""
    if "://" in target:  # a proxy's target is a whole URL
        return target
    return origin + target if origin or target != "/" else ""
