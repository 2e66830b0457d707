"""A trace as facts: each segment and call with what stands above and below it (`store.draw`). Pure.

A segment or call counts as often as its document weighs; a link that both ends report counts once,
as the receiver reports it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from store.cases import (
    Case,
    Peer,
    case_of_call,
    case_of_link,
    case_of_segment,
    peer_of_call,
    peer_of_segment,
)
from store.draw import CAUSED, ROOT, UNDRAWN, Parent
from store.messages import links_once, units_elsewhere
from store.model import (
    BACKGROUND_KINDS,
    NO_NODE,
    Document,
    Fetched,
    NodeKey,
    OwnedCall,
    OwnedLink,
    Trace,
    settle_slot,
)
from store.parents import ParentIndex, awaits_event, is_root, request_of, resolve_link_end
from store.rules.invocations import SERVICE

FindTrace = Callable[[bytes], Trace | None]
"""Looks up the other trace of a link by its id."""
LinkedIds = Callable[[bytes], Collection[int]]
"""The ids in a trace to which other traces link as to what they caused."""


class Fact(NamedTuple):
    """A row in its relations. Times in microseconds since the epoch; ``origin``: the row.

    ``answering``: of the segments that ``answer`` stands for, all of one node, the earliest.
    ``message``: for how long what a segment got was under way, if that is a message; None if links tell of it.
    ``awaiting``: the `SETTLE_SLOT` in which ``answer`` arrived whose event may yet be known, else 0.
    """

    parent: Parent
    case: Case
    answer: Peer | None
    start: int
    end: int
    last_end: int
    weight: int
    origin: Document | OwnedCall
    message: int | None = None
    answering: Document | None = None
    awaiting: int = 0


class LinkFact(NamedTuple):
    """A link whose ends are stored. It lasts from the end of what sent the event to its receipt.

    ``sent``, ``received``: the requests, or the unanswered call, at its ends; None where they are not stored.
    """

    source: Peer
    target: Peer
    case: Case
    start: int
    end: int
    weight: int
    sent: Document | OwnedCall | None = None
    received: Document | OwnedCall | None = None


def facts_of(
    trace: Trace, caused: Collection[int], parents: ParentIndex | None = None
) -> Iterator[Fact]:
    """The facts of one trace by itself: its calls, then its segments. ``caused``: the documents whose
    cause in another trace is known (`caused_documents`)."""
    parents = parents or ParentIndex(trace)
    answered = parents.answers_by_call
    for owned in parents.once.calls.values():
        parent = _caller(owned, trace, parents)
        case = case_of_call(owned)
        figures = owned.call.start, owned.call.end, owned.call.end, owned.call.weight
        answers = answered.get(owned.call.id)
        if not answers or _is_several(owned, answers):
            yield Fact(parent, case, None, *figures, owned)
            continue
        for answer in _first_by_node(answers):
            awaiting = _slot(answer) if awaits_event(answer) else 0
            peer = peer_of_segment(answer)
            yield Fact(parent, case, peer, *figures, owned, None, answer, awaiting)
    linking = {owned.document_id for owned in trace.links.values() if owned.link.upstream}
    elsewhere = units_elsewhere(trace)
    for document in trace.documents.values():
        if parents.is_request(document) and document.id not in elsewhere:
            linked = document.id in linking
            awaits_cause = document.parent_id != 0 or linked or _awaits_event(document)
            if is_root(document, trace, parents):
                parent = _root(document, caused, awaits_cause=awaits_cause)
            else:
                parent = _parent(document.parent_id, trace, parents, answered)
            case = case_of_segment(document)
            figures = document.start, document.end, document.last_end, document.weight
            sent = trace.calls.get(document.parent_id)
            if sent and not sent.call.node.name:
                sent = None
            age = age_of_event(document.start, sent.call.end) if sent else 0
            by_links = sent is None and linked
            yield Fact(parent, case, None, *figures, document, None if by_links else age)


def _is_several(owned: OwnedCall, answers: Sequence[Document]) -> bool:
    """Whether a call is work with several calls inside it: one that names nothing has but one answer."""
    return not owned.call.node.name and len(answers) > 1


def _first_by_node(answers: list[Document]) -> Iterable[Document]:
    if len(answers) == 1:
        return answers
    found: dict[NodeKey, Document] = {}
    for each in sorted(answers, key=lambda each: (each.start, each.id)):
        found.setdefault(each.node, each)
    return found.values()


def _caller(owned: OwnedCall, trace: Trace, parents: ParentIndex) -> Parent:
    """The segment of a streamed call, if it has arrived; the case of any other call knows its owner."""
    if owned.owner is not None:
        return UNDRAWN
    return _work(trace.documents.get(owned.document_id), parents)


def _root(document: Document, caused: Collection[int], *, awaits_cause: bool) -> Parent:
    if document.id in caused:
        return CAUSED
    return _slot(document) if awaits_cause else ROOT


def _slot(document: Document) -> int:
    joined = document.node.type == SERVICE
    return settle_slot(document.start, document.version, joined=joined)


def _awaits_event(root: Document) -> bool:
    """The same of what has no parent: with a client, which the event would take from it."""
    return awaits_event(root) and root.kind not in BACKGROUND_KINDS


def _parent(
    id: int, trace: Trace, parents: ParentIndex, answered: Mapping[int, Sequence[Document]]
) -> Parent:
    """The call or the work that an id belongs to."""
    owned = trace.calls.get(id)
    if owned is not None and not _is_several(owned, answered.get(id, ())):
        return peer_of_call(owned)
    return _work(parents.containing_document(id), parents)


def _work(document: Document | None, parents: ParentIndex) -> Parent:
    owner = parents.owner(document)
    if document is None or owner is None:
        return UNDRAWN
    fetched = Fetched.NO if document.owner is None else document.fetched
    return Peer(owner, enters=True, fetched=fetched)


def link_facts(trace: Trace, find: FindTrace) -> Iterator[LinkFact]:
    """The facts of a trace's links whose other ends are stored, or whose messages a broker is known to have passed on."""
    parents = ParentIndex(trace)
    for owned in links_once(trace):
        link = owned.link
        own = _linking_peer(owned, trace, parents)
        other = find(link.trace_id)
        end = resolve_link_end(other, link.id) if other is not None else None
        if own is None:
            continue
        here = request_of(own.node, trace.documents.get(owned.document_id), parents)
        case = case_of_link(owned, _queue(owned, trace))
        if other is None or end is None:
            if case.queue.name:
                queue = Peer(case.queue, enters=True)
                at = owned.start
                yield LinkFact(queue, own, case, at, at, link.weight, None, here)
            continue
        there = Peer(end.node, enters=True)
        if link.upstream:
            source, target = there, own
            age = age_of_event(link.received or owned.start, end.end)
        elif _links_back(other, trace.trace_id):
            continue
        else:
            source, target = own, there
            age = age_of_event(link.received, owned.end)
        end_time = owned.start + age
        ends = (end.origin, here) if link.upstream else (here, end.origin)
        yield LinkFact(source, target, case, owned.start, end_time, link.weight, *ends)


def age_of_event(received: int, sent: int) -> int:
    """Microseconds from the end of what sent an event to its receipt: what the edge of a link measures."""
    return max(0, received - sent)


def _linking_peer(owned: OwnedLink, trace: Trace, parents: ParentIndex) -> Peer | None:
    owner = owned.owner or parents.owner(trace.documents.get(owned.document_id))
    return Peer(owner, enters=True) if owner else None


def _queue(owned: OwnedLink, trace: Trace) -> NodeKey:
    """The broker that what got a message names, if the link tells of one."""
    document = trace.documents.get(owned.document_id)
    return NO_NODE if document is None or not owned.link.upstream else document.queue


def _links_back(other: Trace, trace_id: bytes) -> bool:
    """Whether the receiving trace links to this one itself; its report takes precedence."""
    return any(
        back.link.upstream and back.link.trace_id == trace_id for back in other.links.values()
    )


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
