"""What a subsegment calls: the inferred node (docs/xray-format.md §2.6, §4.3, §5.2, §5.4, §13).

Shared with the first decoder: the table of names of AWS services (`store.rules.service_names`).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from store.model import NodeKey
from store.rules.service_names import canonical_service
from store.second_decoder.callers import read
from store.second_decoder.places import (
    ACCOUNT,
    account_of,
    names_in,
    read_arn,
    region_of,
    region_or_nothing,
)
from store.second_decoder.reading import Json, block, text
from store.second_decoder.resource import MOST_NAME, Place

MOST_TABLES = 100
REMOTE_TYPES = (
    "Alibaba::",
    "Azure::",
    "Database::",
    "GCP::",
    "GenAI::",
    "Messaging::",
    "Tencent::",
)
"""Origins of a remote subsegment that say what it calls: X-Ray's SDKs write none there."""
RESOURCES = {
    # service: (members that name the resource, type of a node that has one)
    "DynamoDB": (("table_name", "table_names"), "AWS::DynamoDB::Table"),
    "S3": (("bucket_name",), "AWS::S3::Bucket"),
    "SQS": (("queue_url",), "AWS::SQS::Queue"),
    "SNS": (("topic_arn",), "AWS::SNS"),
    "Lambda": (("function_name",), "AWS::Lambda"),
    "Kinesis": (("stream_name",), "AWS::Kinesis::Stream"),
    "Sfn": (("state_machine_arn", "execution_arn"), "AWS::StepFunctions::StateMachine"),
    "Firehose": (("delivery_stream_name",), "AWS::KinesisFirehose::DeliveryStream"),
    "Events": (("event_bus_name",), "AWS::Events::EventBus"),
    "Glue": (("job_name",), "AWS::Glue::Job"),
    "RDSData": (("db_cluster_arn",), "AWS::RDS::DBCluster"),
    "CognitoIdentityProvider": (("user_pool_id",), "AWS::Cognito::UserPool"),
}
HOST = re.compile(r"(?:.*?\.)??([a-z0-9-]+)(?:\.([a-z]{2,4}(?:-[a-z]+)+-[0-9]+))?\.amazonaws\.com")
"""How CloudWatch RUM names a call of an AWS service."""


class Callee(NamedTuple):
    """A node that is called, and the canonical name of its service."""

    node: NodeKey
    service: str


def callees(call: Json) -> list[Callee]:
    """What a call leads to: one node, but several tables."""
    name = call_name(call)
    if text(call, "namespace") == "aws":
        return aws_callees(name, block(call, "aws"))
    origin = text(call, "origin")
    type = "Database::SQL" if isinstance(call.get("sql"), dict) else "remote"
    type = origin if origin.startswith(REMOTE_TYPES) else type
    return [Callee(NodeKey("", name, type), name)]


def aws_callees(name: str, aws: Json) -> list[Callee]:
    """What a call of an AWS API leads to: the resource that it names, else the service."""
    service, region = canonical_service(name), region_of(aws)
    account = account_of(aws)
    if "." in name:
        found = HOST.fullmatch(name.lower())
        if found is None:
            return [Callee(NodeKey(account, name, "remote"), name)]
        service, region = canonical_service(found[1]), region_of({"region": found[2], **aws})
    named = resources(service, aws)
    if not named:
        return [Callee(NodeKey(account, service, f"AWS::{service}", region), service)]
    _, type = RESOURCES[service]
    queue = place_of_queue(named[0]) if service == "SQS" else None
    if queue:
        account, region = account or queue.account, region or queue.region
    found_nodes = []
    for place, full in enumerate(dict.fromkeys(named)):
        arn = read_arn(full) if place else read_arn("")
        key = arn.account or account, resource_name(service, full), type, arn.region or region
        found_nodes.append(Callee(NodeKey(*key), service))
    return found_nodes[: MOST_TABLES if service == "DynamoDB" else 1]


def of_caller(called: Callee, caller: NodeKey | Place) -> Callee:
    """What of AWS names no account or region is in its caller's; a bucket's name is enough."""
    node = called.node
    if not node.type.startswith("AWS::") or node.type.split("::")[1] == "S3":
        return called
    place = {"account": node.account or caller.account, "region": node.region or caller.region}
    return Callee(node._replace(**place), called.service)


def place_of_queue(url: str) -> Place | None:
    """The place in a queue's URL: ``https://sqs.REGION.amazonaws.com/ACCOUNT/NAME``, formerly with the host
    ``REGION.queue.amazonaws.com``."""
    found = re.match("[^/]*//([^/]+)/([^/]+)/", url)
    if not found or not ACCOUNT.fullmatch(found[2]):
        return None
    labels = found[1].split(".")
    region = next(filter(None, map(region_or_nothing, labels[:2])), "")
    is_queue = "amazonaws" in labels and ("sqs" in labels or "queue" in labels)
    return Place(found[2], region) if is_queue and region else None


def resources(service: str, aws: Json) -> list[str]:
    """The resources that an ``aws`` block names, where nodes are named by them."""
    if service not in RESOURCES:
        return []
    members, _ = RESOURCES[service]
    given = aws.get("resource_names")
    order = [given if isinstance(given, list) else None, *(aws.get(each) for each in members)]
    if service == "SNS":
        order.reverse()
    return next(filter(None, map(names_in, order)), [])


def resource_name(service: str, full: str) -> str:
    """What a node is called by an ARN, a URL, or a function's name with its alias."""
    if service == "Lambda":
        return full.rpartition(":function:")[2].partition(":")[0]
    if service == "SQS":
        return full.rstrip("/").rpartition("/")[2]
    if service == "SNS":
        return full.rpartition(":")[2]
    if service == "Sfn" and full.startswith("arn:") and full.count(":") > 5:
        return re.split("[:/]", full.split(":", 6)[6])[0]
    return re.split("[:/]", full)[-1] if full.startswith("arn:") and service != "S3" else full


def call_name(call: Json) -> str:
    """The name of what is called; of a call without one what its URL says."""
    if text(call, "name"):
        return text(call, "name")[:MOST_NAME]
    if isinstance(call.get("sql"), dict):
        return _database(block(call, "sql"))
    return _host(text(block(block(call, "http"), "request"), "url")) or "unknown"


def _database(sql: Json) -> str:
    """``database@host`` by a URL, else which of the two it has; of SQLite the file's name."""
    url = (text(sql, "url") or text(sql, "connection_string")).removeprefix("jdbc:")
    path = re.split("[?;]", url)[0]
    if re.match(r"sqlite[+\w]*:", path):
        return path.partition(":")[2].rpartition("/")[2] or "sqlite"
    address, _, database = path.rpartition("//")[2].partition("/")
    host = read(re.sub(r":[0-9]+$", "", address.rpartition("@")[2])).host
    database = database.rstrip("/").rpartition("/")[2]
    known = f"{database}@{host}" if database and host else database or host
    return known or text(sql, "database_type") or "unknown"


def _host(url: str) -> str:
    try:
        return read(urlsplit(url).hostname or "").host
    except ValueError:
        return ""
