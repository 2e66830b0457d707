"""Services with a namespace: a ``service.name`` is unique only within its ``service.namespace``.

The node of such a service is called ``namespace/name``, as Prometheus's ``job`` is, so that all that tells nodes
apart by their names tells these apart. Its units go by the name alone, too, by which filters find all of them
(`Document.service`), and where a graph has one of that name, the node is called so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from store.model import NodeKey

MAX_NAME = 200
_UNIQUE = "AWS::Lambda::Function"
"""Type of services whose names are unique in their account and region."""


def full_name(namespace: str, name: str, type: str) -> str:
    """The name of a service's node."""
    if not namespace or type == _UNIQUE:
        return name
    return f"{namespace}/{name}"[:MAX_NAME]


def short_keys(nodes: Mapping[NodeKey, frozenset[str]]) -> dict[NodeKey, NodeKey]:
    """The nodes of services with a namespace that need not be called by it: no other has the rest of their key.

    ``nodes`` with the names they go by. Of those without units, clients and ends of edges, others of that name
    tell what it is short for.
    """
    services = {
        (key.name, key.type): name
        for key, names in nodes.items()
        if not key.is_client and (name := short_name(key, names))
    }
    clients = {full: name for (full, _), name in services.items()}
    found: dict[NodeKey, NodeKey] = {}
    for key in nodes if services else ():
        short = clients.get(key.name) if key.is_client else services.get((key.name, key.type))
        if short:
            found[key] = key._replace(name=short)
    times = Counter(found.values())
    return {key: to for key, to in found.items() if times[to] == 1 and to not in nodes}


def short_name(node: NodeKey, names: Iterable[str]) -> str:
    """The name of a node's service without its namespace, if it has one and is among the names the node goes by; else
    ''."""
    if "/" not in node.name:
        return ""
    return max((name for name in names if node.name.endswith(f"/{name}")), key=len, default="")


def names_of(node: NodeKey, service: str) -> frozenset[str]:
    """The names of a service's node and of what stands in front of it."""
    return frozenset((node.name, short_name(node, (service,)) or node.name))
