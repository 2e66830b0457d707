"""Cycle removal and rank assignment, the first steps of a layered (Sugiyama) layout.

Nodes are numbers 0…n-1; ties are broken by the smaller number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Edge = tuple[int, int]


class Flow(NamedTuple):
    """Acyclic edges (back edges reversed), and the original edges that were reversed."""

    edges: list[Edge]
    back: set[Edge]


def remove_cycles(size: int, edges: Iterable[Edge]) -> Flow:
    """Reverse the back edges of a depth-first search that starts at the least called nodes."""
    out: list[list[int]] = [[] for _ in range(size)]
    called = [0] * size
    for source, target in sorted(edges):
        out[source].append(target)
        called[target] += 1
    back = _back_edges(out, sorted(range(size), key=lambda v: (called[v], -len(out[v]), v)))
    forward = {(v, w) for v, targets in enumerate(out) for w in targets if (v, w) not in back}
    return Flow(sorted(forward | {(w, v) for v, w in back}), back)


def _back_edges(out: list[list[int]], starts: list[int]) -> set[Edge]:
    """Edges to a node that is still on the stack of the search."""
    new, below, done = 0, 1, 2
    state = [new] * len(out)
    back: set[Edge] = set()
    for start in starts:
        if state[start] != new:
            continue
        state[start] = below
        stack = [(start, iter(out[start]))]
        while stack:
            node, targets = stack[-1]
            for target in targets:
                if state[target] == below:
                    back.add((node, target))
                elif state[target] == new:
                    state[target] = below
                    stack.append((target, iter(out[target])))
                    break
            else:
                state[node] = done
                stack.pop()
    return back


def assign_ranks(size: int, edges: Iterable[Edge]) -> list[int]:
    """The rank of each node by longest path; sources are moved next to their nearest callee."""
    down: list[list[int]] = [[] for _ in range(size)]
    waiting = [0] * size
    for source, target in edges:
        down[source].append(target)
        waiting[target] += 1
    entries = [node for node in range(size) if not waiting[node]]
    rank = [0] * size
    ready = list(entries)
    for node in ready:
        for target in down[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in entries:
        if down[node]:
            rank[node] = min(rank[target] for target in down[node]) - 1
    return rank


def level_ranks(rank: Sequence[int], edges: Sequence[Edge], rows: int) -> list[int]:
    """Ranks of at most ``rows`` nodes where that is possible: from taller ones, nodes whose callers and callees leave
    them a choice are moved to a shorter rank beside them, those first that lengthen edges least."""
    level = list(rank)
    above: list[list[int]] = [[] for _ in level]
    below: list[list[int]] = [[] for _ in level]
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    last = max(level, default=0)
    count = [0] * (last + 1)
    for at in level:
        count[at] += 1
    while True:
        moves = []
        for node, at in enumerate(level):
            if count[at] <= rows:
                continue
            first = max([level[v] + 1 for v in above[node]], default=0)
            final = min([level[v] - 1 for v in below[node]], default=last)
            for to in (at - 1, at + 1):
                if first <= to <= final and count[to] <= count[at] - 2:
                    longer = (len(below[node]) - len(above[node])) * (at - to)
                    moves.append((-count[at], longer, count[to], node, to))
        if not moves:
            return level
        *_, node, to = min(moves)
        count[level[node]] -= 1
        count[to] += 1
        level[node] = to
