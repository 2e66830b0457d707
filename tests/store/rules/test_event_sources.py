"""What the ARNs of event sources name."""

from __future__ import annotations

import pytest

from store.model import NO_NODE, NodeKey
from store.rules.event_sources import source_node
from store.rules.identity import call_node

PLACE = "eu-west-1:111122223333"


@pytest.mark.parametrize(
    ("arn", "name", "type"),
    [
        (f"arn:aws:sqs:{PLACE}:reminders", "reminders", "AWS::SQS::Queue"),
        (f"arn:aws:sqs:{PLACE}:reminders.fifo", "reminders.fifo", "AWS::SQS::Queue"),
        (f"arn:aws-cn:sqs:{PLACE}:reminders", "reminders", "AWS::SQS::Queue"),
        (f"arn:aws:sns:{PLACE}:alerts", "alerts", "AWS::SNS"),
        (f"arn:aws:sns:{PLACE}:alerts:21be56ed-a058-49f5-8c98-aedd2564c486", "alerts", "AWS::SNS"),
        (f"arn:aws:kinesis:{PLACE}:stream/clicks", "clicks", "AWS::Kinesis::Stream"),
        (f"arn:aws:kinesis:{PLACE}:stream/clicks/consumer/a:1", "clicks", "AWS::Kinesis::Stream"),
        (f"arn:aws:dynamodb:{PLACE}:table/orders/stream/2026-11-24T22:40:00.000", "orders", "AWS::DynamoDB::Table"),
        (f"arn:aws:events:{PLACE}:event-bus", "Events", "AWS::Events"),
        (f"arn:aws:events:{PLACE}:event-bus/shop", "shop", "AWS::Events::EventBus"),
    ],
)  # fmt: skip
def test_sources(arn: str, name: str, type: str) -> None:
    assert source_node(arn) == NodeKey("111122223333", name, type, "eu-west-1")


def test_a_bus_is_the_one_that_calls_name() -> None:
    for name, arn in (("shop", f"arn:aws:events:{PLACE}:event-bus/shop"), ("", "")):
        called = call_node("aws", "Events", aws={"event_bus_name": name} if name else {}).node
        source = source_node(arn or f"arn:aws:events:{PLACE}:event-bus")
        assert (called.name, called.type) == (source.name, source.type)


def test_a_bucket_is_the_one_that_calls_name() -> None:
    called = call_node("aws", "S3", aws={"bucket_name": "uploads"}).node
    assert source_node("arn:aws:s3:::uploads") == called


@pytest.mark.parametrize(
    "arn",
    [None, 5, "", "reminders", "arn:aws:sqs", f"arn:aws:sqs:{PLACE}:", f"arn:aws:sqs:{PLACE}:{'q' * 201}", f"arn:aws:lambda:{PLACE}:function:f",
     f"arn:aws:kinesis:{PLACE}:clicks", f"arn:aws:dynamodb:{PLACE}:index/x", "x" * 1001],
)  # fmt: skip
def test_no_sources(arn: object) -> None:
    assert source_node(arn) == NO_NODE
