"""From a fact to the units that it draws on the map: every rule of the service graph, and no id.

A fact is a row with what stands above and below it: its case, its parent, its answer. Pure.
Sources: docs/xray-format.md §4.3 and §5.2-5.6.

* A segment is a unit of its own node. A call is answered when a segment of the trace names it as its
  parent; an unanswered call is a unit of the node it leads to, the inferred node.
* An AWS resource that a streamed call names without account or region is in its caller's (`store.rules.identity`),
  which the segment knows; of any other call the row has it.
* An edge leads from the node of the segment that owns the call to the node of the answering segment,
  or to the inferred node, with the call's own statistics: edges are the caller's view. A call with
  several answers has an edge to each node of them.
* A segment whose parent is another segment (the Lambda pair), or a subsegment that is no call, gets
  an edge with its own statistics, because the caller measured none.
* A link joins two traces: a separate kind of edge from the node that sent the event (the queue, when the sending
  call is unanswered, or answered by a function alone that may prove to be a CONSUMER) to the node that received it.
* A client precedes a root, unless that is work that serves no request
  (`store.model.BACKGROUND_KINDS`), or what caused it in another trace is known. While the parent of a
  root, or what a link of it says caused it, is unknown, the client is unconfirmed
  (`store.model.UNCONFIRMED`): it may still arrive, and so may the event of a function. A root that names its caller has
  that in place of the client.
* A call of a broker is unconfirmed alike while a function answers it whose event may yet be known: by that it proves
  to be a CONSUMER.
* Such a root, if nothing is named as its cause, neither a link nor a broker, is background work of its node.
* A CONSUMER answers no call. What a call sent leads to where the call does, mostly a broker, also when a CONSUMER
  below it got that; the message goes on from there to the consumer by a link edge, which lasts as long as the
  message was under way, with the consumer's outcome.
* A call that names nothing is drawn if one segment answers it. To a CONSUMER below it, to what fetched messages, and to
  several answers, it is work of its caller.
* A message goes through the broker that what got it names, also where what sent it names another, or none: one
  link edge leads to that broker, and one from there.
* Where what sent a message is not known, its link edge leads from the broker that the consumer names, and
  says nothing of the message's age. Such a consumer has no client, and work of its own service above it did
  not call it.
* What fetched messages for other spans to process is no unit if it names none, and answers no call
  (`store.messages`).
* A segment whose parent is known but belongs to no known segment has no incoming edge.
"""

from __future__ import annotations

from typing import NamedTuple

from store.cases import Case, Peer
from store.model import BACKGROUND_KINDS, Fetched, Kind, NodeKey, client_of, unconfirmed
from store.rules.brokers import is_broker
from store.rules.identity import in_place_of

ROOT = 0
"""In place of a parent: there is none."""
UNDRAWN = 1
"""The parent is known and draws nothing: it belongs to no known segment."""
CAUSED = 2
"""A root whose cause in another trace is known."""
Parent = Peer | int
"""Or one of the above; a greater number is the `store.model.SETTLE_SLOT` in which a root arrived whose
parent, or cause, has not arrived."""
Ends = tuple[NodeKey, NodeKey]
"""Where an edge comes from, and where it leads."""


class Drawn(NamedTuple):
    """A unit without its figures: of the node ``target``, or of the edge from ``source`` to it.

    ``names``: of a node what it is called, of an edge what its caller calls it, if otherwise.
    ``root``: of a root, or from what is in front of one. ``background``: of work that serves no request.
    """

    source: NodeKey | None
    target: NodeKey
    names: tuple[str, ...] = ()
    active: bool = False
    root: bool = False
    background: bool = False


def draw(parent: Parent, case: Case, answer: Peer | None, awaiting: int = 0) -> tuple[Drawn, ...]:
    """The units of a segment or a call, below its parent and above one of its answers. ``awaiting``: the
    `store.model.SETTLE_SLOT` in which an answer arrived whose event may yet be known, else 0."""
    if case.peer.enters:
        return _draw_segment(_above(parent, case), case)
    return _draw_call(parent, case, answer, awaiting)


def draw_message(parent: Parent, case: Case) -> tuple[Ends, ...]:
    """The ends of the link edges on which a segment got a message that no link of it tells of."""
    parent = _above(parent, case)
    if case.peer.fetched is Fetched.UNSEEN or parent == CAUSED:
        return ()
    if isinstance(parent, Peer) and not _is_own_work(parent, case):
        is_sent = not parent.enters and case.peer.kind is Kind.CONSUMER
        sent = is_sent or _comes_from_work(parent, case)
        return draw_link(parent, case.queue, case.peer) if sent else ()
    return ((case.queue, case.peer.node),) if case.queue.name else ()


def _above(parent: Parent, case: Case) -> Parent:
    """What stands above a segment: in place of a call that names nothing, unless the segment answers it, the work that
    made it."""
    if not isinstance(parent, Peer) or not parent.names_nothing or case.peer.answers:
        return parent
    return Peer(parent.owner, enters=True) if parent.owner else UNDRAWN


def _comes_from_work(parent: Peer, case: Case) -> bool:
    """Whether what sent a segment's message is the work above it, which recorded no call of the broker."""
    return parent.enters and bool(case.queue.name)


def _is_own_work(parent: Peer, case: Case) -> bool:
    """Whether a message's consumer stands below work of its own service, which fetched or awaited the message."""
    if not parent.enters or parent.owner != case.peer.node:
        return False
    fetched = parent.fetched != Fetched.NO and case.peer.kind is Kind.CONSUMER
    return fetched or bool(case.queue.name)


def draw_link(source: Peer, queue: NodeKey, target: Peer) -> tuple[Ends, ...]:
    """The ends of the edges on which an event came, of which what got it names the broker: `NO_NODE` if it names none."""
    sender, receiver = source.node, target.node
    if (
        not queue.name
        or sender == receiver
        or (sender.name, sender.type) == (queue.name, queue.type)
    ):
        return ((sender, receiver),)
    return (sender, queue), (queue, receiver)


def _gets_message(parent: Peer, case: Case) -> bool:
    """Whether work above a segment did not call it, but a message came from there."""
    return _is_own_work(parent, case) or _comes_from_work(parent, case)


def _draw_segment(parent: Parent, case: Case) -> tuple[Drawn, ...]:
    if case.peer.fetched is Fetched.UNSEEN:
        return ()
    node = case.peer.node
    root = isinstance(parent, int) and parent != UNDRAWN
    background = parent == ROOT and case.peer.kind in BACKGROUND_KINDS and not case.queue.name
    unit = Drawn(None, node, (node.name, case.service), case.active, root, background)
    caller = _caller(parent, case)
    return (unit, Drawn(caller, node, root=root)) if caller else (unit,)


def _caller(parent: Parent, case: Case) -> NodeKey | None:
    """What precedes a segment by its own figures; None if nothing does, or its call has the edge."""
    if isinstance(parent, Peer):
        return parent.owner if parent.enters and not _gets_message(parent, case) else None
    if parent in (UNDRAWN, CAUSED) or not case.client:
        return None
    caller = case.caller if case.caller.name else client_of(case.peer.node, case.client)
    return caller if parent == ROOT else unconfirmed(caller, parent)


def _draw_call(parent: Parent, case: Case, answer: Peer | None, awaiting: int) -> tuple[Drawn, ...]:
    if answer and not answer.answers:
        answer = None
    if answer is None and case.peer.names_nothing:
        return ()
    streamed = parent.owner if case.peer.owner is None and isinstance(parent, Peer) else None
    caller = case.peer.owner or streamed
    target = (answer or case.peer).node
    if streamed and not answer:
        target = in_place_of(target, streamed)
    unit = () if answer else (Drawn(None, target, (target.name, case.called)),)
    if caller is None:
        return unit
    if answer and awaiting and is_broker(case.peer.node):
        caller = unconfirmed(caller, awaiting)
    return (*unit, Drawn(caller, target, (case.host,) if case.host != target.name else ()))
