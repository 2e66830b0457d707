"""Traces → units of work: the rules that derive nodes and edges. Pure; ClickHouse has to agree.

Sources: docs/xray-format.md §4.3 and §5.2-5.6.

* A segment is a unit of its own node. A call is answered when a segment of the trace names it as its
  parent; an unanswered call is a unit of the node it leads to, the inferred node.
* An edge leads from the node of the segment that owns the call to the node of the answering segment,
  or to the inferred node, with the call's own statistics: edges are the caller's view.
* A segment whose parent is another segment (the Lambda pair), or a subsegment that is no call, gets
  an edge with its own statistics, because the caller measured none.
* A link joins two traces: a separate kind of edge from the node that sent the event (the queue, when
  the sending call is unanswered) to the node that received it. A link reported by both ends counts
  once, as the receiver reports it.
* A unit counts as often as its document, call or link weighs.
* A segment without a parent, or whose parent is unknown in the trace, is a root: a client node
  precedes it, unless a link of it to what caused it resolves, or a link of another trace says that
  it caused the root: then its caller is known. While the parent, or what a link of the root says
  caused it, is unknown, the client is unconfirmed (`store.model.UNCONFIRMED`): it may still arrive.
  A segment whose parent is known but belongs to no known segment has no incoming edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from store.model import (
    Document,
    NodeKey,
    OwnedCall,
    OwnedLink,
    State,
    Trace,
    client_of,
)
from store.parents import (
    ParentIndex,
    calling_node,
    is_root,
    resolve_link_end,
    segments_by_parent_id,
)
from store.rules.classify import failure_label
from store.rules.other_names import OTHER_NAMES, Excess, Place
from store.times import MINUTE


class NodeUnit(NamedTuple):
    """One unit of work of a node. Times in microseconds since the epoch.

    ``origin``: the segment it is, or the call that no segment answered.
    """

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
    origin: Document | OwnedCall | None = None


class EdgeUnit(NamedTuple):
    """One call along an edge. Times in microseconds since the epoch.

    ``origin``: the call, or the segment called, whose own figures it has; None of a link.
    """

    source: NodeKey
    target: NodeKey
    alias: str
    start: int
    end: int
    state: State
    label: str
    weight: int = 1
    link: bool = False
    origin: Document | OwnedCall | None = None


Unit = NodeUnit | EdgeUnit
FindTrace = Callable[[bytes], Trace | None]
"""Looks up the other trace of a link by its id."""
LinkedIds = Callable[[bytes], Collection[int]]
"""The ids in a trace to which other traces link as to what they caused."""


def no_links(trace_id: bytes) -> Collection[int]:
    """No trace links to another."""
    return ()


def links_among(traces: Iterable[Trace]) -> LinkedIds:
    """The links of some traces to what they caused."""
    found: dict[bytes, set[int]] = {}
    for trace in traces:
        for owned in trace.links.values():
            if not owned.link.upstream:
                found.setdefault(owned.link.trace_id, set()).add(owned.link.id)
    return lambda trace_id: found.get(trace_id, ())


def all_units(trace: Trace, find: FindTrace, linked_ids: LinkedIds = no_links) -> Iterator[Unit]:
    """Every unit of one trace, those of its links to other traces included."""
    yield from trace_units(trace, caused=caused_documents(trace, find, linked_ids))
    if trace.links:
        yield from link_units(trace, find)


def caused_documents(
    trace: Trace, find: FindTrace, linked_ids: LinkedIds = no_links
) -> frozenset[int]:
    """The documents whose cause in another trace is known: by a link of theirs to it, where that is
    stored, or by a link from it to them."""
    own = {
        owned.document_id
        for owned in trace.links.values()
        if owned.link.upstream
        and (other := find(owned.link.trace_id)) is not None
        and resolve_link_end(other, owned.link.id) is not None
    }
    linked = linked_ids(trace.trace_id)
    if linked:
        parents = ParentIndex(trace)
        own |= {
            document.id
            for id in linked
            if (document := parents.containing_document(id)) is not None
        }
    return frozenset(own)


def with_other_names(unit: Unit, excess: Excess) -> Unit:
    """The unit with `OTHER_NAMES` in place of names in excess (`store.rules.other_names`); a client
    goes with its root. The first of the names remains as an example."""
    if not excess:
        return unit
    minute = unit.start // MINUTE
    if isinstance(unit, NodeUnit):
        others = excess.get(Place(minute, unit.node.account), frozenset())
        if unit.node.name not in others:
            return unit
        names = {OTHER_NAMES} | ({unit.node.name} & {min(others)})
        return unit._replace(node=_other(unit.node), names=frozenset(names))
    folds = [
        end.name in excess.get(Place(minute, end.account), ()) for end in (unit.source, unit.target)
    ]
    if unit.source.is_client:
        folds[0] = folds[1]
    source, target = (
        _other(end) if fold else end
        for end, fold in zip((unit.source, unit.target), folds, strict=True)
    )
    return unit._replace(source=source, target=target, alias="" if folds[1] else unit.alias)


def _other(node: NodeKey) -> NodeKey:
    return node._replace(name=OTHER_NAMES)


def trace_units(
    trace: Trace, *, caused: frozenset[int] | None = None, parents: ParentIndex | None = None
) -> Iterator[Unit]:
    """Every unit of one trace by itself; roots with an id in ``caused``, by default those that the
    store knew when the trace was read, have no client."""
    if caused is None:
        caused = trace.caused
    parents = parents or ParentIndex(trace)
    children = segments_by_parent_id(trace)
    linking = {owned.document_id for owned in trace.links.values() if owned.link.upstream}
    for owned in trace.calls.values():
        yield from _call_units(owned, trace, parents, children.get(owned.call.id, ()))
    for document in trace.documents.values():
        if not document.independent:
            yield from _segment_units(
                document,
                trace,
                parents,
                has_client=document.id not in caused,
                awaits_cause=document.parent_id != 0 or document.id in linking,
            )


def _call_units(
    owned: OwnedCall, trace: Trace, parents: ParentIndex, answers: Iterable[Document]
) -> Iterator[Unit]:
    call = owned.call
    source = calling_node(owned, trace, parents)
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
            origin=owned,
        )
        targets = {call.node}
    if source is not None:
        for target in targets:
            alias = call.host if call.host != target.name else ""
            times = call.start, call.end
            figures = *times, call.state, label, call.weight
            yield EdgeUnit(source, target, alias, *figures, origin=owned)


def _segment_units(
    document: Document,
    trace: Trace,
    parents: ParentIndex,
    *,
    has_client: bool,
    awaits_cause: bool,
) -> Iterator[Unit]:
    root = is_root(document, trace, parents)
    node, times = document.node, (document.start, document.end)
    label = failure_label(document.exception, document.http.status)
    weight = document.weight
    figures = *times, document.state, label, weight
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
        document,
    )
    if root:
        if has_client:
            agent = document.http.user_agent
            unconfirmed = document.start if awaits_cause else None
            client = client_of(node, agent, unconfirmed=unconfirmed)
            yield EdgeUnit(client, node, "", *figures, origin=document)
    elif document.parent_id not in trace.calls:
        parent = parents.owning_segment(parents.containing_document(document.parent_id))
        if parent is not None:
            yield EdgeUnit(parent.node, node, "", *figures, origin=document)


def link_units(trace: Trace, find: FindTrace) -> Iterator[EdgeUnit]:
    """The units of a trace's links whose other ends are stored."""
    parents = ParentIndex(trace)
    for owned in trace.links.values():
        own = _linking_node(owned, trace, parents)
        other = find(owned.link.trace_id)
        end = resolve_link_end(other, owned.link.id) if other is not None else None
        if own is None or other is None or end is None:
            continue
        link = owned.link
        if link.upstream:
            source, target = end.node, own
            age = (link.received or owned.start) - end.end
        elif _links_back(other, trace.trace_id):
            continue
        else:
            source, target = own, end.node
            age = link.received - owned.end
        times = owned.start, owned.start + max(0, age)
        outcome = owned.state, owned.label
        yield EdgeUnit(source, target, "", *times, *outcome, link.weight, link=True)


def _linking_node(owned: OwnedLink, trace: Trace, parents: ParentIndex) -> NodeKey | None:
    if not owned.independent:
        return owned.node
    segment = parents.owning_segment(trace.documents.get(owned.document_id))
    return segment.node if segment else None


def _links_back(other: Trace, trace_id: bytes) -> bool:
    """Whether the receiving trace links to this one itself; its report takes precedence."""
    return any(
        back.link.upstream and back.link.trace_id == trace_id for back in other.links.values()
    )


def calls_of(document: Document) -> Iterator[OwnedCall]:
    """The calls a document carries, with the document that carries them."""
    for call in document.calls:
        yield OwnedCall(call, document.id, document.independent, document.node, document.version)


def links_of(document: Document) -> Iterator[OwnedLink]:
    """The links a document carries, with the document that carries them."""
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
