"""The lines between the boxes of a map, compared as edges are: with the minutes of all edges that a line stands for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from api.comparison.causes import Place, Trend, followed
from api.comparison.series import Elements
from api.comparison.significance import Difference
from api.comparison.sums import Callers
from api.graph.build import Graph, calls_of
from store.model import NodeKey

Line = tuple[str, str]
"""The boxes at its ends."""


class Lines(NamedTuple):
    """The lines of two graphs. ``edges``: by line, the indices of its edges: of its calls, or of its links if it has no calls.
    ``boxes``: by index of `Elements`, the box of a node."""

    ends: list[Line]
    edges: list[list[int]]
    boxes: list[str | None]

    def indices(self, places: Mapping[int, int]) -> dict[int, int]:
        """The line by the id of a series, from the node or edge."""
        line_of = {edge: line for line, edges in enumerate(self.edges) for edge in edges}
        return {id: line_of[at] for id, at in places.items() if at in line_of}

    def callers(self, callers: Callers) -> list[Collection[int] | None]:
        """By line those of its edges, as `Elements.callers`."""
        return [
            sorted({at for edge in edges for at in callers[edge] or ()}) or None
            for edges in self.edges
        ]

    def followed(
        self, found: Sequence[Difference], in_boxes: Iterable[Difference]
    ) -> dict[tuple[int, Trend], str]:
        """By line and trend, the box in which that begins; ``in_boxes``: differences of nodes and edges."""
        every = list(dict.fromkeys(box for box in self.boxes if box is not None))
        index = {box: len(self.ends) + at for at, box in enumerate(every)}
        lines = [Place(index[source], index[target]) for source, target in self.ends]
        places = [*lines, *(Place() for _ in every)]
        members = [
            each._replace(place=index[box])
            for each in in_boxes
            if each.place < len(self.boxes) and (box := self.boxes[each.place]) is not None
        ]
        following = followed([*found, *members], places)
        return {
            (at, trend): every[(places[origin].target or origin) - len(self.ends)]
            for (at, trend), origin in following.items()
            if at < len(self.ends)
        }


def lines_of(elements: Elements, graphs: Collection[Graph], value: Mapping[NodeKey, str]) -> Lines:
    """The lines between nodes of different boxes."""
    boxes = [value.get(node) for node in elements.nodes]
    found: dict[Line, list[int]] = {}
    for at, (source, target) in enumerate(elements.edges, len(elements.nodes)):
        ends = value.get(source), value.get(target)
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            found.setdefault((ends[0], ends[1]), []).append(at)
    links = {pair for graph in graphs for pair in graph.edges if calls_of(graph, *pair).link}

    def measured(edges: list[int]) -> list[int]:
        calls = [at for at in edges if elements.pair(at) not in links]
        return calls or edges

    return Lines(list(found), [measured(each) for each in found.values()], boxes)
