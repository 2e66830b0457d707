"""What an invocation's event came from, beside all else that is said of the invocation: each message counts once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from store.model import NodeKey
from store.rules.event_sources import Messages
from store.rules.invocation_documents import documents_of
from store.times import SECOND
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    REGION,
    REQUEST,
    SERVICE_ID,
    TRACE_ID,
    invocation,
    telemetry,
)
from tests.store.test_invocation_evidence import (
    ALWAYS,
    BEGIN,
    FUNCTION,
    PATH,
    SERVICE,
    World,
    document,
    query,
)

ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:reminders"
QUEUE = NodeKey(ACCOUNT, "reminders", "AWS::SQS::Queue", REGION)
SENDER_TEXT = "1-6b061440-0000000000000000000000aa"
SENDER = bytes.fromhex(SENDER_TEXT[2:].replace("-", ""))
SENT = {
    "id": "00000000000000b1", "name": "SQS", "namespace": "aws", "start_time": BEGIN - 0.9, "end_time": BEGIN - 0.5,
    "aws": {"queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/reminders"},
}  # fmt: skip
SHOP = document(id=0xA1, trace_id=SENDER_TEXT, name="shop", start_time=BEGIN - 1, end_time=BEGIN - 0.4, subsegments=[SENT])  # fmt: skip
CAUSED = telemetry(event_source=ARN, messages=(Messages(3, SENDER, 0xB1), Messages(7)))
LINK = {"trace_id": SENDER_TEXT, "id": "00000000000000b1", "attributes": {"aws.xray.reserved.received_event_end_time": BEGIN}}  # fmt: skip
FROM_QUEUE = {("client", ""), ("shop", "AWS::SQS::Queue"), *PATH}


def links(world: World) -> dict[tuple[NodeKey, NodeKey], dict[int, int]]:
    found = world.store.service_graph(ALWAYS).links
    return {edge: dict(each.statistics.histogram) for edge, each in found.items()}


JOINS = st.lists(st.booleans(), min_size=9, max_size=9)


@given(
    st.permutations([CAUSED, telemetry(), invocation(), invocation(segment_id=SERVICE_ID), query(), SHOP]),
    JOINS,
)  # fmt: skip
def test_in_any_order_and_beside_records_that_do_not_know_of_it(
    order: list[Any], joins: list[bool]
) -> None:
    world = World()
    world.arrive(order, joins)
    assert world.edges == FROM_QUEUE
    assert links(world) == {(QUEUE, SERVICE): {0: 7, 500_000: 3}}
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


REPORTED = (
    document(id=SERVICE_ID, name="checkout", origin="AWS::Lambda", aws={"request_id": REQUEST}, links=[LINK],
             resource_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"),
    document(id=FUNCTION_ID, parent_id=SERVICE_ID, name="checkout", origin="AWS::Lambda::Function",
             aws={"account_id": ACCOUNT, "region": REGION, "request_id": REQUEST}),
)  # fmt: skip


@given(st.permutations([CAUSED, invocation(), query(), SHOP, *REPORTED]), JOINS)
def test_the_links_of_aws_own_segment_are_the_ones_that_count(
    order: list[Any], joins: list[bool]
) -> None:
    """With the number of messages, which the event alone has. Another id than the record names included."""
    world = World()
    world.arrive(order, joins)
    assert world.edges == FROM_QUEUE
    assert links(world) == {(QUEUE, SERVICE): {0: 7, 500_000: 3}}
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


def test_a_topic_passes_the_trace_on() -> None:
    """Its event has no trace header; the call of the topic in the trace is what caused the invocation."""
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
    published = SENT | {"name": "SNS", "aws": {"topic_arn": arn}}
    shop = document(id=0xA1, name="shop", start_time=BEGIN - 1, end_time=BEGIN - 0.4, subsegments=[published])  # fmt: skip
    world = World()
    world.report(telemetry(event_source=arn, messages=(Messages(1),)))
    world.put(shop)
    world.put(query())
    world.join()
    topic = NodeKey(ACCOUNT, "alerts", "AWS::SNS", REGION)
    assert world.edges == {("client", ""), ("shop", "AWS::SNS"), *PATH}
    assert links(world) == {(topic, SERVICE): {500_000: 1}}


def test_a_message_of_the_trace_itself() -> None:
    """What sent it is above the invocation."""
    shop = document(id=0xA1, name="shop", start_time=BEGIN - 1, end_time=BEGIN - 0.4, subsegments=[SENT])  # fmt: skip
    world = World(shop, query())
    world.report(telemetry(event_source=ARN, messages=(Messages(1, TRACE_ID, 0xB1),)))
    assert world.edges == FROM_QUEUE
    assert links(world) == {(QUEUE, SERVICE): {500_000: 1}}


def test_one_message_without_a_sender_needs_no_link() -> None:
    record = telemetry(event_source=ARN, messages=(Messages(1, sent=END - 2 * SECOND),))
    service, *_ = documents_of(record)
    assert "links" not in service
    assert service["annotations"]["lambda_message_age_ms"] == 1_900
    world = World(query())
    world.report(record)
    assert world.edges == PATH
    assert links(world) == {(QUEUE, SERVICE): {0: 1}}


def test_a_message_that_is_delivered_again_counts_again() -> None:
    """After a failure of a part of its batch: another invocation, of fewer messages, in a trace of its own."""
    world = World(SHOP)
    world.report(CAUSED)
    of_again = {"request_id": "again", "trace_id": TRACE_ID[:-1] + b"\xee", "end": END + SECOND}
    world.report(telemetry(**of_again, event_source=ARN, messages=(Messages(1, SENDER, 0xB1),)))
    assert links(world) == {(QUEUE, SERVICE): {0: 7, 500_000: 3, 1_500_000: 1}}
    assert world.nodes[SERVICE] == 2


def test_the_bus_that_the_sender_names() -> None:
    """Events of EventBridge name no bus; the only call of one in the trace does."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus"
    put = SENT | {"name": "Events", "aws": {"event_bus_name": "arrivals", "account_id": ACCOUNT, "region": REGION}}  # fmt: skip
    shop = document(id=0xA1, name="shop", start_time=BEGIN - 1, end_time=BEGIN - 0.4, subsegments=[put])  # fmt: skip
    bus = NodeKey(ACCOUNT, "arrivals", "AWS::Events::EventBus", REGION)
    for own in (False, True):
        world = World(shop, query())
        if own:
            world.put(document(id=SERVICE_ID, parent_id=0xB1, name="checkout", origin="AWS::Lambda", aws={"request_id": REQUEST},
                               resource_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"))  # fmt: skip
        world.report(telemetry(event_source=arn, messages=(Messages(1),)))
        world.join()
        world.join()
        assert world.edges == {("client", ""), ("shop", bus.type), *PATH}
        assert links(world).keys() == {(bus, SERVICE)}
        assert world.nodes[SERVICE] == 1
