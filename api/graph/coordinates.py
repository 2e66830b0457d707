"""Vertical coordinates of a layered layout: close to the neighbours, without overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Extent(NamedTuple):
    """Space that a node or lane needs above and below its centre."""

    above: float
    below: float


def isotonic(
    order: Sequence[int], wanted: Mapping[int, float], room: Sequence[Extent]
) -> list[float]:
    """Isotonic regression: the y nearest to ``wanted`` (least squares) in this order without overlap.

    Pool adjacent violators: nodes out of order are moved as one block.
    """
    offsets = _offsets(order, room)
    blocks: list[tuple[float, int]] = []
    for node, offset in zip(order, offsets, strict=True):
        mean, count = wanted[node] - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean = (mean * count + other * more) / (count + more)
            count += more
        blocks.append((mean, count))
    means = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _offsets(order: Sequence[int], room: Sequence[Extent]) -> list[float]:
    """Minimal distance of each node from the first."""
    offsets: list[float] = []
    total = 0.0
    for at, node in enumerate(order):
        if at:
            total += room[order[at - 1]].below + room[node].above
        offsets.append(total)
    return offsets


SWEEPS = 8


def assign_y(
    columns: Sequence[Sequence[int]],
    left: Sequence[Sequence[int]],
    right: Sequence[Sequence[int]],
    room: Sequence[Extent],
    height: float,
) -> list[float]:
    """The y of all nodes: columns are centred, then moved towards their neighbours in sweeps, within
    ``height`` or the height of the tallest column."""
    y = [0.0] * len(room)
    spans = [_offsets(column, room) for column in columns]
    half = max([height, *(offsets[-1] for offsets in spans if offsets)]) / 2
    for column, offsets in zip(columns, spans, strict=True):
        middle = (offsets[-1] if offsets else 0.0) / 2
        for node, offset in zip(column, offsets, strict=True):
            y[node] = offset - middle
    for turn in range(SWEEPS):
        near, sweep = (left, slice(1, None)) if turn % 2 == 0 else (right, slice(-2, None, -1))
        for column, offsets in zip(columns[sweep], spans[sweep], strict=True):
            wanted = {
                node: sum([y[other] for other in near[node]]) / len(near[node])
                if near[node]
                else y[node]
                for node in column
            }
            nearest = isotonic(column, wanted, room)
            for node, at, offset in zip(column, nearest, offsets, strict=True):
                # Of an isotonic regression within bounds the solution is that without, clipped.
                y[node] = min(max(at, offset - half), half - offsets[-1] + offset)
    return y
