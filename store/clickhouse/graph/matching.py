"""Which units of a window are meant: conditions on rows, and on aggregates, for some nodes and edges."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.queries.rules import SETTLED_ACCOUNT, UNCONFIRMED_SLOT
from store.clickhouse.units.aggregates import (
    ALL_UNITS,
    BACKGROUND,
    EDGE,
    LINK,
    NODE,
    NODES,
    Aggregate,
    Key,
)
from store.model import CLIENT, SETTLE_SLOT, NodeKey, confirmed, is_settled
from store.query import Ends, Entities


class Units(NamedTuple):
    """The units of some nodes or edges: their condition on units and rows of `rollups`, and on aggregates."""

    condition: Sql
    matches: Callable[[Key, Aggregate], bool]


EVERY = Units(ALL_UNITS, lambda key, aggregate: True)
_KEY = ", ".join(NodeKey._fields)
_SOURCE_KEY = ", ".join(f"source_{field}" for field in NodeKey._fields[1:])
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"


def of_nodes(nodes: Collection[NodeKey], *, kinds: Collection[int] = NODES) -> Units:
    """The units of nodes."""
    name = "nodes_" + "_".join(map(str, kinds))
    condition = (
        f"(kind IN ({', '.join(map(str, kinds))}) AND ({_KEY}) IN {{{name}:Array({_KEY_TYPE})}})"
    )
    return Units(
        Sql(condition, {name: [tuple(node) for node in nodes]}),
        lambda key, _: key[0] in kinds and key[2] in nodes,
    )


def of_edges(
    edges: Collection[Ends], settled_before: int | None, *, kinds: Collection[int]
) -> Units:
    """The calls or links along edges, those from unconfirmed clients only if they are settled."""
    name = "edges_" + "_".join(map(str, kinds))
    condition = (
        f"(kind IN ({', '.join(map(str, kinds))}) AND (({SETTLED_ACCOUNT.text}, {_SOURCE_KEY}), ({_KEY}))"
        f" IN {{{name}:Array(Tuple({_KEY_TYPE}, {_KEY_TYPE}))}}{_settled(settled_before)}"
    )

    def matches(key: Key, aggregate: Aggregate) -> bool:
        kind, source, target = key
        return (
            kind in kinds
            and (confirmed(source), target) in edges
            and is_settled(source, settled_before)
        )

    pairs = [(tuple(source), tuple(target)) for source, target in edges]
    return Units(Sql(condition + ")", {name: pairs}), matches)


def of_entries(settled_before: int | None) -> Units:
    """The calls of clients, those of unconfirmed ones only if they are settled."""
    condition = f"(kind = {EDGE} AND startsWith(source_type, '{CLIENT}'){_settled(settled_before)})"

    def matches(key: Key, aggregate: Aggregate) -> bool:
        kind, source, _ = key
        return kind == EDGE and source.is_client and is_settled(source, settled_before)

    return Units(Sql(condition), matches)


def _settled(before: int | None) -> str:
    """The end of a condition."""
    if before is None:
        return ""
    return f" AND {UNCONFIRMED_SLOT.text} < {before // SETTLE_SLOT}"


def of_entities(entities: Entities, settled_before: int | None) -> Units:
    """The units of some nodes, edges of calls and edges of links; there must be any."""
    units = [
        *(
            of_nodes(nodes, kinds=(kind,))
            for kind, nodes in ((NODE, entities.nodes), (BACKGROUND, entities.background))
            if nodes
        ),
        *(
            of_edges(edges, settled_before, kinds=(kind,))
            for kind, edges in ((EDGE, entities.edges), (LINK, entities.links))
            if edges
        ),
        *([of_entries(settled_before)] if entities.entries else []),
    ]
    condition = parenthesized(joined(" OR ", [each.condition for each in units]))
    return Units(condition, lambda *each: any(one.matches(*each) for one in units))
