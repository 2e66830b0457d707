"""Parent resolution inside one trace: which document contains an id, whose work that is, and of which request. Pure.

A segment is a request of its node, unless it is part of another (`store.layers.is_same_request`). A span that is
no segment *enters* its service, and so is a request of it, if its parent is another service's and no segment of its
own service has the same parent. (A span whose parent is known to be in its process never does. A server that shares
its client's id is stored below the client, whose id the server's work names: that is the server's.)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from store.layers import OneCall, calls_once, is_same_request
from store.model import Document, Independent, Kind, NodeKey, OwnedCall, Trace, is_derived
from store.otel.derived_ids import shared_server_id
from store.rules.brokers import answers, is_broker
from store.rules.identity import in_place_of
from store.rules.invocations import SERVICE
from store.rules.operations import is_of_proxy

MAX_PARENT_STEPS = 32
"""How many independent subsegments may nest in each other; deeper ones count as orphans."""


class ParentIndex:
    """Documents of a trace by the ids they contain.

    A document contains its own id, its members, and the calls recorded under it: a call belongs to
    one document, and stays there when a later copy of that document leaves it out.
    """

    def __init__(self, trace: Trace) -> None:
        called: dict[int, list[int]] = {}
        for owned in trace.calls.values():
            called.setdefault(owned.document_id, []).append(owned.call.id)
        self._trace = trace
        self._outer: dict[int, Document | None] = {}
        self._containing: dict[int, Document] = {}
        # When several documents claim one id: segments first, then the smallest document id.
        for document in sorted(trace.documents.values(), key=lambda d: (bool(d.independent), d.id)):
            for member in (document.id, *document.members, *called.get(document.id, ())):
                self._containing.setdefault(member, document)

    def containing_document(self, id: int) -> Document | None:
        """The document that is, or embeds, the segment or subsegment with this id."""
        return self._containing.get(id)

    def owner(self, document: Document | None) -> NodeKey | None:
        """The node whose work a document is: its own, or that of its parent, and so on."""
        for _ in range(MAX_PARENT_STEPS):
            if document is None:
                return None
            if document.owner is not None:
                return document.owner
            document = self._containing.get(document.parent_id)
        return None

    def is_request(self, document: Document) -> bool:
        """Whether a document is a unit of its node."""
        if document.independent:
            return self.enters(document)
        return self.outer(document) is None

    def enters(self, document: Document) -> bool:
        """Whether a span that is no segment is the first of its service, below another's."""
        if document.independent != Independent.OF_SENDER or not document.parent_id:
            return False
        above = self._owner_of(document.parent_id)
        if above is None or above.name == document.node.name:
            return False
        return (document.parent_id, document.node.name) not in self._answers

    def outer(self, segment: Document) -> Document | None:
        """The request that a segment is part of, directly above it; None if it is one itself.

        What names the id that a server shares with its client is below that server.
        """
        if segment.kind != Kind.SERVER or not segment.parent_id:
            return None
        if segment.id not in self._outer:
            self._outer[segment.id] = self._find_outer(segment)
        return self._outer[segment.id]

    def _find_outer(self, segment: Document) -> Document | None:
        shared = shared_server_id(segment.trace_id, segment.parent_id)
        for id in (segment.parent_id, shared):
            above = self._trace.documents.get(id)
            if above is not None and is_same_request(segment, above):
                return above
        return None

    def operation(self, request: Document) -> str:
        """What a request did: as its own span says, or where a proxy reports it, as the first SERVER span of its service
        directly in that does."""
        if request.kind != Kind.SERVER or not is_of_proxy(request.operation):
            return request.operation
        inside = [
            (each.start, each.id, each.operation)
            for each in self.children.get(request.id, ())
            if each.operation and is_same_request(each, request)
        ]
        return min(inside)[-1] if inside else request.operation

    def owning_segment(self, document: Document | None) -> Document | None:
        """The request that a document is part of: itself, or reached parent by parent."""
        for _ in range(MAX_PARENT_STEPS):
            if document is None or self.is_request(document):
                return document
            document = self._above(document)
        return None

    def _owner_of(self, id: int) -> NodeKey | None:
        """The node whose call or work an id is."""
        owned = self._trace.calls.get(id)
        return (
            calling_node(owned, self._trace, self)
            if owned
            else self.owner(self._containing.get(id))
        )

    def _above(self, document: Document) -> Document | None:
        """The document above another; of another service's, the answer of its own service there."""
        parent = self._containing.get(document.parent_id)
        if document.independent != Independent.OF_SENDER:
            return parent
        owner = self._owner_of(document.parent_id)
        if owner is not None and owner.name == document.node.name:
            return parent
        return self._answers.get((document.parent_id, document.node.name), parent)

    @cached_property
    def children(self) -> dict[int, list[Document]]:
        """The segments, and the spans that enter their services, by the parent that they name."""
        found: dict[int, list[Document]] = {}
        for document in self._trace.documents.values():
            if document.parent_id and (not document.independent or self.enters(document)):
                found.setdefault(document.parent_id, []).append(document)
        return found

    @cached_property
    def once(self) -> OneCall:
        """The calls that count (`store.layers`)."""
        answered = {
            id: [each.node for each in self.answering([id])]
            for id in self.children.keys() & self._trace.calls.keys()
        }
        return calls_once(self._trace, answered)

    @cached_property
    def answers_by_call(self) -> dict[int, list[Document]]:
        """What answers each call that counts, by its id: the segments and entering spans that name it, or a call that
        is one with it."""
        names: dict[int, list[int]] = {}
        for id in self.children.keys() & self._trace.calls.keys():
            names.setdefault(self.once.counted_as.get(id, id), []).append(id)
        found = {id: self.answering(sorted(ids)) for id, ids in names.items()}
        return {id: answering for id, answering in found.items() if answering}

    def answering(self, ids: Iterable[int]) -> list[Document]:
        """The children of calls that answer these: not consumers, nor what fetched messages, nor a part of an answer,
        which names the id that this shares with the call."""
        children = (each for id in ids for each in self.children.get(id, ()))
        return [
            each
            for each in children
            if answers(each.kind, each.fetched) and self.outer(each) is None
        ]

    @cached_property
    def _answers(self) -> dict[tuple[int, str], Document]:
        """The segments with a parent by that and their service; of several the one with the smallest id."""
        segments = [each for each in self._trace.documents.values() if not each.independent]
        segments.sort(key=lambda each: each.id, reverse=True)
        return {(each.parent_id, each.node.name): each for each in segments if each.parent_id}


def calling_node(owned: OwnedCall, trace: Trace, parents: ParentIndex) -> NodeKey | None:
    """The node that made the call; None when the segment that knows has not arrived."""
    return owned.owner or parents.owner(trace.documents.get(owned.document_id))


def called_node(owned: OwnedCall, trace: Trace, parents: ParentIndex) -> NodeKey:
    """The inferred node of a call: of a streamed one, its caller may decide where that is (`store.draw`)."""
    caller = None if owned.owner else calling_node(owned, trace, parents)
    return in_place_of(owned.call.node, caller) if caller else owned.call.node


def is_root(document: Document, trace: Trace, parents: ParentIndex) -> bool:
    """Whether a segment entered from outside: no parent, or a parent id unknown in the trace."""
    if document.independent:
        return False
    parent = document.parent_id
    return not parent or (parent not in trace.calls and parents.containing_document(parent) is None)


def awaits_event(document: Document) -> bool:
    """Whether what invoked a function may yet be known: Lambda's own segment says it of messages with a trace header
    alone. What saw the event arrives apart, and joins it (`store.event_evidence`); what was derived of it is joined."""
    is_lambda = document.node.type == SERVICE and not document.before.name
    return is_lambda and not is_derived(document.version)


def request_of(node: NodeKey, document: Document | None, parents: ParentIndex) -> Document | None:
    """The request of a node that a document is part of; None if it is not stored."""
    request = parents.owning_segment(document)
    return request if request is not None and request.node == node else None


class LinkEnd(NamedTuple):
    """The resolved other end of a link: its node, and when it ended (microseconds).

    ``origin``: the request that it is part of, or the call that no segment answered; None where that is not stored.
    """

    node: NodeKey
    end: int
    origin: Document | OwnedCall | None = None


def resolve_link_end(trace: Trace, id: int) -> LinkEnd | None:
    """The node that a segment, subsegment or call of a trace stands for in a link. A call of a broker is not what a
    function below it did which may prove to be one of those that got its message."""
    owned, parents = trace.calls.get(id), ParentIndex(trace)
    if owned is not None:
        counted = parents.once.counted_as.get(id, id)
        called = trace.calls[counted]
        passes_on = is_broker(called.call.node)
        answers = (
            each
            for each in parents.answers_by_call.get(counted, ())
            if not (passes_on and awaits_event(each))
        )
        first = min(answers, key=lambda each: (each.node, each.start, each.id), default=None)
        if first is not None:
            return LinkEnd(first.node, owned.call.end, first)
        if called.call.node.name:
            return LinkEnd(called_node(called, trace, parents), owned.call.end, called)
    document = parents.containing_document(id)
    owner = parents.owner(document)
    if document is None or owner is None:
        return None
    return LinkEnd(owner, document.end, request_of(owner, document, parents))
