"""Which declared calls were observed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from store.declared.identity import IDENTITIES, KINDS, Kind
from store.declared.match import Matches, ResourceKey
from store.declared.model import Call, Declaration, Evidence
from store.graph import ServiceGraph
from store.model import NodeKey

Ends = tuple[NodeKey, NodeKey]
Pair = tuple[ResourceKey, ResourceKey]


class Observation:
    """The map of a window as the declared resources and calls see it.

    ``edges``: observed calls and links between nodes, those of clients omitted. ``seen``: the edge
    of each declared call that was observed. ``through``: of those of which only the whole is on the
    map, the edge of the whole.
    """

    def __init__(self, declarations: Sequence[Declaration], graph: ServiceGraph) -> None:
        self.services = [key for key in graph.services if not key.is_client]
        self.matches = Matches(declarations, self.services)
        self.edges = {ends for ends in (*graph.edges, *graph.links) if not ends[0].is_client}
        self.targets: dict[NodeKey, list[NodeKey]] = {}
        for source, target in sorted(self.edges):
            self.targets.setdefault(source, []).append(target)
        self.calls: dict[Pair, Call] = {
            (ResourceKey(number, call.source), ResourceKey(number, call.target)): call
            for number, declaration in enumerate(declarations)
            for call in declaration.calls
        }
        self.seen = {pair: ends for pair in self.calls if (ends := self.edge_of(pair))}
        self.through = self._seen_through()

    def nodes(self, key: ResourceKey) -> tuple[NodeKey, ...]:
        """The nodes of a resource; of one outside its template also those of the stack that has it."""
        own, same = self.matches.nodes[key], self.matches.same(key)
        return own if same == key else tuple(dict.fromkeys((*own, *self.matches.nodes[same])))

    def kind(self, key: ResourceKey) -> Kind:
        """What is known of a resource's type."""
        return KINDS[self.matches.resources[key].type]

    def edge_of(self, pair: Pair) -> Ends | None:
        """The first observed edge between two resources."""
        sources, targets = self.nodes(pair[0]), self.nodes(pair[1])
        between = ((source, target) for source in sources for target in targets)
        return next((ends for ends in between if ends in self.edges), None)

    def calls_unnamed(self, caller: ResourceKey, target: ResourceKey) -> bool:
        """Whether a resource was seen to call the target's service without naming a resource."""
        unnamed = IDENTITIES[self.matches.resources[target].type].unnamed
        return any(
            (called.name, called.type) == unnamed
            for source in self.nodes(caller)
            for called in self.targets.get(source, ())
        )

    def is_called_unnamed(self, target: ResourceKey) -> bool:
        """Whether a resource that was not seen may be what a caller of its own called without naming it."""
        same = self.matches.same(target)
        return not self.nodes(target) and any(
            self.calls_unnamed(source, each)
            for source, each in self.calls
            if self.matches.same(each) == same
        )

    def _seen_through(self) -> dict[Pair, Ends]:
        """A topic, bus, queue or bucket that reports nothing is passed over where the receiver continues
        the sender's trace (docs/xray-format.md §4.4)."""
        receivers: dict[ResourceKey, list[Pair]] = {}
        for pair, call in self.calls.items():
            if Evidence.EVENT in call.evidence and self.kind(pair[0]).passive:
                receivers.setdefault(self.matches.same(pair[0]), []).append(pair)
        found: dict[Pair, Ends] = {}
        for pair in self.calls:
            for onward in receivers.get(self.matches.same(pair[1]), ()):
                whole = pair[0], onward[1]
                if whole not in self.calls and (ends := self.edge_of(whole)):
                    found.setdefault(pair, ends)
                    found.setdefault(onward, ends)
        return found
