"""Which node a segment or a call belongs to.

Sources: docs/xray-format.md §4.3 (origins), §5.2. A node is named by the
resource when the call names one, else by the service; finer than X-Ray's own map for SNS and SQS,
on purpose. Nodes of two accounts or regions are two nodes, whatever their names. A queue is where its URL
says; an AWS resource that names no account or no region is in its caller's (`in_place_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from store.model import NodeKey
from store.rules.service_names import canonical_service

SEGMENT_SERVICE_ORIGINS = {"AWS::APIGateway::Stage": "AWS::ApiGateway::Stage"}
"""Origins with two spellings in the field (docs/xray-format.md §2.3)."""

CALLEE_ORIGINS = (
    "Alibaba::", "Azure::", "Database::", "GCP::", "GenAI::", "Messaging::", "Tencent::"
)  # fmt: skip
"""Beginnings of an origin that tells what a remote subsegment calls. Documents rendered from spans
carry it; X-Ray's SDKs write none there, OpenTelemetry's exporter the caller's own."""

ARN_MEMBERS = (
    "function_arn",
    "topic_arn",
    "state_machine_arn",
    "execution_arn",
    "db_cluster_arn",
    "function_name",
    "stream_name",
    "event_bus_name",
    "table_name",
    "table_names",
    "resource_names",
)
OTHER_RESOURCES = {
    "CognitoIdentityProvider": ("user_pool_id", "AWS::Cognito::UserPool"),
    "Events": ("event_bus_name", "AWS::Events::EventBus"),
    "Firehose": ("delivery_stream_name", "AWS::KinesisFirehose::DeliveryStream"),
    "Glue": ("job_name", "AWS::Glue::Job"),
    "Kinesis": ("stream_name", "AWS::Kinesis::Stream"),
    "RDSData": ("db_cluster_arn", "AWS::RDS::DBCluster"),
}
"""Service → the member that names its resource, and the type of that: of services whose resources X-Ray does not
draw (docs/xray-format.md §5.4)."""
ECS_ARN_MEMBERS = ("task_arn", "container_arn", "cluster_arn")
PLACES = ("ec2", "ecs")
"""Members of an ``aws`` block with an ``availability_zone``."""
MAX_TABLES = 100
"""Tables of one call: BatchGetItem's and TransactWriteItems' own limit."""

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
"""``us-west-2``, ``us-gov-east-1``, ``eusc-de-east-1``; a zone's name begins with its region's."""
_AWS_HOST = re.compile(rf"(?:[^.]+\.)*?([a-z0-9-]+)(?:\.({_REGION.pattern}))?\.amazonaws\.com")
_QUEUE_URL = re.compile(
    rf"//(?:sqs\.)?({_REGION.pattern})(?:\.queue)?\.amazonaws\.com[^/]*/([0-9]{{12}})/"
)
"""``sqs.eu-west-1.…``, and ``eu-west-1.queue.…`` as it is called by older releases of Python's SDK."""
_OF_ALL_ACCOUNTS = ("AWS::S3", "AWS::S3::Bucket")
"""Types of nodes whose names are unique everywhere."""
_DICT_KEYS = re.compile(r"'([^']+)'")


class Placed(Protocol):
    """What has an account and a region, '' where unknown: a node, or a resource."""

    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...


class CallNode(NamedTuple):
    """The inferred node that a call leads to, and the canonical name of the service called."""

    node: NodeKey
    service: str


def resource_names(service: str, aws: Mapping[str, Any]) -> list[str]:
    """The resources a call to ``service`` names, as X-Ray adds them in ``aws.resource_names``.

    ``aws`` is the subsegment's block; what has another type than expected is passed over.
    """
    given = aws.get("resource_names")
    if isinstance(given, list):
        names = [name for name in given if isinstance(name, str) and name]
        if names:
            return names
    match service:
        case "DynamoDB":
            return _texts(aws.get("table_name")) or _texts(aws.get("table_names"))
        case "S3":
            return _texts(aws.get("bucket_name"))
        case "SQS":
            return _texts(aws.get("queue_url"))
        case "Lambda":
            return _texts(aws.get("function_name"))
        case "Sfn":
            return _texts(aws.get("state_machine_arn")) or _texts(aws.get("execution_arn"))
        case _ if service in OTHER_RESOURCES:
            return _texts(aws.get(OTHER_RESOURCES[service][0]))
        case _:
            return []


def call_node(
    namespace: str,
    name: str,
    *,
    aws: Mapping[str, Any] | None = None,
    has_sql: bool = False,
    origin: str = "",
) -> CallNode:
    """The inferred node of a subsegment with namespace ``aws`` or ``remote``."""
    block = aws or {}
    if namespace == "aws":
        service = called_service(name)
        if "." in name:
            match = _AWS_HOST.fullmatch(name.lower())
            if match is None:
                return CallNode(NodeKey(account_of(block), name, "remote"), service)
            block = {**block, "region": block.get("region") or match[2]}
        return CallNode(_resource_node(service, block), service)
    if origin.startswith(CALLEE_ORIGINS):
        return CallNode(NodeKey("", name, origin), name)
    if has_sql:
        return CallNode(NodeKey("", name, "Database::SQL"), name)
    return CallNode(NodeKey("", name, "remote"), name)


def called_service(name: str) -> str:
    """The service that a subsegment with namespace ``aws`` calls."""
    if "." not in name:
        return canonical_service(name)
    # RUM names AWS calls by host; only amazonaws.com says which service it is (§13).
    match = _AWS_HOST.fullmatch(name.lower())
    return name if match is None else canonical_service(match[1])


def further_nodes(namespace: str, name: str, aws: Mapping[str, Any]) -> list[CallNode]:
    """The other tables of a DynamoDB call that names several (BatchGetItem, TransactWriteItems).

    `call_node` is the node of the first.
    """
    if namespace != "aws" or canonical_service(name) != "DynamoDB":
        return []
    tables = list(dict.fromkeys(resource_names("DynamoDB", aws)))[1:MAX_TABLES]
    account, region = account_of(aws), region_of(aws)
    return [
        CallNode(
            NodeKey(
                arn_account(table) or account,
                _arn_name(table),
                "AWS::DynamoDB::Table",
                arn_region(table) or region,
            ),
            "DynamoDB",
        )
        for table in tables
    ]


def segment_node(
    name: str,
    *,
    origin: str = "",
    aws: Mapping[str, Any] | None = None,
    resource_arn: str = "",
    inferred: bool = False,
) -> CallNode:
    """The node of a segment. A client may upload an inferred one: its resource names it."""
    block = aws or {}
    kind = SEGMENT_SERVICE_ORIGINS.get(origin, origin)
    if inferred and kind.startswith("AWS::"):
        service = canonical_service(name)
        return CallNode(_resource_node(service, block, resource_arn)._replace(type=kind), service)
    account, region = account_of(block, resource_arn), region_of(block, resource_arn)
    return CallNode(NodeKey(account, name, kind, region), name)


def in_place_of(node: NodeKey, caller: Placed) -> NodeKey:
    """The node of a call that names no account or no region, if it is an AWS resource: in its caller's.

    A bucket, whose name is unique everywhere, is in none.
    """
    account, _, kind, region = node
    if (account and region) or not kind.startswith("AWS::") or kind in _OF_ALL_ACCOUNTS:
        return node
    if not caller.account and not caller.region:
        return node
    return node._replace(account=account or caller.account, region=region or caller.region)


def place_of_queue(url: str) -> tuple[str, str]:
    """The account and the region in a queue's URL; '' in any other, as of an emulator."""
    match = _QUEUE_URL.search(url)
    return (match[2], match[1]) if match else ("", "")


def inferred_origin(
    namespace: str, name: str, aws: Mapping[str, Any], has_sql: bool, origin: str = ""
) -> str:
    """The ``origin`` of the inferred segment: the node's type, but nothing for a plain host."""
    kind = call_node(namespace, name, aws=aws, has_sql=has_sql, origin=origin).node.type
    return "" if kind == "remote" else kind


def aws_endpoint(host: str) -> str:
    """The name of the AWS service at a host, as ``sts``; '' of another host."""
    match = _AWS_HOST.fullmatch(host.lower())
    return match[1] if match else ""


def _resource(service: str, aws: Mapping[str, Any]) -> tuple[str, str]:
    """The name ('' when the call names none) and the type of the resource called."""
    names = resource_names(service, aws)
    first = names[0] if names else ""
    match service:
        case "DynamoDB":
            return _arn_name(first), "AWS::DynamoDB::Table" if first else "AWS::DynamoDB"
        case "S3":
            return first, "AWS::S3::Bucket" if first else "AWS::S3"
        case "SQS":
            return first.rstrip("/").rpartition("/")[2], (
                "AWS::SQS::Queue" if first else "AWS::SQS"
            )
        case "SNS":
            topic = next(iter(_texts(aws.get("topic_arn"))), "") or first
            return topic.rpartition(":")[2], "AWS::SNS"
        case "Lambda":
            return _function_name(first), "AWS::Lambda"
        case "Sfn":
            return _machine_name(first), "AWS::StepFunctions::StateMachine" if first else "AWS::Sfn"
        case _ if first and service in OTHER_RESOURCES:
            return _arn_name(first), OTHER_RESOURCES[service][1]
        case _:
            return "", "AWS::" + service


def _resource_node(service: str, aws: Mapping[str, Any], resource_arn: str = "") -> NodeKey:
    """The node of the resource called, or of the service."""
    resource, kind = _resource(service, aws)
    account, region = account_of(aws, resource_arn), region_of(aws, resource_arn)
    if service == "SQS" and resource and not (account and region):
        queue = place_of_queue(resource_names(service, aws)[0])
        account, region = account or queue[0], region or queue[1]
    return NodeKey(account, resource or service, kind, region)


def _function_name(text: str) -> str:
    """``name`` from a name, ``name:alias``, partial ARN or ARN of a Lambda function."""
    if ":function:" in text:
        text = text.partition(":function:")[2]
    return text.partition(":")[0]


def _machine_name(text: str) -> str:
    """The state machine in its ARN, that of its version, alias, Map Run or of an execution."""
    parts = text.split(":")
    return (
        parts[6].partition("/")[0]
        if text.startswith("arn:") and len(parts) > 6
        else _arn_name(text)
    )


def _arn_name(text: str) -> str:
    return text.rpartition("/")[2].rpartition(":")[2] if text.startswith("arn:") else text


def account_of(aws: Mapping[str, Any], resource_arn: str = "") -> str:
    """The account that a segment or call names, or that is part of an ARN in it; '' without any.

    Segments written by AWS itself, such as ``AWS::Lambda``, have a ``resource_arn`` and no account.
    """
    gateway = aws.get("api_gateway")
    explicit = (
        aws.get("account_id"),
        gateway.get("account_id") if isinstance(gateway, Mapping) else None,
    )
    for account in explicit:
        if isinstance(account, str) and account:
            return account
    return next(filter(None, map(arn_account, (resource_arn, *_arns(aws)))), "")


def region_of(aws: Mapping[str, Any], resource_arn: str = "") -> str:
    """The region that a segment or call names, else that of an ARN in it, else that of the
    availability zone it ran in; '' without any."""
    explicit = region_name(aws.get("region"))
    if explicit:
        return explicit
    found = next(filter(None, map(arn_region, (resource_arn, *_arns(aws)))), "")
    if found:
        return found
    places = (aws.get(key) for key in PLACES)
    zones = (p.get("availability_zone") for p in places if isinstance(p, Mapping))
    return next(filter(None, map(zone_region, zones)), "")


def region_name(text: object) -> str:
    """A region's name; '' for anything else, as the ``aws-global`` of some SDKs."""
    return text if isinstance(text, str) and _REGION.fullmatch(text) else ""


def zone_region(zone: object) -> str:
    """The region of an availability zone, local or wavelength zone (``us-west-2c``,
    ``us-west-2-lax-1a``); '' for anything else."""
    match = _REGION.match(zone) if isinstance(zone, str) else None
    return match[0] if match else ""


def arn_region(text: str) -> str:
    """The region in an ARN (see `arn_account`); '' if there is none, as in a bucket's."""
    if not text.startswith("arn:"):
        return ""
    region = text.split(":", 4)[3:4]
    return region_name(region[0]) if region else ""


def arn_account(text: str) -> str:
    """The account in ``arn:partition:service:region:account:resource``; '' if there is none."""
    if not text.startswith("arn:"):
        return ""
    account = text.split(":", 5)[4:5]
    return account[0] if account and len(account[0]) == 12 and account[0].isdecimal() else ""


def _arns(aws: Mapping[str, Any]) -> Iterator[str]:
    """Members of an ``aws`` block that may be ARNs, the most specific first."""
    for key in ARN_MEMBERS:
        yield from _texts(aws.get(key))
    ecs, logs = aws.get("ecs"), aws.get("cloudwatch_logs")
    if isinstance(ecs, Mapping):
        for key in ECS_ARN_MEMBERS:
            yield from _texts(ecs.get(key))
    for group in logs if isinstance(logs, list) else ():
        if isinstance(group, Mapping):
            yield from _texts(group.get("arn"))


def _texts(value: object) -> list[str]:
    """The strings in a string, a list, or the ``dict_keys([...])`` that Python's SDK writes."""
    if isinstance(value, str):
        if value.startswith("dict_keys("):
            return _DICT_KEYS.findall(value)
        return [value] if value else []
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str) and item]
    return []
