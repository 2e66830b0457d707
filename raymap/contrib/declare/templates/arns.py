"""ARNs and addresses → the resource meant, as CloudFormation's type and a name."""

from __future__ import annotations

from typing import NamedTuple

from raymap.contrib.declare.templates.intrinsics import pattern
from store.declared.identity import (
    BUCKET,
    BUS,
    FIREHOSE,
    FUNCTION,
    GRAPHQL,
    MACHINE,
    QUEUE,
    STREAM,
    TABLE,
    TOPIC,
)


class Named(NamedTuple):
    """A resource by type and name; ``*`` stands for what is not known of the name."""

    type: str
    name: str


_SERVICES = {
    "dynamodb": (TABLE, "table/", "/"),
    "sqs": (QUEUE, "", ""),
    "sns": (TOPIC, "", ":"),
    "s3": (BUCKET, "", "/"),
    "lambda": (FUNCTION, "function:", ":"),
    "kinesis": (STREAM, "stream/", "/"),
    "firehose": (FIREHOSE, "deliverystream/", "/"),
    "states": (MACHINE, "stateMachine:", ":"),
    "events": (BUS, "event-bus/", "/"),
    "appsync": (GRAPHQL, "apis/", "/"),
}
"""By the service in an ARN: the type, what stands before the name, what ends it."""


def named_by(text: str) -> Named | None:
    """The resource in an ARN, or in the ARN inside an integration's; None if it is of another kind."""
    inner = text.rpartition("/functions/")[2] if ":lambda:path/" in text else text
    inner = inner.removesuffix("/invocations")
    parts = pattern(inner).split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in _SERVICES:
        return None
    type, prefix, end = _SERVICES[parts[2]]
    rest = parts[5]
    if rest.startswith("*"):
        return Named(type, "*")
    if not rest.startswith(prefix):
        return None
    name = rest.removeprefix(prefix)
    return Named(type, name.partition(end)[0] if end else name)


def queue_of_url(text: str) -> str:
    """The name at the end of a queue's address."""
    return pattern(text).rstrip("/").rpartition("/")[2]
