"""Who called whom: a pure function of the documents of traces. The contract holds the SQL to it.

The rules, in X-Ray's words (docs/xray-format.md §4.3, §5.2-5.6):

* A segment is a unit of its own node. A call is answered when a segment of the trace names it as
  parent; an unanswered call is a unit of the node it leads to: the inferred node.
* An edge goes from the node of the segment that owns the call to the node of whoever answered, or
  to the inferred node, with the call's own figures: edges are the caller's view.
* A segment whose parent is another segment (the Lambda pair) or a subsegment that is no call gets
  an edge with its own figures: nobody else measured that way.
* A link joins two traces: an edge of its own kind from the node of what sent the event (the queue,
  when nobody answered the sending call) to the node that received it. Linked from both ends it
  counts once, by the receiver's word.
* A unit counts as often as its document, call or link weighs.
* A segment without a parent, or whose parent nobody in the trace has, entered here: a client node
  stands before it. A segment whose parent is known but belongs to no known segment has no edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from store.model import (
    MINUTE,
    Document,
    EdgeStats,
    NodeKey,
    OwnedCall,
    OwnedLink,
    ServiceGraph,
    ServiceStats,
    State,
    Statistics,
    TimeRange,
    Trace,
    client_of,
)
from store.rules.classify import failure_label
from store.rules.histogram import bucket

MAX_CLIMB = 32
"""How many independent subsegments may hang below each other; deeper ones count as orphans."""


class NodeUnit(NamedTuple):
    """One unit of work of a node."""

    node: NodeKey
    names: frozenset[str]
    active: bool
    root: bool
    start: int
    end: int
    last_end: int
    state: State
    label: str
    weight: int = 1


class EdgeUnit(NamedTuple):
    """One call along an edge."""

    source: NodeKey
    target: NodeKey
    alias: str
    start: int
    end: int
    state: State
    label: str
    weight: int = 1
    link: bool = False


class ParentIndex:
    """Kinship inside one trace: who holds an id, and which segment owns it.

    A document holds its own id, its members, and the calls that name it: a call has one document, and
    stays when a later copy of that leaves it out.
    """

    def __init__(self, trace: Trace) -> None:
        called: dict[int, list[int]] = {}
        for owned in trace.calls.values():
            called.setdefault(owned.document_id, []).append(owned.call.id)
        self._holders: dict[int, Document] = {}
        # When several documents claim one id the segment holds it, then the smallest document id.
        for document in sorted(trace.documents.values(), key=lambda d: (d.independent, d.id)):
            for member in (document.id, *document.members, *called.get(document.id, ())):
                self._holders.setdefault(member, document)

    def containing_document(self, id: int) -> Document | None:
        """The document that is, or embeds, the segment or subsegment with this id."""
        return self._holders.get(id)

    def owning_segment(self, document: Document | None) -> Document | None:
        """The segment a document belongs to: itself, or reached parent by parent."""
        for _ in range(MAX_CLIMB):
            if document is None or not document.independent:
                return document
            document = self._holders.get(document.parent_id)
        return None


def segments_by_parent_id(trace: Trace) -> dict[int, list[Document]]:
    """The segments that name each parent id, by that id."""
    children: dict[int, list[Document]] = {}
    for document in trace.documents.values():
        if not document.independent and document.parent_id:
            children.setdefault(document.parent_id, []).append(document)
    return children


def call_owner(owned: OwnedCall, trace: Trace, family: ParentIndex) -> NodeKey | None:
    """The node whose segment made the call; None for an orphan's."""
    if not owned.independent:
        return owned.node
    owning_segment = family.owning_segment(trace.documents.get(owned.document_id))
    return owning_segment.node if owning_segment else None


def is_root(document: Document, trace: Trace, family: ParentIndex) -> bool:
    """Whether a segment entered from outside: no parent, or one that nobody in the trace has."""
    if document.independent:
        return False
    parent = document.parent_id
    return not parent or (parent not in trace.calls and family.containing_document(parent) is None)


def trace_units(trace: Trace) -> Iterator[NodeUnit | EdgeUnit]:
    """Every unit of one trace."""
    family = ParentIndex(trace)
    children = segments_by_parent_id(trace)
    for owned in trace.calls.values():
        yield from _call_units(owned, trace, family, children.get(owned.call.id, ()))
    for document in trace.documents.values():
        if not document.independent:
            yield from _segment_units(document, trace, family)


def _call_units(
    owned: OwnedCall, trace: Trace, family: ParentIndex, answers: Iterable[Document]
) -> Iterator[NodeUnit | EdgeUnit]:
    call = owned.call
    source = call_owner(owned, trace, family)
    label = failure_label(call.exception, call.status)
    targets = {answer.node for answer in answers}
    if not targets:
        yield NodeUnit(
            call.node,
            frozenset((call.node.name, call.service)),
            active=False,
            root=False,
            start=call.start,
            end=call.end,
            last_end=call.end,
            state=call.state,
            label=label,
            weight=call.weight,
        )
        targets = {call.node}
    if source is not None:
        for target in targets:
            alias = call.host if call.host != target.name else ""
            times = call.start, call.end
            yield EdgeUnit(source, target, alias, *times, call.state, label, call.weight)


def _segment_units(
    document: Document, trace: Trace, family: ParentIndex
) -> Iterator[NodeUnit | EdgeUnit]:
    root = is_root(document, trace, family)
    node, times = document.node, (document.start, document.end)
    label = failure_label(document.exception, document.http.status)
    weight = document.weight
    yield NodeUnit(
        node,
        frozenset((node.name, document.service)),
        not document.inferred,
        root,
        *times,
        document.last_end,
        document.state,
        label,
        weight,
    )
    if root:
        yield EdgeUnit(client_of(node), node, "", *times, document.state, label, weight)
    elif document.parent_id not in trace.calls:
        owning_segment = family.owning_segment(family.containing_document(document.parent_id))
        if owning_segment is not None:
            yield EdgeUnit(owning_segment.node, node, "", *times, document.state, label, weight)


class End(NamedTuple):
    """One end of a link, found: its node, and when it ended."""

    node: NodeKey
    end: int


def find_end(trace: Trace, id: int) -> End | None:
    """The node that a segment, subsegment or call of a trace stands for in a link."""
    owned = trace.calls.get(id)
    if owned is not None:
        answers = [d.node for d in segments_by_parent_id(trace).get(id, ())]
        return End(min(answers, default=owned.call.node), owned.call.end)
    family = ParentIndex(trace)
    containing_document = family.containing_document(id)
    owning_segment = family.owning_segment(containing_document)
    return (
        End(owning_segment.node, containing_document.end)
        if containing_document is not None and owning_segment is not None
        else None
    )


def link_units(trace: Trace, lookup: Callable[[bytes], Trace | None]) -> Iterator[EdgeUnit]:
    """The units of a trace's links whose other ends `lookup` finds."""
    family = ParentIndex(trace)
    for owned in trace.links.values():
        link = owned.link
        other = lookup(link.trace_id)
        own = owned.node
        if owned.independent:
            owning_segment = family.owning_segment(trace.documents.get(owned.document_id))
            if owning_segment is None:
                continue
            own = owning_segment.node
        end = find_end(other, link.id) if other is not None else None
        if other is None or end is None:
            continue
        if link.upstream:
            source, target = end.node, own
            age = (link.received or owned.start) - end.end
        elif any(
            back.link.upstream and back.link.trace_id == trace.trace_id
            for back in other.links.values()
        ):
            continue
        else:
            source, target = own, end.node
            age = link.received - owned.end
        times = owned.start, owned.start + max(0, age)
        outcome = owned.state, owned.label
        yield EdgeUnit(source, target, "", *times, *outcome, link.weight, link=True)


def all_units(
    trace: Trace, lookup: Callable[[bytes], Trace | None]
) -> Iterator[NodeUnit | EdgeUnit]:
    """Every unit of one trace, links to others included."""
    yield from trace_units(trace)
    if trace.links:
        yield from link_units(trace, lookup)


def build_service_graph(
    traces: Iterable[Trace],
    window: TimeRange | None = None,
    lookup: Callable[[bytes], Trace | None] | None = None,
    *,
    weighted: bool = True,
) -> ServiceGraph:
    """The service graph of traces: units whose start lies in the window, all without one.

    ``lookup`` finds traces that links lead to; without it only those given are known. Not
    ``weighted``, every unit counts once: a picture of these traces, not of those they stand for.
    """
    if lookup is None:
        traces = list(traces)
        lookup = {trace.trace_id: trace for trace in traces}.get
    services: dict[NodeKey, ServiceStats] = {}
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    trace_minutes: dict[NodeKey, dict[tuple[int, bytes], int]] = {}
    for trace in traces:
        for unit in all_units(trace, lookup):
            if window is not None and unit.start not in window:
                continue
            if not weighted:
                unit = unit._replace(weight=1)
            if isinstance(unit, NodeUnit):
                _count_node(services, unit)
                pair = (unit.start // MINUTE, trace.trace_id)
                lightest = trace_minutes.setdefault(unit.node, {})
                lightest[pair] = min(unit.weight, lightest.get(pair, unit.weight))
            else:
                _count_edge(links if unit.link else edges, unit)
    for key, lightest in trace_minutes.items():
        services[key].trace_minutes = sum(lightest.values())
    add_missing_endpoints(services, [*edges.values(), *links.values()])
    return ServiceGraph(services, edges, links)


def add_missing_endpoints(
    services: dict[NodeKey, ServiceStats], edges: Iterable[EdgeStats]
) -> None:
    """Give every end of an edge a node: clients, and services all of whose units lie outside."""
    for edge in edges:
        for key in (edge.source, edge.target):
            known = services.get(key)
            if known is None:
                services[key] = ServiceStats(
                    key,
                    names=frozenset((key.name,)),
                    active=False,
                    root=False,
                    start=edge.start,
                    end=edge.end,
                    trace_minutes=0,
                    statistics=Statistics(),
                    durations={},
                )
            elif known.trace_minutes == 0:
                known.start = min(known.start, edge.start)
                known.end = max(known.end, edge.end)


def _count_node(services: dict[NodeKey, ServiceStats], unit: NodeUnit) -> None:
    stats = services.get(unit.node)
    if stats is None:
        stats = services[unit.node] = ServiceStats(
            unit.node,
            names=unit.names,
            active=unit.active,
            root=unit.root,
            start=unit.start,
            end=unit.end,
            trace_minutes=0,
            statistics=Statistics(histogram={}),
            durations={},
        )
    stats.names |= unit.names
    stats.active |= unit.active
    stats.root |= unit.root
    stats.start = min(stats.start, unit.start)
    stats.end = max(stats.end, unit.end)
    count(stats.statistics, unit.state, unit.end - unit.start, unit.weight)
    if unit.state:
        value = bucket(unit.last_end - unit.start)
        stats.durations[value] = stats.durations.get(value, 0) + unit.weight


def _count_edge(edges: dict[tuple[NodeKey, NodeKey], EdgeStats], unit: EdgeUnit) -> None:
    key = (unit.source, unit.target)
    stats = edges.get(key)
    if stats is None:
        stats = edges[key] = EdgeStats(
            *key,
            aliases=frozenset(),
            start=unit.start,
            end=unit.end,
            statistics=Statistics(histogram={}),
            link=unit.link,
        )
    if unit.alias:
        stats.aliases |= {unit.alias}
    stats.start = min(stats.start, unit.start)
    stats.end = max(stats.end, unit.end)
    count(stats.statistics, unit.state, unit.end - unit.start, unit.weight)


def count(statistics: Statistics, state: State, time: int, weight: int) -> None:
    """Count one unit, ``weight`` times. In progress it shows that it is there, and nothing more
    (docs/xray-format.md §5.6)."""
    statistics.observed += 1
    match state:
        case State.IN_PROGRESS:
            statistics.in_progress += weight
            return
        case State.OK:
            statistics.ok += weight
        case State.ERROR:
            statistics.error += weight
        case State.THROTTLE:
            statistics.throttle += weight
        case State.FAULT:
            statistics.fault += weight
    statistics.total_time += weight * time
    value = bucket(time)
    statistics.histogram[value] = statistics.histogram.get(value, 0) + weight


def calls_of(document: Document) -> Iterator[OwnedCall]:
    """The calls a document carries, with their owner."""
    for call in document.calls:
        yield OwnedCall(call, document.id, document.independent, document.node, document.version)


def links_of(document: Document) -> Iterator[OwnedLink]:
    """The links a document carries, with their owner."""
    label = failure_label(document.exception, document.http.status)
    for link in document.links:
        yield OwnedLink(
            link,
            document.id,
            document.independent,
            document.node,
            document.start,
            document.end,
            document.state,
            label,
            document.version,
        )
