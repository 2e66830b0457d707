"""The ``http`` block of a span: method, URL, status, client address and user agent
(docs/xray-format.md §11.1)."""

from __future__ import annotations

from store.model import NO_HTTP, Http
from store.otel.attributes import Attributes, number, text

_SERVER_HOSTS = (
    "server.address", "http.host", "http.server_name", "net.host.name", "host.name"
)  # fmt: skip
_CLIENT_HOSTS = (
    "server.address", "http.host", "net.peer.name", "network.peer.address", "net.peer.ip"
)  # fmt: skip
_DEFAULT_PORTS = (None, 80, 443)


def http_of(attributes: Attributes, status: int, *, server: bool) -> Http:
    """The block; empty if no attribute is about HTTP.

    Only servers have a client address: the peer of a client span is its server.
    """
    method = text(attributes, "http.request.method", "http.method")
    url = text(attributes, "url.full", "http.url")
    agent = text(attributes, "user_agent.original", "http.user_agent")
    if not url and (method or status or "url.path" in attributes or "http.target" in attributes):
        url = _assembled(attributes, server)
    if not (method or url or status or agent):
        return NO_HTTP
    client = client_address(attributes)[0] if server else ""
    return Http(method, url, status, client, agent)


def client_address(attributes: Attributes) -> tuple[str, bool]:
    """The caller's address, and whether a proxy reported it (there is no peer address then)."""
    reported = text(attributes, "http.client_ip", "client.address")
    peer = text(attributes, "network.peer.address", "net.sock.peer.addr", "net.peer.ip")
    return reported or peer, bool(reported and not peer)


def _assembled(attributes: Attributes, server: bool) -> str:
    target = text(attributes, "http.target")
    if not target:
        query = text(attributes, "url.query").removeprefix("?")
        target = (text(attributes, "url.path") or "/") + (f"?{query}" if query else "")
    if "://" in target:  # a proxy's target is a whole URL
        return target
    host = text(attributes, *(_SERVER_HOSTS if server else _CLIENT_HOSTS))
    if not host:
        return target if target != "/" else ""
    scheme = text(attributes, "url.scheme", "http.scheme") or "http"
    peer = "net.host.port" if server else "net.peer.port"
    port = number(attributes, "server.port", peer)
    if ":" in host and not host.startswith("[") and host.count(":") > 1:
        host = f"[{host}]"
    explicit = port not in _DEFAULT_PORTS and not host.endswith(f":{port}")
    return f"{scheme}://{host}{f':{port}' if explicit else ''}{target}"
