"""Inferred nodes that may be another node's, as soon as what belongs to their calls arrives. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from store.graph import EdgeStats, ServiceStats
from store.graph_names import Ends
from store.model import NodeKey, is_young
from store.places import REMOTE


def leave_out_young(
    services: dict[NodeKey, ServiceStats],
    edges: dict[Ends, EdgeStats],
    links: Iterable[Ends],
    settled_before: int | None,
) -> set[NodeKey]:
    """Remove inferred nodes whose calls are all young, with their edges, as long as nothing else speaks for them. Their
    keys.

    One has no edges: a streamed call is often stored before the segment that says who made it, and in which account. Of
    another, all callers are answered under its name by other nodes: a gateway's record is often stored after the segment
    that called it by its host.
    """
    young = {
        key
        for key, stats in services.items()
        if not stats.active and is_young(stats.start, settled_before)
    }
    if not young:
        return young
    answered = {(source, alias) for (source, _), edge in edges.items() for alias in edge.aliases}
    young.difference_update(end for pair in links for end in pair)
    for source, target in edges:
        young.discard(source)
        if (source, target.name) not in answered or target.type != REMOTE:
            young.discard(target)
    for key in young:
        del services[key]
    for pair in [pair for pair in edges if pair[1] in young]:
        del edges[pair]
    return young
