"""Which nodes of the map a declared resource may be: the names of `store.rules.identity`, from CloudFormation's types.

A resource without a name of its own gets one from CloudFormation: the stack, the logical ID and a random suffix
(docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from store.model import NodeKey
from store.rules.identity import call_node


class Kind(NamedTuple):
    """A type of resource. ``service``: whose API calls it; ``member``: of the ``aws`` block, names the resource.

    ``own``: the type of a segment that the resource reports itself. ``limit``: the most characters of a name.
    ``policy``: the service's prefix in IAM's actions. ``traced``: it can be on the map at all.
    ``passive``: it hands events on and reports nothing itself by default.
    """

    policy: str
    service: str = ""
    member: str = ""
    own: str = ""
    limit: int = 255
    traced: bool = True
    passive: bool = False


FUNCTION = "AWS::Lambda::Function"
TABLE = "AWS::DynamoDB::Table"
QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
BUCKET = "AWS::S3::Bucket"
STREAM = "AWS::Kinesis::Stream"
FIREHOSE = "AWS::KinesisFirehose::DeliveryStream"
BUS = "AWS::Events::EventBus"
MACHINE = "AWS::StepFunctions::StateMachine"
STAGE = "AWS::ApiGateway::Stage"
HTTP_API = "AWS::ApiGatewayV2::Api"
GRAPHQL = "AWS::AppSync::GraphQLApi"

KINDS = {
    FUNCTION: Kind("lambda", "Lambda", "function_name", "AWS::Lambda::Function", 64),
    TABLE: Kind("dynamodb", "DynamoDB", "table_name", passive=True),
    QUEUE: Kind("sqs", "SQS", "queue_url", limit=80, passive=True),
    TOPIC: Kind("sns", "SNS", "topic_arn", limit=256, passive=True),
    BUCKET: Kind("s3", "S3", "bucket_name", limit=63, passive=True),
    STREAM: Kind("kinesis", "Kinesis", "stream_name", limit=128, passive=True),
    FIREHOSE: Kind("firehose", "Firehose", "delivery_stream_name", limit=64, passive=True),
    BUS: Kind("events", "Events", "event_bus_name", limit=256, passive=True),
    MACHINE: Kind("states", "Sfn", "state_machine_arn", limit=80),
    STAGE: Kind("execute-api", own="AWS::ApiGateway::Stage"),
    HTTP_API: Kind("execute-api", traced=False),
    GRAPHQL: Kind("appsync", "AppSync", own="AWS::AppSync::GraphQLAPI"),
}
"""By CloudFormation's type."""

_SUFFIX = re.compile(r"[A-Za-z0-9]{8,13}")
SUFFIX_LENGTH = 12
_PROBE = "declared-name"


class Identity(NamedTuple):
    """Types of the nodes that a resource may be, its own first.

    ``unnamed``: the node of calls to its service that name no resource.
    """

    types: tuple[str, ...]
    unnamed: tuple[str, str] | None = None


def _identity(kind: Kind) -> Identity:
    own = (kind.own,) if kind.own else ()
    if not kind.service:
        return Identity(own)
    called = call_node("aws", kind.service, aws={kind.member: _PROBE} if kind.member else {}).node
    unnamed = call_node("aws", kind.service).node
    return Identity(tuple(dict.fromkeys((*own, called.type))), (unnamed.name, unnamed.type))


IDENTITIES = {type: _identity(kind) for type, kind in KINDS.items()}
RESOURCE_TYPES = {
    type: kind
    for kind, identity in zip(KINDS.values(), IDENTITIES.values(), strict=True)
    for type in identity.types
}
"""Types of nodes that are named by their resource, with the kind of it."""
UNNAMED = frozenset(each.unnamed for each in IDENTITIES.values() if each.unnamed)
"""Name and type of the nodes of calls that name no resource."""


def name_matches(pattern: str, name: str) -> bool:
    """Whether a name has the form of a pattern, in which ``*`` is any text."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, max(end, at))
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


def generated_parts(name: str) -> tuple[str, str] | None:
    """What CloudFormation put before the random suffix, and the suffix; None if the name has no such form."""
    head, dash, suffix = name.removesuffix(".fifo").rpartition("-")
    return (head, suffix) if dash and _SUFFIX.fullmatch(suffix) else None


def is_generated(type: str, stack: str, id: str, name: str) -> bool:
    """Whether CloudFormation may have made a name for a resource of a stack.

    Buckets' names are lower-case, state machines' may lack the stack, and of what would be too long the
    stack's name and the logical ID are cut off.
    """
    parts = generated_parts(name)
    if parts is None:
        return False
    if type == BUCKET:
        stack, id = stack.lower(), id.lower()
    head = parts[0]
    *nested, id = id.split("/")
    if nested:
        return _is_generated_in(stack, nested, id, type, head)
    if head == f"{stack}-{id}" or (type == MACHINE and head == id):
        return True
    too_long = len(stack) + len(id) + 2 + SUFFIX_LENGTH > KINDS[type].limit
    return too_long and _is_cut(head, stack, id)


def _is_generated_in(stack: str, nested: Sequence[str], id: str, type: str, head: str) -> bool:
    """The same for stacks in the stack, whose names CloudFormation makes, too: ``shop-Payments-1A2B3C4D5E6F``."""
    name = re.escape(stack) + "".join(f"-{re.escape(each)}-{_SUFFIX.pattern}" for each in nested)
    if re.fullmatch(f"{name}-{re.escape(id)}", head) or (type == MACHINE and head == id):
        return True
    begin = f"{stack}-{nested[0]}-"
    length = len(begin) + len(nested) * (SUFFIX_LENGTH + 1) + len(id) + SUFFIX_LENGTH
    return length > KINDS[type].limit and any(
        id.startswith(last) and (first.startswith(begin) or begin.startswith(first))
        for first, last in _cuts(head)
    )


def _is_cut(head: str, stack: str, id: str) -> bool:
    return any(stack.startswith(first) and id.startswith(last) for first, last in _cuts(head))


def _cuts(head: str) -> Iterator[tuple[str, str]]:
    """What is before and behind each dash."""
    for at, char in enumerate(head):
        if char == "-" and 0 < at < len(head) - 1:
            yield head[:at], head[at + 1 :]


def expected_key(type: str, stack: str, id: str, name: str, account: str, region: str) -> NodeKey:
    """The node that a resource would be, with ``*`` for what is not known of its name."""
    identity = IDENTITIES[type]
    return NodeKey(
        account,
        name or f"{stack}-{id.replace('/', '-*-')}-*",
        (identity.types or (type,))[0],
        region,
    )
