"""The node that a CLIENT or PRODUCER span calls, and how X-Ray names it.

Sources: docs/xray-format.md §11.1, OpenTelemetry's semantic conventions old and new. Raymap's own
decisions, in the order in which they apply:

* AWS APIs are named by the resource, as in X-Ray's documents (`store.rules.identity`). One that names no
  account or region, a queue in its URL, is in its caller's; a bucket, whose name is unique everywhere, is
  in none.
* A database is ``<database>@<host>``, or whichever of the two is known, or its system. SQL
  systems are ``Database::SQL``, others ``Database::<System>``. A Redis index is not a name, nor is
  a schema part of one.
* A queue or topic is named by its destination: ``AWS::SQS::Queue`` and the like, else
  ``Messaging::<System>``. What a PRODUCER span calls is one, ``Messaging::Other`` where the span
  names its peer and no system.
* A function is named by ``faas.invoked_name`` and typed by its cloud.
* MCP servers, agents, tools and providers of models: `store.otel.genai`.
* Everything else is ``remote`` and named by the caller's own name for it (``aws.remote.service``,
  ``service.peer.name``, ``peer.service``), the host or the RPC service.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from store.model import NO_NODE, NodeKey
from store.otel.attributes import Attributes, text, texts
from store.otel.genai import genai_callee, works_inside
from store.otel.hosts import called_host, host_of, named_host
from store.otel.merge_patch import DOCUMENT
from store.otel.resource import Resource
from store.otel.semconv import (
    AWS_MESSAGING,
    FUNCTION_TYPES,
    REMOTE_RESOURCES,
    RESOURCES,
    SQL_SYSTEMS,
    SYSTEM_NAMES,
)
from store.rules.brokers import MESSAGING
from store.rules.identity import (
    CallNode,
    account_of,
    call_node,
    in_place_of,
    place_of_queue,
    region_of,
)
from store.rules.service_names import canonical_service
from store.short_cache import short_cache

MAX_NAME = 200
CALL = "aws.xray.call"
"""Attribute of an exported subsegment: its `ExportedCall` as JSON, exact where OpenTelemetry's
conventions are approximate."""
_CACHED = 16_384
_INVOCATION = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
_REMOTE_PREFIXES = ("AWS::", "AWS.SDK.")
_DATABASE = ("db.system.name", "db.system")
_REGIONS = ("cloud.region", "aws.region", "aws.remote.resource.region", "faas.invoked_region")
_INSTANCE_FIRST = ("microsoft.sql_server", "mssql")
POOL_SIZE = "db.postgresql.max.client"
"""Attribute of the pool's settings."""
_POOL = "pg-pool.connect"
_CODE = ("code.function.name", "code.function")


class ExportedCall(Struct, frozen=True, omit_defaults=True):
    """The arguments of `call_node` for an exported subsegment."""

    namespace: Literal["aws", "remote"]
    name: Annotated[str, Meta(max_length=MAX_NAME)]
    aws: dict[str, Any] = {}
    sql: bool = False
    origin: str = ""


class Callee(Struct, frozen=True, gc=False):
    """The called side of a span.

    ``namespace`` and ``name`` are the subsegment's, ``aws`` its block. ``origin`` is written on the
    subsegment where X-Ray has no other place for the node's type. ``sql`` names the kind of a SQL
    database.
    """

    namespace: str
    name: str
    target: CallNode
    aws: dict[str, Any] = {}
    origin: str = ""
    sql: str = ""


def callee_of(attributes: Attributes, caller: Resource) -> Callee | None:
    """The node that a CLIENT or PRODUCER span with these attributes calls, None if they name none."""
    if CALL in attributes:
        exported = _exported(text(attributes, CALL))
        if exported is not None:
            return _in_place(exported, caller)
    if is_aws_api(attributes):
        service = _aws_service(attributes)
        return _aws(service, attributes, caller)
    database = text(attributes, *_DATABASE)
    if database:
        if database in ("dynamodb", "aws.dynamodb"):
            return _aws("DynamoDB", attributes, caller)
        return _database(database, _database_name(database, attributes), host_of(attributes))
    messaging = text(attributes, "messaging.system")
    if messaging:
        return messaging_callee(messaging, attributes, caller)
    function = text(attributes, "faas.invoked_name")
    if function:
        return _function(function, attributes, caller)
    genai = genai_callee(attributes, caller.full_name)
    if genai:
        return _typed(genai[0][:MAX_NAME], genai[1])
    name = _remote_name(attributes, caller.full_name)
    return _remote(name[:MAX_NAME]) if name else None


def caller_of(attributes: Attributes) -> NodeKey:
    """The node that a SERVER span with these attributes names as what called it, `NO_NODE` if it names none."""
    name = text(attributes, "service.peer.name", "peer.service")
    return _remote(name[:MAX_NAME]).target.node if name else NO_NODE


def calls_inside(attributes: Attributes) -> bool:
    """Whether an INTERNAL span is a call of what is in its own process: of an agent, a tool, or an embedded database."""
    return works_inside(attributes) or _queries_inside(attributes)


def waits_inside(name: str, attributes: Attributes) -> bool:
    """Whether a CLIENT span with `POOL_SIZE` is but the wait for a connection of a pool in the same process, which Node's
    instrumentation of pg (0.70) reports beside each query; one that is opened meanwhile has a span of its own."""
    return name == _POOL and DOCUMENT not in attributes


def _queries_inside(attributes: Attributes) -> bool:
    """Whether an INTERNAL span is the query of an embedded database, as the conventions allow.

    One that names a method of the program is not: Java's datasource instrumentation (2.33) writes
    the database on its ``getConnection`` spans, too.
    """
    return bool(text(attributes, *_DATABASE)) and not any(key in attributes for key in _CODE)


@short_cache(_CACHED)
def _exported(call_text: str) -> Callee | None:
    """The callee of an exported subsegment; None if the text is not an `ExportedCall`."""
    try:
        call = msgspec.json.decode(call_text, type=ExportedCall)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    target = call_node(
        call.namespace, call.name, aws=call.aws, has_sql=call.sql, origin=call.origin
    )
    if call.namespace == "aws":
        return Callee("aws", target.service, target, call.aws)
    return Callee("remote", call.name, target, origin=call.origin)


def is_aws_api(attributes: Attributes) -> bool:
    """Whether a span calls an AWS service through an AWS SDK."""
    return (
        attributes.get("rpc.system", attributes.get("rpc.system.name")) == "aws-api"
        or "aws.service" in attributes
        or text(attributes, "aws.remote.service").startswith(_REMOTE_PREFIXES)
    )


def _in_place(called: Callee, caller: Resource) -> Callee:
    """The callee of an exported subsegment, of which the segment is the caller, as of any document's."""
    node = in_place_of(called.target.node, caller)
    return replace(called, target=called.target._replace(node=node))


def _aws_service(attributes: Attributes) -> str:
    """The canonical name of the AWS service called."""
    name = text(attributes, "aws.service", "rpc.service", "aws.remote.service")
    for prefix in _REMOTE_PREFIXES:
        name = name.removeprefix(prefix)
    if not name:  # the newest convention has the service in the method: "S3/ListBuckets"
        method = text(attributes, "rpc.method", "aws.operation")
        name = max((method.rpartition(mark)[0] for mark in "/."), key=len) or "AWS"
    return canonical_service(name if "." in name else name.replace(" ", ""))[:MAX_NAME]


def resources_of(service: str, attributes: Attributes) -> dict[str, Any]:
    """The resource, account and region that the call names, under X-Ray's keys for them."""
    block: dict[str, Any] = {}
    region = text(attributes, *_REGIONS)
    if region:
        block["region"] = region
    account = text(attributes, "aws.account_id", "aws.remote.resource.account.id")
    if account:
        block["account_id"] = account
    known = RESOURCES.get(service)
    if known is None:
        return block
    key, names = known
    values = texts(attributes, *names)
    if not values and service in ("SQS", "Lambda"):
        values = _resource_of_url(service, attributes)
    if not values:
        expected = REMOTE_RESOURCES.get(text(attributes, "aws.remote.resource.type"))
        if expected == key:
            values = texts(attributes, "aws.remote.resource.identifier")
    if len(values) > 1 and key == "table_name":
        block["table_names"] = values
    elif values:
        block[key] = values[0]
    return block


def _resource_of_url(service: str, attributes: Attributes) -> list[str]:
    """What some instrumentations put into a URL alone: Go's (otelaws 0.72) has the queue's as the
    server's address, Java's agent (2.10, 2.33) the function in the URL of Lambda's API."""
    if service == "SQS":
        return [url for url in texts(attributes, "server.address") if "://" in url]
    match = _INVOCATION.search(text(attributes, "url.full", "http.url"))
    return [unquote(match[1])] if match else []


def _aws(service: str, attributes: Attributes, caller: Resource) -> Callee:
    block = resources_of(service, attributes)
    set_place(service, block, caller.account, caller.region)
    return Callee("aws", service, _aws_node(service, _frozen(block)), block)


def set_place(service: str, block: dict[str, Any], account: str, region: str) -> None:
    """Name the account and the region of a call that names none: its queue's, else its caller's."""
    if service == "S3":
        return
    queue = place_of_queue(str(block.get("queue_url", "")))
    account, region = queue if any(queue) else (account, region)
    if account and not account_of(block):
        block["account_id"] = account
    if region and not region_of(block):
        block["region"] = region


def _frozen(block: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple([(k, tuple(v) if isinstance(v, list) else v) for k, v in block.items()])


@short_cache(_CACHED)
def _aws_node(service: str, block: tuple[tuple[str, Any], ...]) -> CallNode:
    aws = {key: list(value) if isinstance(value, tuple) else value for key, value in block}
    return call_node("aws", service, aws=aws)


def _database_name(system: str, attributes: Attributes) -> str:
    name = text(attributes, "db.namespace", "db.name", "db.cassandra.keyspace")
    if "|" in name:  # PostgreSQL's "database|schema", SQL Server's "instance|database"
        parts = name.split("|")
        name = parts[-1] if system in _INSTANCE_FIRST else parts[0]
    return "" if name.isdecimal() else name


@short_cache(_CACHED)
def _database(system: str, name: str, host: str) -> Callee:
    label = f"{name}@{host}" if name and host else name or host or system
    label = label[:MAX_NAME]
    if system in SQL_SYSTEMS:
        return Callee("remote", label, call_node("remote", label, has_sql=True), sql=system)
    return _typed(label, f"Database::{system_name(system)}")


def messaging_callee(system: str, attributes: Attributes, caller: Resource) -> Callee:
    """The queue, topic or stream of a messaging system."""
    service = AWS_MESSAGING.get(system.lower())
    if service:
        return _aws(service, attributes, caller)
    return destination(system, destination_name(attributes))


def destination_name(attributes: Attributes) -> str:
    """The name of the queue or topic, the same for all temporary ones; '' without one."""
    if attributes.get("messaging.destination.temporary") is True:
        return text(attributes, "messaging.destination.template") or "(temporary)"
    if attributes.get("messaging.destination.anonymous") is True:
        return "(anonymous)"
    return text(
        attributes,
        "messaging.destination.template",
        "messaging.destination.name",
        "messaging.destination",
    )


@short_cache(_CACHED)
def destination(system: str, name: str) -> Callee:
    """The queue or topic of a system that is no AWS service; of any if '' is the system."""
    kind = system_name(system)
    return _typed((name or kind)[:MAX_NAME], MESSAGING + kind)


def _typed(name: str, type: str) -> Callee:
    return Callee("remote", name, CallNode(NodeKey("", name, type), name), origin=type)


@short_cache(_CACHED)
def _remote(name: str) -> Callee:
    return Callee("remote", name, call_node("remote", name))


def _function(name: str, attributes: Attributes, caller: Resource) -> Callee:
    provider = text(attributes, "faas.invoked_provider")
    if provider == "aws":
        return _aws("Lambda", attributes, caller)
    type = FUNCTION_TYPES.get(provider)
    return _typed(name[:MAX_NAME], type) if type else _remote(name[:MAX_NAME])


def _remote_name(attributes: Attributes, service: str) -> str:
    name = text(attributes, "aws.remote.service")
    if name and name != "UnknownRemoteService":
        return named_host(name, attributes, service)
    name = "" if name else text(attributes, "service.peer.name", "peer.service")
    if name and name != "UnknownRemoteService":
        return name
    name = called_host(attributes, service) or text(attributes, "rpc.service")
    if name:
        return name
    path, _, method = text(attributes, "rpc.method").rpartition("/")
    return path if method else ""


@short_cache(_CACHED)
def system_name(system: str) -> str:
    """A system's name within a node type: ``redis`` → ``Redis``, ``gcp_pubsub`` → ``PubSub``."""
    known = SYSTEM_NAMES.get(system.lower())
    if known:
        return known
    words = "".join(c if c.isalnum() else " " for c in system).split()
    return "".join(word[:1].upper() + word[1:] for word in words)[:50] or "Other"
