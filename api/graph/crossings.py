"""Crossing minimization by barycentre sweeps, for a layered layout.

An edge longer than one rank becomes a chain of dummy nodes, one per rank it passes, so that it
gets a lane of its own. Numbers from ``size`` on are dummies.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from api.graph.ranks import Edge

WORK = 24_000
"""Budget of node visits over all sweeps: 24 sweeps at 500 nodes (0.1 s at 2,000)."""


class Layers(NamedTuple):
    """Columns of nodes and dummies, their left and right neighbours, the dummies of each edge."""

    columns: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    chains: dict[Edge, list[int]]


def insert_dummies(rank: Sequence[int], edges: Sequence[Edge]) -> Layers:
    """Assign nodes to columns and split long edges into chains of dummies.

    At most ``4 n + 400`` dummies: the longest edges beyond that are drawn straight.
    """
    size = len(rank)
    left: list[list[int]] = [[] for _ in rank]
    right: list[list[int]] = [[] for _ in rank]
    column = list(rank)
    chains: dict[Edge, list[int]] = {}
    for source, target in sorted(edges, key=lambda e: (rank[e[1]] - rank[e[0]], e)):
        passed = range(rank[source] + 1, rank[target])
        if len(column) + len(passed) > 5 * size + 400:
            break
        chain = list(range(len(column), len(column) + len(passed)))
        column.extend(passed)
        left.extend([] for _ in chain)
        right.extend([] for _ in chain)
        for a, b in zip([source, *chain], [*chain, target], strict=True):
            right[a].append(b)
            left[b].append(a)
        if chain:
            chains[source, target] = chain
    return Layers(_first_order(column, right), left, right, chains)


def _first_order(column: list[int], right: list[list[int]]) -> list[list[int]]:
    """Initial order by depth-first search from the left, which puts subtrees together."""
    columns: list[list[int]] = [[] for _ in range(max(column, default=-1) + 1)]
    seen = [False] * len(column)
    for start in sorted(range(len(column)), key=lambda node: (column[node], node)):
        stack = [start]
        while stack:
            node = stack.pop()
            if not seen[node]:
                seen[node] = True
                columns[column[node]].append(node)
                stack.extend(reversed(right[node]))
    return columns


def minimize_crossings(given: Layers) -> list[list[int]]:
    """The columns in the best order found by alternating barycentre sweeps."""
    columns = [list(column) for column in given.columns]
    best, fewest = columns, crossings(columns, given.right)
    visited = sum(map(len, columns))
    tries = max(4, min(24, WORK // max(1, visited)))
    for sweep in range(tries):
        if not fewest:
            break
        columns = _swept(columns, given, rightwards=sweep % 2 == 0)
        count = crossings(columns, given.right)
        if count < fewest:
            best, fewest = columns, count
    return best


def _swept(columns: list[list[int]], given: Layers, *, rightwards: bool) -> list[list[int]]:
    """One sweep: each column sorted by its neighbours' mean position in the previous column."""
    neighbours = given.left if rightwards else given.right
    result = list(columns)
    steps = range(1, len(columns)) if rightwards else range(len(columns) - 2, -1, -1)
    place = [0.0] * len(given.left)
    for index in steps:
        fixed = result[index - 1 if rightwards else index + 1]
        for at, node in enumerate(fixed):
            place[node] = at
        scale = len(fixed) / max(1, len(columns[index]))
        keys = {}
        for at, node in enumerate(columns[index]):
            near = neighbours[node]
            keys[node] = sum([place[v] for v in near]) / len(near) if near else at * scale
        result[index] = sorted(columns[index], key=keys.__getitem__)
    return result


def crossings(columns: list[list[int]], right: list[list[int]]) -> int:
    """Number of crossings between adjacent columns."""
    total = 0
    for here, there in itertools.pairwise(columns):
        place = {node: at for at, node in enumerate(there)}
        ends: list[int] = []
        for node in here:
            ends += sorted([place[target] for target in right[node]])
        total += _inversions(ends, len(there))
    return total


def _inversions(values: list[int], size: int) -> int:
    """Number of inversions, by a Fenwick tree."""
    tree = [0] * (size + 1)
    total = 0
    for seen, value in enumerate(values):
        at, not_greater = value + 1, 0
        while at:
            not_greater += tree[at]
            at &= at - 1
        total += seen - not_greater
        at = value + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return total
