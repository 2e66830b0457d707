"""What a fact draws, without a trace: each rule of `store.draw` by itself."""

from __future__ import annotations

import pytest

from store.cases import Case, Peer
from store.draw import CAUSED, ROOT, UNDRAWN, Drawn, Ends, Parent, draw, draw_link, draw_message
from store.model import (
    NO_NODE,
    UNCONFIRMED,
    Fetched,
    Kind,
    NodeKey,
    State,
    confirmed,
    is_unconfirmed,
)

SHOP, STOCK, TABLE = (NodeKey("", name, "") for name in ("shop", "stock", "orders"))
SEGMENT = Case(Peer(STOCK, enters=True), State.OK, service="stock", active=True, client="client")
CALL = Case(Peer(SHOP, TABLE), State.OK, called="DynamoDB", host="orders")
STREAMED = CALL._replace(peer=Peer(None, TABLE))
QUEUE = NodeKey("", "orders", "AWS::SQS::Queue")
SENDING = CALL._replace(peer=Peer(SHOP, QUEUE))
CONSUMER = SEGMENT._replace(peer=Peer(STOCK, enters=True, kind=Kind.CONSUMER))
TOPIC = NodeKey("", "orders.template", "Messaging::Kafka")
NAMING = CONSUMER._replace(queue=TOPIC, client="")
POLL = NAMING._replace(peer=NAMING.peer._replace(fetched=Fetched.UNSEEN))
OWN_WORK = Peer(STOCK, enters=True)
FETCH = OWN_WORK._replace(fetched=Fetched.MESSAGES)
SHOPS, ITS_CALL = Peer(SHOP, enters=True), CALL.peer
UNIT = Drawn(None, STOCK, ("stock", "stock"), active=True)
ROOT_UNIT = UNIT._replace(root=True)
INFERRED = Drawn(None, TABLE, ("orders", "DynamoDB"))


def client(account: str = "") -> Drawn:
    return Drawn(NodeKey(account, "stock", "client"), STOCK, root=True)


@pytest.mark.parametrize(
    ("parent", "drawn"),
    [
        pytest.param(ROOT, (ROOT_UNIT, client()), id="a root has a client"),
        pytest.param(CAUSED, (ROOT_UNIT,), id="one that a link caused has none"),
        pytest.param(
            179, (ROOT_UNIT, client(f"{UNCONFIRMED}179")), id="a missing parent may still arrive"
        ),
        pytest.param(UNDRAWN, (UNIT,), id="a parent without a segment draws nothing"),
        pytest.param(SHOPS, (UNIT, Drawn(SHOP, STOCK)), id="no call measured it"),
        pytest.param(ITS_CALL, (UNIT,), id="the call has the edge"),
    ],
)
def test_segments(parent: Parent, drawn: tuple[Drawn, ...]) -> None:
    assert draw(parent, SEGMENT, None) == drawn


@pytest.mark.parametrize(
    ("parent", "case", "drawn"),
    [
        pytest.param(SHOPS, NAMING, (UNIT,), id="its message came from there through the queue"),
        pytest.param(ROOT, NAMING, (ROOT_UNIT,), id="its queue is in front of it, not a client"),
        pytest.param(OWN_WORK, NAMING, (UNIT,), id="its own service did not call it"),
        pytest.param(
            OWN_WORK, CONSUMER, (UNIT, Drawn(STOCK, STOCK)), id="unless it names no queue"
        ),
        pytest.param(FETCH, CONSUMER, (UNIT,), id="nor did what fetched the message"),
        pytest.param(FETCH, SEGMENT, (UNIT, Drawn(STOCK, STOCK)), id="but what is no consumer"),
        pytest.param(ROOT, POLL, (), id="a poll that found nothing draws nothing"),
    ],
)
def test_consumers(parent: Parent, case: Case, drawn: tuple[Drawn, ...]) -> None:
    assert draw(parent, case, None) == drawn


JOB = SEGMENT._replace(peer=Peer(STOCK, enters=True, kind=Kind.INTERNAL), client="")


@pytest.mark.parametrize(
    ("parent", "case", "background"),
    [
        pytest.param(ROOT, JOB, True, id="nothing is named as its cause"),
        pytest.param(179, JOB, False, id="its cause may still arrive"),
        pytest.param(CAUSED, JOB, False, id="a link caused it"),
        pytest.param(SHOPS, JOB, False, id="it was called"),
        pytest.param(UNDRAWN, JOB, False, id="it is part of something"),
        pytest.param(ROOT, JOB._replace(queue=QUEUE), False, id="a message caused it"),
        pytest.param(ROOT, SEGMENT, False, id="X-Ray's documents have no kind"),
        pytest.param(ROOT, NAMING._replace(queue=NO_NODE), False, id="a consumer"),
    ],
)
def test_background_work(parent: Parent, case: Case, background: bool) -> None:
    unit = draw(parent, case, None)[0]
    assert (unit.source, unit.background) == (None, background)


@pytest.mark.parametrize("account", ["", "123456789012"])
def test_a_root_is_called_by_what_it_names(account: str) -> None:
    queue = NodeKey(account, "jobs", "AWS::SQS::Queue", "eu-west-1")
    case = SEGMENT._replace(caller=queue)
    assert draw(ROOT, case, None) == (ROOT_UNIT, Drawn(queue, STOCK, root=True))
    unit, edge = draw(179, case, None)
    assert (unit, edge.target, edge.root) == (ROOT_UNIT, STOCK, True)
    assert edge.source is not None
    assert is_unconfirmed(edge.source)
    assert confirmed(edge.source) == queue
    for known in (SHOPS, ITS_CALL, CAUSED, UNDRAWN):
        assert draw(known, case, None) == draw(known, SEGMENT, None)


def test_work_that_serves_no_request_has_no_client() -> None:
    assert draw(ROOT, SEGMENT._replace(client=""), None) == (ROOT_UNIT,)


@pytest.mark.parametrize(
    ("parent", "case", "answer", "drawn"),
    [
        pytest.param(UNDRAWN, CALL, None, (INFERRED, Drawn(SHOP, TABLE)), id="no answer"),
        pytest.param(
            UNDRAWN, CALL, SEGMENT.peer, (Drawn(SHOP, STOCK, ("orders",)),), id="an answer"
        ),
        pytest.param(SHOPS, STREAMED, None, (INFERRED, Drawn(SHOP, TABLE)), id="streamed"),
        pytest.param(UNDRAWN, STREAMED, None, (INFERRED,), id="its segment has not arrived"),
    ],
)
def test_calls(parent: Parent, case: Case, answer: Peer | None, drawn: tuple[Drawn, ...]) -> None:
    assert draw(parent, case, answer) == drawn


def test_a_link_joins_the_nodes_of_its_ends() -> None:
    assert draw_link(ITS_CALL, NO_NODE, SEGMENT.peer) == ((TABLE, STOCK),)
    assert draw_link(SENDING.peer, QUEUE, SEGMENT.peer) == ((QUEUE, STOCK),)
    assert draw_link(SENDING.peer, TOPIC, SEGMENT.peer) == ((QUEUE, TOPIC), (TOPIC, STOCK))
    assert draw_link(OWN_WORK, TOPIC, SEGMENT.peer) == ((STOCK, STOCK),)


def test_what_a_broker_got_leads_to_it() -> None:
    """Whatever consumes it; but what is no consumer answers."""
    unanswered = draw(UNDRAWN, SENDING, None)
    assert [each.target for each in unanswered] == [QUEUE, QUEUE]
    assert draw(UNDRAWN, SENDING, CONSUMER.peer) == unanswered
    assert draw(UNDRAWN, SENDING, SEGMENT.peer)[0].target == STOCK
    assert draw(UNDRAWN, CALL, CONSUMER.peer) == draw(UNDRAWN, CALL, None)


@pytest.mark.parametrize("parent", [UNDRAWN, SHOPS])
def test_a_call_that_may_prove_to_be_an_event(parent: Parent) -> None:
    """Of a broker alone, and until the event of what answers it is known."""
    case = SENDING if parent == UNDRAWN else SENDING._replace(peer=Peer(None, QUEUE))
    (edge,) = draw(parent, case, SEGMENT.peer, 179)
    assert edge.source is not None
    assert is_unconfirmed(edge.source)
    assert (edge._replace(source=confirmed(edge.source)),) == draw(parent, case, SEGMENT.peer)
    assert draw(parent, case, CONSUMER.peer, 179) == draw(parent, case, None)
    assert draw(UNDRAWN, CALL, SEGMENT.peer, 179) == draw(UNDRAWN, CALL, SEGMENT.peer)


def test_what_names_nothing_is_drawn_by_its_answer() -> None:
    """With its own figures; to what does not answer it, it is work of its caller."""
    nothing = CALL._replace(peer=Peer(SHOP, NO_NODE), called="", host="")
    assert draw(UNDRAWN, nothing, None) == draw(UNDRAWN, nothing, CONSUMER.peer) == ()
    assert draw(UNDRAWN, nothing, SEGMENT.peer) == (Drawn(SHOP, STOCK, ("",)),)
    assert draw(nothing.peer, SEGMENT, None) == (UNIT,)
    for case in (CONSUMER, NAMING):
        assert draw(nothing.peer, case, None) == draw(SHOPS, case, None)
        assert draw_message(nothing.peer, case) == draw_message(SHOPS, case)
    streamed = Peer(None, NO_NODE)
    assert draw(streamed, CONSUMER, None) == (UNIT,)
    assert draw(SHOPS, nothing._replace(peer=streamed), SEGMENT.peer)[0].source == SHOP


@pytest.mark.parametrize(
    ("parent", "case", "ends"),
    [
        pytest.param(
            SENDING.peer, CONSUMER, ((QUEUE, STOCK),), id="from the broker to the consumer"
        ),
        pytest.param(SENDING.peer, SEGMENT, (), id="to what is no consumer nothing went on"),
        pytest.param(ITS_CALL, CONSUMER, ((TABLE, STOCK),), id="from whatever was called"),
        pytest.param(SHOPS, CONSUMER, (), id="nor does a service"),
        pytest.param(ROOT, CONSUMER, (), id="nor nothing"),
        pytest.param(ROOT, NAMING, ((TOPIC, STOCK),), id="what it names, without a parent"),
        pytest.param(179, NAMING, ((TOPIC, STOCK),), id="with one that has not arrived"),
        pytest.param(UNDRAWN, NAMING, ((TOPIC, STOCK),), id="with one of no known segment"),
        pytest.param(OWN_WORK, NAMING, ((TOPIC, STOCK),), id="below work of its own service"),
        pytest.param(CAUSED, NAMING, (), id="another trace says what caused it"),
        pytest.param(
            SHOPS,
            NAMING,
            ((SHOP, TOPIC), (TOPIC, STOCK)),
            id="another service sent it, through that",
        ),
        pytest.param(
            ITS_CALL, NAMING, ((TABLE, TOPIC), (TOPIC, STOCK)), id="and through what it names"
        ),
        pytest.param(
            SENDING.peer,
            NAMING,
            ((QUEUE, TOPIC), (TOPIC, STOCK)),
            id="from the producer's name for it",
        ),
        pytest.param(
            SENDING.peer,
            NAMING._replace(queue=QUEUE._replace(account="1")),
            ((QUEUE, STOCK),),
            id="which knows the account",
        ),
        pytest.param(ROOT, POLL, (), id="a poll got nothing"),
    ],
)
def test_messages(parent: Parent, case: Case, ends: tuple[Ends, ...]) -> None:
    assert draw_message(parent, case) == ends
