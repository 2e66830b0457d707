"""Which nodes of a map are one although their keys differ (docs/xray-format.md §5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from store.model import NodeKey


def joined_nodes(nodes: Mapping[NodeKey, bool]) -> dict[NodeKey, NodeKey]:
    """The nodes that join another one, with the node they join.

    ``nodes``: for each key whether the node is active, which one that reported itself is. A call
    that no segment answers often names a resource without its account or its region. Such an
    inferred node joins the only node that has the same name, type and whatever it does name, and
    names more; with several of them it is not known which, and it stays. A node that is joined
    does not itself join another.
    """
    joined: dict[NodeKey, NodeKey] = {}
    candidates: dict[NodeKey, list[NodeKey]] = {}
    inferred = {key.name for key, active in nodes.items() if not active}
    # Most nodes of a large map report themselves, and no other one has their name.
    for key in sorted((key for key in nodes if key.name in inferred), key=_blanks):
        found = candidates.get(key, ())
        if len(found) == 1 and not nodes[key] and not key.is_client:
            joined[key] = found[0]
        else:
            for less in _less_specific(key):
                candidates.setdefault(less, []).append(key)
    return joined


def _blanks(key: NodeKey) -> int:
    return (not key.account) + (not key.region)


def _less_specific(key: NodeKey) -> Iterator[NodeKey]:
    """The key without account, without region, and without both: those that differ from it."""
    account, name, type, region = key
    less = {
        NodeKey("", name, type, region),
        NodeKey(account, name, type),
        NodeKey("", name, type),
    }
    return iter(less - {key})
