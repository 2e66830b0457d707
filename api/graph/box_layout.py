"""Places of boxes: a compact grid in the order of the calls, for boxes are few, wide, and call one another all over.

A layered layout of them (`api.graph.layout`) would have a column for every step of the longest path: as wide as nothing
on it could be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import networkx as nx

from api.graph.layout import COLUMN, ROW, Layout, Place
from api.graph.ranks import assign_ranks, remove_cycles

COLUMNS_PER_ROW = 1.25
"""So the grid has the shape of a browser's window."""


def lay_out_boxes(graph: nx.DiGraph) -> Layout[str]:
    """Callers left of what they call, as far as columns of equal height allow; each near the rows of its callers."""
    boxes = sorted(graph)
    number = {box: at for at, box in enumerate(boxes)}
    edges = sorted((number[v], number[w]) for v, w in graph.edges if v != w)
    rank = assign_ranks(len(boxes), remove_cycles(len(boxes), edges).edges)
    order = sorted(boxes, key=lambda box: (rank[number[box]], box))
    rows = max(1, round(sqrt(len(boxes) / COLUMNS_PER_ROW)))
    places: dict[str, Place] = {}
    for column in range(ceil(len(order) / rows)):
        stack = order[column * rows : (column + 1) * rows]
        for row, box in enumerate(_near_callers(graph, stack, places)):
            x, y = COLUMN / 2 + column * COLUMN, ROW / 2 + row * ROW
            places[box] = Place(x, y, column)
    back = {(v, w) for v, w in graph.edges if places[w].x < places[v].x}
    return Layout(places, {}, back)


def _near_callers(
    graph: nx.DiGraph, stack: Sequence[str], places: dict[str, Place]
) -> Sequence[str]:
    """A column from top to bottom."""

    def height(box: str) -> float:
        rows = [places[caller].y for caller in graph.predecessors(box) if caller in places]
        return sum(rows) / len(rows) if rows else 0.0

    return sorted(stack, key=lambda box: (height(box), box))
