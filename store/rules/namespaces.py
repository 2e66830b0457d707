"""Services with a namespace: a ``service.name`` is unique only within its ``service.namespace``.

The node of such a service is called ``namespace/name``, as Prometheus's ``job`` is, so that all that tells nodes
apart by their names tells these apart, in every window alike. A graph that has one of that name shows it by the name
alone (`bare_names`). Who names a service from outside, in a filter, a log line or a deployment, may do either: the
name alone means all services of that name, the other one (`goes_by`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from store.model import NodeKey

MAX_NAME = 200
_UNIQUE = "AWS::Lambda::Function"
"""Type of services whose names are unique in their account and region."""


def full_name(namespace: str, name: str, type: str) -> str:
    """The name of a service's node."""
    if not namespace or type == _UNIQUE:
        return name
    return f"{namespace}/{name}"[:MAX_NAME]


def bare_names(nodes: Mapping[NodeKey, frozenset[str]]) -> dict[NodeKey, str]:
    """The names without namespaces of the nodes that have one: ``nodes`` with the names they go by.

    Of those without units, clients and ends of edges, others of that name tell what it is short for.
    """
    services = {
        (key.name, key.type): name
        for key, names in nodes.items()
        if "/" in key.name and not key.is_client and (name := short_name(key, names))
    }
    clients = {full: name for (full, _), name in services.items()}
    found = {}
    for key in nodes if services else ():
        bare = clients.get(key.name) if key.is_client else services.get((key.name, key.type))
        if bare:
            found[key] = bare
    return found


def unique_names(bare: Mapping[NodeKey, str], nodes: Collection[NodeKey]) -> dict[NodeKey, str]:
    """Those `bare_names` that tell a node from all others: none has the rest of its key and that name."""
    keys = {key: key._replace(name=name) for key, name in bare.items()}
    times = Counter(keys.values())
    return {key: to.name for key, to in keys.items() if times[to] == 1 and to not in nodes}


def goes_by(name: str, node: NodeKey, names: Iterable[str]) -> bool:
    """Whether a name from outside is that of a node's service, with its namespace or without it."""
    return name in own_names(node, names)


def own_names(node: NodeKey, names: Iterable[str]) -> frozenset[str]:
    """The name of a node, and that without its namespace; ``names``: those it goes by."""
    return frozenset((node.name, short_name(node, names) or node.name))


def short_name(node: NodeKey, names: Iterable[str]) -> str:
    """The name of a node's service without its namespace, if it has one and is among the names the node goes by; else
    ''."""
    if "/" not in node.name:
        return ""
    return max((name for name in names if node.name.endswith(f"/{name}")), key=len, default="")


def names_of(node: NodeKey, service: str) -> frozenset[str]:
    """The names of a service's node and of what stands in front of it."""
    return own_names(node, (service,))
