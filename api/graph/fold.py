"""The folded map: nodes that tell little by themselves are drawn with another one.

X-Ray draws a Lambda function as two nodes, the service's and the function's own, and Raymap a client for each entry:
half the nodes of a serverless account. A folded map has one node for the pair, and the client beside its entry. Places
and lines alone change: every node and edge keeps its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import networkx as nx

from api.graph.build import Graph, calls_of
from api.graph.layout import LANE, Layout, Place, Point
from store.model import NodeKey

SERVICE, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"

BESIDE: Point = (-84.0, 0.0)
"""From an entry to its client."""
ABOVE: Point = (-64.0, -22.0)
"""The same where other callers' lines arrive from the left."""

Ends = tuple[NodeKey, NodeKey]


class Fold(NamedTuple):
    """Which nodes of a graph are drawn with which others; an unfolded map has none."""

    into: Mapping[NodeKey, NodeKey]

    def contracted(self, graph: Graph) -> nx.DiGraph:
        """The graph that is laid out: nodes that are drawn by themselves, and the edges among them."""
        if not self.into:
            return graph
        found = nx.DiGraph()
        found.add_nodes_from(node for node in graph if node not in self.into)
        found.add_edges_from(
            ends
            for source, target in graph.edges
            if (ends := self._ends(source, target))[0] != ends[1] or source == target
        )
        return found

    def unfolded(self, where: Layout[NodeKey], graph: Graph) -> Layout[NodeKey]:
        """Every node and edge of a graph where the layout of its `contracted` one draws it."""
        if not self.into:
            return where
        found: Layout[NodeKey] = Layout(self._places(where, graph), {}, set())
        drawn: set[Ends] = set()
        for source, target in graph.edges:
            ends = self._ends(source, target)
            bends = where.bends.get(ends, [])
            if ends in drawn and ends[0] != ends[1]:
                bends = _lowered(bends, *(found.places[end] for end in ends))
            drawn.add(ends)
            if bends:
                found.bends[source, target] = bends
            if ends in where.back:
                found.back.add((source, target))
        return found

    def _ends(self, source: NodeKey, target: NodeKey) -> Ends:
        return self.into.get(source, source), self.into.get(target, target)

    def _places(self, where: Layout[NodeKey], graph: Graph) -> dict[NodeKey, Place]:
        ends = [self._ends(*edge) for edge in graph.edges]
        called = {target for source, target in ends if source != target}
        places = dict(where.places)
        for node, head in self.into.items():
            x, y, rank = where.places[head]
            if node.is_client:
                right, down = ABOVE if head in called else BESIDE
                x, y = x + right, y + down
            places[node] = Place(x, y, rank)
        return places


UNFOLDED = Fold({})


def fold(graph: Graph) -> Fold:
    """Functions are drawn with the service that alone invokes them, clients with the only node that they call."""
    into = {node: head for node in graph if (head := _service_of(graph, node)) is not None}
    for node in graph:
        callees = {into.get(callee, callee) for callee in graph.successors(node)}
        if node.is_client and len(callees) == 1:
            into[node] = callees.pop()
    return Fold(into)


def _service_of(graph: Graph, node: NodeKey) -> NodeKey | None:
    """The node of Lambda's service that invokes a function and does nothing else."""
    if node.type != FUNCTION:
        return None
    callers = [
        caller
        for caller in graph.predecessors(node)
        if not caller.is_client and not calls_of(graph, caller, node).link
    ]
    if len(callers) != 1:
        return None
    (service,) = callers
    is_pair = service.type == SERVICE and service.name == node.name
    return service if is_pair and [*graph.successors(service)] == [node] else None


def _lowered(bends: list[Point], source: Place, target: Place) -> list[Point]:
    """The line of a second edge with the same ends, below the first."""
    points = bends or [((source.x + target.x) / 2, (source.y + target.y) / 2)]
    return [(x, y + LANE.below) for x, y in points]
