"""Event sources of Lambda functions: what an ARN names, and the messages that an invocation was for (docs/lambda.md). Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from store.model import NO_NODE, NodeKey
from store.rules.identity import arn_account, arn_region

MAX_ARN = 1_000
"""Characters."""
MAX_NAME = 200
"""Characters of a resource's name."""
BUS, UNNAMED = "AWS::Events::EventBus", "AWS::Events"
UNNAMED_BUS = "Events"
"""EventBridge: its events name no bus, and X-Ray's SDKs record none either."""


class Messages(NamedTuple):
    """Messages of one event that were sent alike. ``trace_id`` and ``parent_id``: what their trace header names,
    b'' and 0 if they have none. ``sent``: the first of them, microseconds, 0 if unknown."""

    number: int
    trace_id: bytes = b""
    parent_id: int = 0
    sent: int = 0


def source_node(arn: object) -> NodeKey:
    """What an event source's ARN names, as calls of it lead there; `NO_NODE` for any other text."""
    if not isinstance(arn, str) or len(arn) > MAX_ARN:
        return NO_NODE
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return NO_NODE
    service, resource = parts[2], parts[5]
    kind, _, path = resource.partition("/")
    named = {
        "sqs": ("AWS::SQS::Queue", resource),
        "sns": ("AWS::SNS", resource.partition(":")[0]),
        "s3": ("AWS::S3::Bucket", kind),
        "kinesis": ("AWS::Kinesis::Stream", _inner(kind, "stream", path)),
        "dynamodb": ("AWS::DynamoDB::Table", _inner(kind, "table", path)),
        "events": _bus(_inner(kind, "event-bus", path)),
    }
    type, name = named.get(service, ("", ""))
    if not name or len(name) > MAX_NAME:
        return NO_NODE
    return NodeKey(arn_account(arn), name, type, arn_region(arn))


def is_same_source(called: NodeKey, source: NodeKey) -> bool:
    """Whether a call's node is an event source, in whatever account: any event bus, of an event that names none."""
    unnamed_bus = source.type == UNNAMED and called.type in (UNNAMED, BUS)
    return unnamed_bus or (called.name, called.type) == (source.name, source.type)


def bus_arn(arn: str, called: NodeKey) -> str:
    """The ARN of an event source that is a bus, with the name that the call of it had; '' if that had none."""
    return f"{arn}/{called.name}" if called.type == BUS else ""


def _bus(name: str) -> tuple[str, str]:
    return (BUS, name) if name else (UNNAMED, UNNAMED_BUS)


def _inner(kind: str, expected: str, path: str) -> str:
    """``orders`` of ``table/orders/stream/2026-…``."""
    return path.partition("/")[0] if kind == expected else ""


def unknown_sender(trace_id: bytes, document_id: int) -> tuple[bytes, int]:
    """In place of the trace and the id of what sent a document's messages: of each document others, so that nothing
    has them."""
    seed = trace_id + document_id.to_bytes(8, "big")
    digest = blake2b(seed, digest_size=24, person=b"unknown sender").digest()
    return digest[:16], int.from_bytes(digest[16:], "big") or 1
