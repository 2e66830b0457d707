"""Whether two calls of a service, the one made within the other, lead to one place, and which says more of it. Pure.

Judged by the nodes that they lead to, and by whether the outer one says how it connects. What is uncertain stays two
calls: those are counted twice, which is seen; one that is left out is not.
"""

from __future__ import annotations

from store.model import NodeKey
from store.otel.callee import system_name
from store.otel.hosts import is_loopback
from store.otel.semconv import SQL_SYSTEMS
from store.rules.identity import aws_endpoint

REMOTE = "remote"
"""The type of nodes that are named by a host, a peer or an RPC service."""
CREDENTIALS = frozenset(
    ("169.254.169.254", "169.254.170.2", "169.254.170.23", "metadata.google.internal", "oauth2.googleapis.com",
     "login.microsoftonline.com")
)  # fmt: skip
"""Hosts that SDKs ask for credentials in the middle of a call."""
_CLOUDS = (".googleapis.com", ".windows.net", ".azure.com", ".aliyuncs.com", ".myqcloud.com")
"""End the hosts of clouds' own APIs."""
_OVER_HTTP = ("Alibaba::", "Azure::", "GCP::", "GenAI::Model", "Tencent::")
"""Begin the types of what is called over HTTP, at whatever host."""


def same_place(outer: NodeKey, inner: NodeKey, *, named: bool) -> bool:
    """Whether a call within another leads where that does. ``named``: the outer one does not say how it connects."""
    if inner == outer:
        return True
    if inner.type == REMOTE and inner.name.lower() in CREDENTIALS:
        return False
    if passes_on(outer, inner):
        return True
    if inner.type != REMOTE:
        return inner.type == outer.type and inner.type.startswith("Database::")
    if outer.type == REMOTE:
        return named and not _is_host(outer.name)
    return _is_reached_at(outer, inner.name)


def passes_on(outer: NodeKey, inner: NodeKey) -> bool:
    """Whether a call to the caller's own machine is to a sidecar, which makes the call within it under the service's name."""
    return _is_own_machine(outer) and not _is_own_machine(inner)


def _is_own_machine(node: NodeKey) -> bool:
    return node.type == REMOTE and _machine(node.name) == "localhost"


def rank(node: NodeKey) -> int:
    """The greater, the more a call says by leading there: a host, a kind of system, one of that kind."""
    if node.type == REMOTE:
        return 0
    return 1 if _is_vague(node) else 2


def _is_reached_at(outer: NodeKey, host: str) -> bool:
    """Whether the requests that a call makes of what it leads to go to a host."""
    if outer.type.startswith("AWS::"):
        return aws_endpoint(host) != "sts" or outer.type == "AWS::STS"
    if outer.type.startswith(_OVER_HTTP):
        return True
    if _is_vague(outer) or host.endswith(_CLOUDS):
        return outer.type not in ("GenAI::Agent", "GenAI::Tool")
    return _machine(host) == _machine(outer.name.rpartition("@")[2])


def _is_vague(node: NodeKey) -> bool:
    """Whether a node has the name of its kind for want of one of its own."""
    family, _, kind = node.type.partition("::")
    if node.type == "Database::SQL":
        return node.name in SQL_SYSTEMS
    return family in ("Database", "Messaging") and kind in (node.name, system_name(node.name))


def _is_host(name: str) -> bool:
    """Whether a name is more likely that of a host than one given to a service."""
    return "." in name or ":" in name or _machine(name) == _machine("localhost")


def _machine(host: str) -> str:
    """A host as one name: the caller's own machine has many (`store.otel.hosts.called_host`)."""
    own = host.partition(" ")[0].partition(":")[0]
    return "localhost" if is_loopback(host) or is_loopback(own) else host.lower()
