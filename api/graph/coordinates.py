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


def assign_y(
    columns: Sequence[Sequence[int]],
    left: Sequence[Sequence[int]],
    right: Sequence[Sequence[int]],
    room: Sequence[Extent],
    rounds: int = 8,
) -> list[float]:
    """The y of all nodes: columns are centred, then moved towards their neighbours in sweeps."""
    y = [0.0] * len(room)
    for column in columns:
        offsets = _offsets(column, room)
        middle = (offsets[-1] if offsets else 0.0) / 2
        for node, offset in zip(column, offsets, strict=True):
            y[node] = offset - middle
    for turn in range(rounds):
        near, sweep = (left, columns[1:]) if turn % 2 == 0 else (right, columns[-2::-1])
        for column in sweep:
            wanted = {
                node: sum([y[other] for other in near[node]]) / len(near[node])
                if near[node]
                else y[node]
                for node in column
            }
            for node, height in zip(column, isotonic(column, wanted, room), strict=True):
                y[node] = height
    return y
