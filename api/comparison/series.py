"""Which series of minutes is which node or edge of two graphs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from api.comparison.causes import Place
from api.graph.build import Graph, calls_of, stats_of
from store.minutes import Series, SeriesKind
from store.model import NodeKey
from store.query import Ends

Element = NodeKey | Ends


class Elements(NamedTuple):
    """The nodes and edges of both graphs: each has an index, nodes come first."""

    nodes: list[NodeKey]
    edges: list[Ends]
    keys: Mapping[NodeKey, int]
    """The index of the node by the key of what is counted."""

    def places(self) -> list[Place]:
        """What each index is."""
        index = {node: at for at, node in enumerate(self.nodes)}
        ends = [Place(index[source], index[target]) for source, target in self.edges]
        return [*(Place() for _ in self.nodes), *ends]

    def pair(self, index: int) -> Ends:
        """The ends of an edge."""
        return self.edges[index - len(self.nodes)]

    def indices(self, series: Mapping[int, Series], graphs: Collection[Graph]) -> dict[int, int]:
        """The index by the id of a series. A node without requests is its background work, and calls win over links, as on the map."""
        ends = {pair: len(self.nodes) + at for at, pair in enumerate(self.edges)}
        background = {
            node for graph in graphs for node in graph if stats_of(graph, node).is_background
        }
        links = {pair for graph in graphs for pair in graph.edges if calls_of(graph, *pair).link}
        found = {}
        for id, each in series.items():
            at = self.keys.get(each.node)
            if at is None:
                continue
            node = self.nodes[at]
            if each.kind in (SeriesKind.NODE, SeriesKind.BACKGROUND):
                if (each.kind is SeriesKind.BACKGROUND) == (node in background):
                    found[id] = at
                continue
            source = self.keys.get(each.source)
            pair = (each.source if source is None else self.nodes[source], node)
            if pair in ends and (each.kind is SeriesKind.LINKS) == (pair in links):
                found[id] = ends[pair]
        return found

    def callers(self, graphs: Collection[Graph]) -> list[Collection[int] | None]:
        """By index those whose requests say how many calls an edge has: its source, if it has requests in both."""
        index = {node: at for at, node in enumerate(self.nodes)}
        busy = {
            node
            for node in self.nodes
            if all(node in graph and stats_of(graph, node).statistics.total for graph in graphs)
        }
        of_edges = [(index[source],) if source in busy else None for source, _ in self.edges]
        return [*(None for _ in self.nodes), *of_edges]


def elements_of(graphs: Collection[Graph]) -> Elements:
    """The nodes and edges of graphs."""
    nodes = sorted({node for graph in graphs for node in graph})
    edges = sorted({pair for graph in graphs for pair in graph.edges})
    index = {node: at for at, node in enumerate(nodes)}
    keys = {
        key: index[node] for graph in graphs for node in graph for key in stats_of(graph, node).keys
    }
    return Elements(nodes, edges, keys)
