"""The case of a row: all that the rules decided about a segment, a subsegment or a call.

Rows that differ in ids, times and free texts alone have one case, of which a busy server has a few
thousand. Two rows that stand in one relation count alike if their cases are equal (`store.draw`).
"""

from __future__ import annotations

from typing import NamedTuple

from store.layers import LEAVING
from store.model import (
    NO_NODE,
    Document,
    Fetched,
    Independent,
    Kind,
    NodeKey,
    OwnedCall,
    OwnedLink,
    State,
    client_type,
)
from store.rules.brokers import answers
from store.rules.classify import UNKNOWN_OUTCOME, failure_label


class Peer(NamedTuple):
    """The part of a case that matters to the rows above and below it.

    ``owner``: the node whose work it is, None where the parent's segment knows. ``callee``: the
    inferred node of a call, None for what calls nothing. ``kind`` and ``fetched`` are those of a
    segment.
    """

    owner: NodeKey | None
    callee: NodeKey | None = None
    enters: bool = False
    kind: Kind = Kind.NONE
    fetched: Fetched = Fetched.NO

    @property
    def answers(self) -> bool:
        """Whether a segment answers the call that is its parent."""
        return answers(self.kind, self.fetched)

    @property
    def names_nothing(self) -> bool:
        """Whether it is a call that does not say where it leads."""
        return self.callee is not None and not self.callee.name

    @property
    def node(self) -> NodeKey:
        """The node that it stands for, as an end of a link."""
        return (self.owner if self.enters else self.callee) or NO_NODE


class Case(NamedTuple):
    """``service`` and ``called`` are canonical names of the owner and the callee, ``host`` the name
    by which the caller knew it; ``client`` is the type of a client in front of a root, '' if it has none;
    ``caller`` what a root names in place of it, ``queue`` the broker that a segment with messages names."""

    peer: Peer
    state: State
    exception: str = ""
    status: int = 0
    service: str = ""
    active: bool = False
    client: str = ""
    called: str = ""
    host: str = ""
    queue: NodeKey = NO_NODE
    caller: NodeKey = NO_NODE

    @property
    def label(self) -> str:
        """What a breakdown of failures calls it."""
        return failure_label(self.exception, self.status)


def peer_of_segment(segment: Document) -> Peer:
    """A segment, for what it calls and what calls it."""
    return Peer(segment.node, enters=True, kind=segment.kind, fetched=segment.fetched)


def peer_of_call(owned: OwnedCall) -> Peer:
    """A call, for the segments that answer it."""
    return Peer(owned.owner, owned.call.node)


def stands_for_request(document: Document) -> bool:
    """Whether a span that enters its service is a call: of the request that made it, which no span reports, nothing else
    is known. How the call ended is how what it leads to did: the request may have failed with it, or got over it."""
    return document.independent == Independent.OF_SENDER and document.kind in LEAVING


def case_of_segment(segment: Document) -> Case:
    """The case of a segment, or of a span that enters its service."""
    state, exception, status = segment.state, segment.exception, segment.http.status
    if stands_for_request(segment) and state > State.OK:
        state, exception, status = State.OK, UNKNOWN_OUTCOME, 0
    return Case(
        peer_of_segment(segment),
        state,
        exception,
        status,
        segment.service,
        not segment.inferred,
        client_type(
            segment.http.user_agent,
            segment.kind,
            has_parent=segment.parent_id != 0,
            has_queue=bool(segment.queue.name),
        ),
        queue=segment.queue,
        caller=segment.caller,
    )


def case_of_call(owned: OwnedCall) -> Case:
    """The case of a call."""
    call = owned.call
    return Case(
        peer_of_call(owned),
        call.state,
        call.exception,
        call.status,
        "",
        False,
        "",
        call.service,
        call.host,
    )


def case_of_link(owned: OwnedLink, queue: NodeKey) -> Case:
    """The case of a link: the outcome of the document that carries it, and the broker that this names."""
    return Case(Peer(owned.owner), owned.state, owned.label, queue=queue)
