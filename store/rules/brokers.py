"""Brokers: queues, topics and streams, which take messages and pass them on later (docs/xray-format.md §5.5). Pure."""

from __future__ import annotations

from store.model import Fetched, Kind, NodeKey

MESSAGING = "Messaging::"
"""Begins the types of brokers that are no AWS service (`store.otel.callee`)."""
AWS_BROKERS = (
    "AWS::Events",
    "AWS::Events::EventBus",
    "AWS::Kinesis",
    "AWS::Kinesis::Stream",
    "AWS::SNS",
    "AWS::SQS",
    "AWS::SQS::Queue",
)

EVENT_SOURCES = (*AWS_BROKERS, "AWS::DynamoDB::Table", "AWS::S3::Bucket")
"""What functions are invoked for messages of, without a call of it (`store.rules.event_sources`)."""


def sends_messages(node: NodeKey) -> bool:
    """Whether what a node sends on makes link edges from it, although it reports nothing itself."""
    return node.type.startswith(MESSAGING) or node.type in EVENT_SOURCES


def is_broker(node: NodeKey) -> bool:
    """Whether a node passes messages on."""
    return node.type.startswith(MESSAGING) or node.type in AWS_BROKERS


def answers(below: Kind, fetched: Fetched) -> bool:
    """Whether a segment of this kind below a call answers it: not what fetched messages, nor what got one, whatever the
    call leads to. X-Ray's segments have no kind, and answer."""
    return fetched is Fetched.NO and below is not Kind.CONSUMER
