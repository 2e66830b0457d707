"""What the event of a Lambda function came from, by its ARN (docs/lambda.md)."""

from __future__ import annotations

import re
from hashlib import blake2b

from store.model import NO_NODE, NodeKey
from store.second_decoder.places import read_arn

MOST_CHARACTERS = 1_000
LONGEST_NAME = 200
FORMS = {
    "sqs": ("AWS::SQS::Queue", r"(.*)"),
    "sns": ("AWS::SNS", r"([^:]*)(:.*)?"),
    "s3": ("AWS::S3::Bucket", r"([^/]*)(/.*)?"),
    "kinesis": ("AWS::Kinesis::Stream", r"stream/([^/]*)(/.*)?"),
    "dynamodb": ("AWS::DynamoDB::Table", r"table/([^/]*)(/.*)?"),
    "events": ("AWS::Events::EventBus", r"event-bus/([^/]*)(/.*)?"),
}
"""By the service in an ARN: a node's type, and where the resource has its name."""


def event_source(arn: str) -> NodeKey:
    """The queue, topic, bucket, stream, table or event bus; `NO_NODE` for anything else."""
    service = re.match(r"arn:[^:]*:([a-z0-9]+):[^:]*:[^:]*:", arn)
    if service is None or service[1] not in FORMS or len(arn) > MOST_CHARACTERS:
        return NO_NODE
    type, form = FORMS[service[1]]
    found = read_arn(arn)
    match = re.fullmatch(form, found.resource, re.DOTALL)
    name = match[1] if match else ""
    if service[1] == "events" and not name:
        type, name = "AWS::Events", "Events"
    if not name or len(name) > LONGEST_NAME:
        return NO_NODE
    return NodeKey(found.account, name, type, found.region)


def unknown_sender(trace_id: bytes, document_id: int) -> tuple[bytes, int]:
    """In place of the trace and the id of what sent messages that have no trace header."""
    seed = trace_id + document_id.to_bytes(8, "big")
    digest = blake2b(seed, digest_size=24, person=b"unknown sender").digest()
    return digest[:16], int.from_bytes(digest[16:], "big") or 1
