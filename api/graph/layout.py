"""Layered layout from left to right, computed on the server so that every viewer sees the same map.

A pure function of the sets of nodes and edges. Unit: pixels at scale 1 (column step 200, row
step 128).
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from math import ceil, sqrt
from typing import Any, Generic, NamedTuple, TypeVar

import networkx as nx
from msgspec import Struct

from api.graph.coordinates import Extent, assign_y, isotonic
from api.graph.crossings import insert_dummies, minimize_crossings
from api.graph.ranks import Edge, Flow, assign_ranks, level_ranks, remove_cycles

COLUMN, ROW = 200.0, 128.0
NODE = Extent(above=42.0, below=86.0)
"""A ring with three lines of text below: R + 12 up, R + 58 down, and a margin."""
LANE = Extent(above=14.0, below=14.0)
"""A passing edge. With its neighbours' extents it stays clear of rings and labels."""
STRAIGHT = 50.0
"""A passing edge is horizontal this far left and right of the centre of a column."""
WRAP_GAP = 70.0
"""Additional space after a rank that was wrapped into several columns."""
PART_GAP = 48.0
PART_INDENT = COLUMN / 2
"""Between two components side by side."""
ASPECT = 2.0
"""Width over height of the map in a browser's window."""
MAX_PACKINGS = 16
FEWEST_ROWS = 9
LEVEL_ROWS = 7
"""Shorter ranks are left as they are."""
MOST_LEVELLED = 60
"""Nodes of a part: in larger ones labels are not read anyway, and level ranks have a tenth more crossings."""
CACHE_SIZE = 64
"""Connected components whose layout is cached."""

Node = TypeVar("Node", bound=Hashable)
Point = tuple[float, float]


class Place(NamedTuple):
    """The centre of a node's ring, and its rank: how many calls from the left."""

    x: float
    y: float
    rank: int


class Layout(Struct, Generic[Node]):
    """Positions of nodes; bend points of edges from source to target; edges drawn backwards because
    they close a cycle."""

    places: dict[Node, Place]
    bends: dict[tuple[Node, Node], list[Point]]
    back: set[tuple[Node, Node]]


class _Part(NamedTuple):
    """A connected component laid out with its top left corner at (0, 0)."""

    nodes: Sequence[int]
    places: dict[int, Place]
    bends: dict[Edge, list[Point]]
    back: set[Edge]
    width: float
    height: float


def layout(graph: nx.DiGraph) -> Layout[Any]:
    """Positions of all nodes of a graph; the nodes must be sortable."""
    nodes = sorted(graph)
    number = {node: at for at, node in enumerate(nodes)}
    edges = sorted((number[v], number[w]) for v, w in graph.edges if v != w)
    members = nx.weakly_connected_components(graph)
    groups = [sorted(number[node] for node in part) for part in members]
    groups.sort(key=lambda group: (-len(group), group))
    result: Layout[Any] = Layout({}, {}, set())
    for part, (x, y) in _pack_rows(_parts(groups, edges)):
        for node, place in part.places.items():
            result.places[nodes[node]] = Place(round(place.x + x), round(place.y + y), place.rank)
        for (v, w), bends in part.bends.items():
            moved = [(float(round(a + x)), float(round(b + y))) for a, b in bends]
            result.bends[nodes[v], nodes[w]] = moved
        result.back.update((nodes[v], nodes[w]) for v, w in part.back)
    return result


def _parts(groups: Sequence[Sequence[int]], edges: Sequence[Edge]) -> list[_Part]:
    """Each component laid out with its own edges."""
    group_of = {node: at for at, group in enumerate(groups) for node in group}
    inside: list[list[Edge]] = [[] for _ in groups]
    for edge in edges:
        inside[group_of[edge[0]]].append(edge)
    return [_lay_out(tuple(group), tuple(own)) for group, own in zip(groups, inside, strict=True)]


def _pack_rows(parts: Sequence[_Part]) -> list[tuple[_Part, Point]]:
    """Offsets of the components, in rows as wide as lets the largest picture fit into a window."""
    widest = max([part.width for part in parts], default=0.0)
    nodes = sum(len(part.nodes) for part in parts)
    least = max(widest, ceil(1.6 * sqrt(nodes)) * COLUMN)
    packings = [_packed(parts, limit) for limit in (widest, least, *_wider(parts, least))]
    return min(packings, key=_size)


def _wider(parts: Sequence[_Part], least: float) -> list[float]:
    """Widths at which one more component stands in the first row."""
    ends = itertools.accumulate(part.width + PART_INDENT for part in parts)
    return [end for end in ends if end > least][:MAX_PACKINGS]


def _packed(parts: Sequence[_Part], limit: float) -> list[tuple[_Part, Point]]:
    packed: list[tuple[_Part, Point]] = []
    x = y = depth = 0.0
    for part in parts:
        if x and x + part.width > limit:
            x, y, depth = 0.0, y + depth + PART_GAP, 0.0
        packed.append((part, (x, y)))
        x += part.width + PART_INDENT
        depth = max(depth, part.height)
    return packed


def _size(packed: Sequence[tuple[_Part, Point]]) -> float:
    """What fitting a packing into a window is bounded by: its height, or its width over the window's aspect."""
    width = max((x + part.width for part, (x, _) in packed), default=0.0)
    height = max((y + part.height for part, (_, y) in packed), default=0.0)
    return max(width / ASPECT, height)


# Consoles request a map every few seconds, mostly with the same nodes and edges.
@lru_cache(maxsize=CACHE_SIZE)
def _lay_out(group: tuple[int, ...], edges: tuple[Edge, ...]) -> _Part:
    """One connected component; the cached result must not be modified."""
    number = {node: at for at, node in enumerate(group)}
    given = [(number[v], number[w]) for v, w in edges]
    acyclic = remove_cycles(len(group), given)
    rank = assign_ranks(len(group), acyclic.edges)
    part = _draw(group, given, acyclic, rank)
    if len(group) > MOST_LEVELLED:
        return part
    level = level_ranks(rank, acyclic.edges, max(LEVEL_ROWS, ceil(1.1 * sqrt(len(group)))))
    if level == rank:
        return part
    # Level ranks are not always lower: their longer edges have lanes.
    return min(part, _draw(group, given, acyclic, level), key=_part_size)


def _part_size(part: _Part) -> float:
    return max(part.width / ASPECT, part.height)


def _draw(
    group: tuple[int, ...], given: Sequence[Edge], acyclic: Flow, rank: Sequence[int]
) -> _Part:
    """A connected component with its nodes in these ranks."""
    number = {node: at for at, node in enumerate(group)}
    lanes = insert_dummies(rank, acyclic.edges)
    columns = minimize_crossings(lanes)
    width = _wraps(columns, len(group))
    room = _rooms(columns, width, len(group))
    y = assign_y(columns, lanes.left, lanes.right, room, sum(width) * COLUMN / ASPECT - ROW)
    x, spans = _columns_x(columns, width, len(group))
    _separate(x, y, len(group))
    shift = min(y[: len(group)]) - NODE.above
    places = {
        node: Place(x[at] + COLUMN / 2, y[at] - shift, rank[at]) for node, at in number.items()
    }
    chains = {
        edge: [
            (end + COLUMN / 2, y[lane] - shift)
            for lane in chain
            for end in spans[rank[edge[0]] + 1 + lane - chain[0]]
        ]
        for edge, chain in lanes.chains.items()
    }
    bends = _bends(given, acyclic.back, chains, places, group)
    right = max(place.x for place in places.values()) + COLUMN / 2
    floor = max(place.y for place in places.values()) + NODE.below
    back = {(group[v], group[w]) for v, w in acyclic.back}
    return _Part(group, places, bends, back, right, floor)


def _wraps(columns: Sequence[Sequence[int]], size: int) -> list[int]:
    """Sub-columns of each rank: tall ranks are wrapped, so that maps stay about 16:9."""
    rows = max(FEWEST_ROWS, ceil(1.1 * sqrt(size)))
    return [max(1, ceil(sum(node < size for node in column) / rows)) for column in columns]


def _rooms(columns: Sequence[Sequence[int]], width: Sequence[int], size: int) -> list[Extent]:
    """Extent of each node and lane; in a wrapped rank neighbours are placed side by side."""
    room = [LANE] * sum(map(len, columns))
    for column, wraps in zip(columns, width, strict=True):
        for node in column:
            full = NODE if node < size else LANE
            room[node] = Extent(full.above / wraps, full.below / wraps)
    return room


def _columns_x(
    columns: Sequence[Sequence[int]], width: Sequence[int], size: int
) -> tuple[list[float], list[tuple[float, float]]]:
    """The x of every node, and the horizontal span of lanes through each rank."""
    x = [0.0] * sum(map(len, columns))
    spans: list[tuple[float, float]] = []
    at = 0.0
    for column, wraps in zip(columns, width, strict=True):
        real = [node for node in column if node < size]
        for turn, node in enumerate(real):
            x[node] = at + turn % wraps * COLUMN
        last = at + (wraps - 1) * COLUMN
        spans.append((at - STRAIGHT, last + STRAIGHT))
        at = last + COLUMN + (WRAP_GAP if wraps > 1 else 0.0)
    return x, spans


def _separate(x: Sequence[float], y: list[float], size: int) -> None:
    """Restore the minimum row distance within each sub-column."""
    stacks: dict[float, list[int]] = {}
    for node in range(size):
        stacks.setdefault(x[node], []).append(node)
    room = [NODE] * size
    for stack in stacks.values():
        stack.sort(key=lambda node: (y[node], node))
        tight = any(y[b] - y[a] < ROW for a, b in itertools.pairwise(stack))
        if tight:
            wanted = {node: y[node] for node in stack}
            for node, height in zip(stack, isotonic(stack, wanted, room), strict=True):
                y[node] = height


def _bends(
    edges: Iterable[Edge],
    back: set[Edge],
    chains: dict[Edge, list[Point]],
    places: dict[int, Place],
    group: Sequence[int],
) -> dict[Edge, list[Point]]:
    """Bend points of each edge in its own direction; a back edge runs along its chain reversed.

    Of two opposite edges the back edge is offset, so that they do not overlap.
    """
    bends: dict[Edge, list[Point]] = {}
    both = set(edges)
    for v, w in both:
        if (v, w) in back:
            points = chains.get((w, v), [])[::-1]
            if (w, v) in both:
                points = points or [_middle(places[group[v]], places[group[w]])]
                points = [(x, y + LANE.above) for x, y in points]
        else:
            points = chains.get((v, w), [])
        if points:
            bends[group[v], group[w]] = points
    return bends


def _middle(a: Place, b: Place) -> Point:
    return ((a.x + b.x) / 2, (a.y + b.y) / 2)
