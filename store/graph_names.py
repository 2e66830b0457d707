"""Nodes under names in excess over a window, merged into one node per account, type and region.

Each minute has at most `MOST_NAMES` of them (`store.rules.other_names`), but every minute may have
others, and a day 1,440 times as many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from operator import itemgetter
from typing import TypeAlias

from store.graph import EdgeStats, ServiceStats, merge_edge, sum_of_work
from store.model import NodeKey
from store.rules import other_names
from store.rules.other_names import (
    MOST_NAMES,
    MOST_NAMES_OF_WINDOW,
    OTHER_NAMES,
    describe_excess,
    rarest,
)

Ends: TypeAlias = tuple[NodeKey, NodeKey]
ACCOUNT = itemgetter(NodeKey._fields.index("account"))
"""Of a node's key: half of the time of an attribute, for all nodes of a map."""
Excess: TypeAlias = Mapping[str, frozenset[str]]
"""The names in excess by account."""


def fold_names(services: dict[NodeKey, ServiceStats], *edge_sets: dict[Ends, EdgeStats]) -> None:
    """Merge nodes under names in excess, with their edges, in place; all sums remain exact."""
    excess = names_in_excess(services, *edge_sets)
    if not excess:
        return
    examples = {min(names) for names in excess.values()}
    for key in [key for key in services if _is_folded(key, excess)]:
        _fold_node(services, key, examples)
    for edges in edge_sets:
        for ends in [ends for ends in edges if any(_is_folded(end, excess) for end in ends)]:
            _fold_edge(edges, ends, excess)


def names_in_excess(
    services: Mapping[NodeKey, ServiceStats], *edge_sets: Mapping[Ends, EdgeStats]
) -> Excess:
    """The rarest names of the accounts that have more than `MOST_NAMES_OF_WINDOW`.

    A name counts as often as units have it, or calls are made by it.
    """
    most = other_names.MOST_NAMES_OF_WINDOW
    nodes = set(services).union(*(chain.from_iterable(edges) for edges in edge_sets))
    if max(Counter(map(ACCOUNT, nodes)).values(), default=0) <= most:
        return {}
    counts: dict[str, Counter[str]] = {}

    def count(node: NodeKey, times: int) -> None:
        if node.name != OTHER_NAMES and not node.is_client:
            counts.setdefault(node.account, Counter())[node.name] += times

    for key, stats in services.items():
        count(key, stats.requests.statistics.observed + stats.background.statistics.observed)
    for edges in edge_sets:
        for (source, target), edge in edges.items():
            count(source, edge.statistics.observed)
            count(target, 0)
    return {account: found for account, each in counts.items() if (found := rarest(each, most))}


def name_problems(nodes: Iterable[ServiceStats], edges: Iterable[EdgeStats]) -> list[str]:
    """Who makes up names: a sentence for each node that stands for names in excess."""
    others = {
        stats.key: stats
        for stats in nodes
        if stats.key.name == OTHER_NAMES and not stats.key.is_client
    }
    callers: dict[NodeKey, Counter[str]] = {key: Counter() for key in others}
    for edge in edges if others else ():
        if edge.target in others and edge.source.name != OTHER_NAMES:
            callers[edge.target][edge.source.name] += edge.statistics.total
    return [
        describe_excess(
            callers[key], min(stats.names - {OTHER_NAMES}, default=""), _limit(stats.folded)
        )
        for key, stats in others.items()
    ]


def _limit(folded: int) -> str:
    return f"{MOST_NAMES_OF_WINDOW:,} names" if folded else f"{MOST_NAMES:,} names a minute"


def _is_folded(node: NodeKey, excess: Excess) -> bool:
    return not node.is_client and node.name in excess.get(node.account, ())


def _other(node: NodeKey) -> NodeKey:
    return node._replace(name=OTHER_NAMES)


def _fold_node(services: dict[NodeKey, ServiceStats], key: NodeKey, examples: set[str]) -> None:
    """Count a node as `OTHER_NAMES`; a name among ``examples`` remains as one."""
    stats, other = services.pop(key), _other(key)
    known = services.setdefault(other, _nothing(other, stats))
    known.folded += 1
    known.names |= {key.name} & examples
    known.active |= stats.active
    known.root |= stats.root
    known.start, known.end = min(known.start, stats.start), max(known.end, stats.end)
    known.requests = sum_of_work(known.requests, stats.requests)
    known.background = sum_of_work(known.background, stats.background)


def _nothing(other: NodeKey, like: ServiceStats) -> ServiceStats:
    return ServiceStats(
        other,
        names=frozenset((OTHER_NAMES,)),
        active=False,
        root=False,
        start=like.start,
        end=like.end,
    )


def _fold_edge(edges: dict[Ends, EdgeStats], ends: Ends, excess: Excess) -> None:
    """Count an edge as one between the nodes it joins now; a client goes with its root."""
    edge = edges.pop(ends)
    source, target = (_other(end) if _is_folded(end, excess) else end for end in ends)
    if target != ends[1]:
        edge.aliases = frozenset()
        source = _other(source) if source.is_client else source
    edge.source, edge.target = source, target
    known = edges.setdefault((source, target), edge)
    if known is not edge:
        merge_edge(known, edge)
