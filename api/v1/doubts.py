"""Nodes and edges with their doubts: those of their counts, of clocks, and of what SDKs did not sample."""

from __future__ import annotations

from typing import NamedTuple

from api.graph.build import Graph, edge_id, edges_of, keys_of, node_id, shown_name
from api.graph.clocks import Clocks
from api.graph.trust import Doubt, Older, Trust, counted, doubts_of_edge, doubts_of_node
from api.schemas.trust_reply import PlaceTrust
from api.v1.graph import trusted
from api.v1.missing_words import time_words
from store.model import NodeKey
from store.query import Ends


class Recorded(NamedTuple):
    """How many of the requests that a sampling rule matched were sampled, as SDKs report."""

    rule: str
    requests: int
    sampled: int


class Judge:
    """Renders nodes and edges with their doubts."""

    def __init__(
        self, graph: Graph, older: Older, clocks: Clocks, rules: dict[NodeKey, set[Recorded]]
    ) -> None:
        self._graph, self._older, self._clocks, self._rules = graph, older, clocks, rules

    def node(self, node: NodeKey) -> PlaceTrust:
        """A node, judged."""
        doubts = doubts_of_node(self._graph, node, self._older)
        if not node.is_client:
            doubts += [*self._sampled(node), *self._off(node)]
        return {"id": node_id(node), "name": shown_name(self._graph, node), **trusted(doubts)}

    def edge(self, ends: Ends) -> PlaceTrust:
        """An edge, judged."""
        source, target = ends
        doubts = doubts_of_edge(self._graph, ends, self._older)
        doubts += self._sampled(target if source.is_client else source)
        doubts += self._differing(ends)
        names = " → ".join(shown_name(self._graph, each) for each in ends)
        return {"id": edge_id(*ends), "name": names, **trusted(doubts)}

    def _sampled(self, node: NodeKey) -> list[Doubt]:
        rules = {each for key in keys_of(self._graph, node) for each in self._rules.get(key, ())}
        return [
            Doubt(
                Trust.SAMPLED,
                f"{each.sampled:,} of {counted(each.requests, 'request')} of the sampling rule {each.rule} were recorded, as "
                "SDKs report; only those are counted",
                each.sampled,
                each.requests,
            )
            for each in sorted(rules)
        ]

    def _off(self, node: NodeKey) -> list[Doubt]:
        """The clock of a service that differs from most others; where none is that of most, from one."""
        keys = keys_of(self._graph, node)
        every = [(ends, skew) for ends, skew in self._clocks.edges.items() if keys & {*ends}]
        if not every:
            return []
        ahead = next((self._clocks.nodes[key] for key in keys if key in self._clocks.nodes), 0)
        ends, skew = max(every, key=lambda each: each[1].units)
        shown = f"in {skew.units:,} of {counted(skew.of, 'call')} with an answer"
        if ahead:
            words = f"its clock is {time_words(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}, {shown}"
        elif self._clocks.nodes:
            return []
        else:
            other = next((end for end in ends if end not in keys), node)
            words = f"its clock and that of {other.name} differ by {time_words(abs(skew.ahead))}, {shown}"
        return [Doubt(Trust.SKEWED, words, skew.units, skew.of, skew=ahead, trace=skew.trace)]

    def _differing(self, ends: Ends) -> list[Doubt]:
        keys = edges_of(self._graph, *ends)
        skews = [self._clocks.edges[each] for each in keys if each in self._clocks.edges]
        return [
            Doubt(
                Trust.SKEWED,
                f"the clock of {shown_name(self._graph, ends[1])} is {time_words(abs(each.ahead))} "
                f"{'ahead of' if each.ahead > 0 else 'behind'} that of {shown_name(self._graph, ends[0])}, in {each.units:,} of "
                f"{counted(each.of, 'call')} with an answer",
                each.units,
                each.of,
                skew=each.ahead,
                trace=each.trace,
            )
            for each in skews
        ]
