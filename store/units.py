"""Units of work: what nodes and edges count. A unit is a fact (`store.facts`) with what it draws
(`store.draw`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from store.draw import Ends, draw, draw_link, draw_message
from store.facts import (
    FindTrace,
    LinkedIds,
    caused_documents,
    facts_of,
    link_facts,
    no_links,
)
from store.model import (
    NO_NODE,
    Document,
    NodeKey,
    OwnedCall,
    OwnedLink,
    State,
    Trace,
    confirmed,
)
from store.parents import ParentIndex
from store.rules.classify import failure_label
from store.rules.other_names import OTHER_NAMES, Excess, Place
from store.times import MINUTE


class NodeUnit(NamedTuple):
    """One unit of work of a node. Times in microseconds since the epoch.

    ``origin``: the segment it is, or the call that no segment answered. ``background``: it serves no request.
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
    background: bool = False


class EdgeUnit(NamedTuple):
    """One call along an edge. Times in microseconds since the epoch.

    ``origin``: the call, or the segment called, whose own figures it has; None of a link.
    ``root``: from what is in front of a root, a client or the caller that the root names.
    ``received``: of a call, the segment that answered it. ``sent``, ``received``: of a link, the documents or the
    unanswered call that its ends are; None where they are not stored, and of a broker between them. Those of another
    trace are requests.
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
    root: bool = False
    sent: Document | OwnedCall | None = None
    received: Document | OwnedCall | None = None


Unit = NodeUnit | EdgeUnit


def all_units(
    trace: Trace,
    find: FindTrace,
    linked_ids: LinkedIds = no_links,
    parents: ParentIndex | None = None,
) -> Iterator[Unit]:
    """Every unit of one trace, those of its links to other traces included."""
    caused = caused_documents(trace, find, linked_ids)
    yield from trace_units(trace, caused=caused, parents=parents)
    if trace.links:
        yield from link_units(trace, find)


def trace_units(
    trace: Trace, *, caused: frozenset[int] | None = None, parents: ParentIndex | None = None
) -> Iterator[Unit]:
    """Every unit of one trace by itself; roots with an id in ``caused``, by default those that the
    store knew when the trace was read, have no client."""
    for fact in facts_of(trace, trace.caused if caused is None else caused, parents):
        parent, case, answer, start, end, last_end, weight, origin, age, answering, awaiting = fact
        state, label = case.state, case.label
        for source, target, words, active, root, background in draw(parent, case, answer, awaiting):
            if source is None:
                figures = start, end, last_end, state, label, weight
                yield NodeUnit(target, frozenset(words), active, root, *figures, origin, background)
            else:
                alias = words[0] if words else ""
                yield EdgeUnit(
                    source,
                    target,
                    alias,
                    start,
                    end,
                    state,
                    label,
                    weight,
                    False,
                    origin,
                    root,
                    None,
                    answering,
                )
        if age is not None and (edges := draw_message(parent, case)):
            assert isinstance(origin, Document)
            sent = _sender(origin.parent_id, trace)
            event = EdgeUnit(NO_NODE, NO_NODE, "", start, start + age, state, label, weight, True)
            yield from _along(edges, event._replace(sent=sent, received=origin))


def _sender(id: int, trace: Trace) -> Document | OwnedCall | None:
    """What sent a message, by the id that the consumer names: a call, unless that names nothing."""
    owned = trace.calls.get(id)
    if owned is None or owned.call.node.name:
        return owned or trace.documents.get(id)
    return trace.documents.get(owned.document_id)


def link_units(trace: Trace, find: FindTrace) -> Iterator[EdgeUnit]:
    """The units of a trace's links whose other ends are stored."""
    for fact in link_facts(trace, find):
        figures = fact.start, fact.end, fact.case.state, fact.case.label, fact.weight
        event = EdgeUnit(
            NO_NODE, NO_NODE, "", *figures, True, sent=fact.sent, received=fact.received
        )
        yield from _along(draw_link(fact.source, fact.case.queue, fact.target), event)


def _along(edges: Sequence[Ends], event: EdgeUnit) -> Iterator[EdgeUnit]:
    """What came along some edges: if there are two, a broker is between them."""
    last = len(edges) - 1
    for at, (source, target) in enumerate(edges):
        sent, received = (event.sent if at == 0 else None), (event.received if at == last else None)
        yield event._replace(source=source, target=target, sent=sent, received=received)


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
        end.name in excess.get(Place(minute, confirmed(end).account), ())
        for end in (unit.source, unit.target)
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
