"""The attributes of a segment or subsegment that is exported as a span."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from store.otel.callee import CALL, MAX_NAME, ExportedCall
from store.otel.semconv import RESOURCES, SQL_SYSTEMS
from store.otel.span_facts import ANNOTATION
from store.rules.deployed import VERSION, annotated_environment, environment_of, version_of
from store.rules.identity import account_of, region_of, resource_names
from store.rules.service_names import canonical_service

Json = dict[str, Any]

_ECS = "AWS::ECS::"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_]+")
"""X-Ray's pattern for keys. Other keys could be read as OpenTelemetry attributes, and get a
prefix."""
_HTTP = {
    ("request", "method"): "http.request.method",
    ("request", "url"): "url.full",
    ("request", "client_ip"): "client.address",
    ("request", "user_agent"): "user_agent.original",
    ("response", "status"): "http.response.status_code",
    ("response", "content_length"): "http.response.body.size",
}
_NAMING = (
    "account_id",
    "api_gateway",
    "bucket_name",
    "db_cluster_arn",
    "delivery_stream_name",
    "event_bus_name",
    "execution_arn",
    "function_arn",
    "function_name",
    "job_name",
    "queue_url",
    "region",
    "resource_names",
    "state_machine_arn",
    "stream_name",
    "table_name",
    "table_names",
    "topic_arn",
    "user_pool_id",
)
"""Members of an ``aws`` block that `store.rules.identity` reads."""
_AWS = {
    "account_id": "aws.account_id",
    "operation": "rpc.method",
    "region": "aws.region",
    "request_id": "aws.request_id",
    "retries": "aws.xray.retries",
}


def resource_of(document: Json) -> Json:
    """The resource of a segment; an independent subsegment has none but a placeholder name."""
    if document.get("type") == "subsegment":
        return {"service.name": "unknown_service"}
    origin = document.get("origin")
    aws = _object(document, "aws")
    ec2, ecs = _object(aws, "ec2"), _object(aws, "ecs")
    arn = document.get("resource_arn")
    annotations = _object(document, "annotations")
    given = {
        "service.name": document.get("name"),
        "service.version": version_of(
            (aws.get("function_arn"), arn),
            _object(document, "service").get("version"),
            annotations.get(VERSION),
        ),
        "deployment.environment.name": annotated_environment(annotations)
        or environment_of(_object(aws, "api_gateway").get("stage")),
        "cloud.account.id": account_of(aws, arn if isinstance(arn, str) else ""),
        "cloud.region": region_of(aws, arn if isinstance(arn, str) else ""),
        "cloud.resource_id": arn,
        "host.id": ec2.get("instance_id"),
        "cloud.availability_zone": ec2.get("availability_zone") or ecs.get("availability_zone"),
    }
    if aws or origin:
        given["cloud.provider"] = "aws"
    if (isinstance(origin, str) and origin.startswith(_ECS)) or ecs:
        given["cloud.platform"] = "aws_ecs"
    elif ec2:
        given["cloud.platform"] = "aws_ec2"
    known = {key: value for key, value in given.items() if isinstance(value, str) and value}
    return {**known, "aws.xray.origin": origin if isinstance(origin, str) else ""}


def unit_attributes(unit: Json) -> Json:
    """The attributes that segments and subsegments share."""
    annotations = {
        key if _PLAIN_KEY.fullmatch(key) else f"{ANNOTATION}{key}": value
        for key, value in _object(unit, "annotations").items()
        if isinstance(value, (str, int, float, bool))
    }
    found: Json = {**annotations, "aws.xray.annotations": list(annotations)}
    http = _object(unit, "http")
    for (block, key), name in _HTTP.items():
        value = _object(http, block).get(key)
        if value is not None and not isinstance(value, (dict, list)):
            found[name] = value
    for name, value in (("enduser.id", unit.get("user")), ("aws.xray.traced", unit.get("traced"))):
        if value:
            found[name] = value
    for flag in ("error", "throttle", "fault"):
        if unit.get(flag) is True:
            found[f"aws.xray.{flag}"] = True
    if unit.get("in_progress") is True:
        found["aws.xray.inprogress"] = True
    for namespace, content in _object(unit, "metadata").items():
        found[f"aws.xray.metadata.{namespace}"] = msgspec.json.encode(content).decode()
    return found


def call_attributes(unit: Json) -> Json:
    """The called side of a subsegment: exact for Raymap, and in OpenTelemetry's conventions."""
    name = str(unit.get("name") or "unknown")[:MAX_NAME]
    aws, sql, origin = _object(unit, "aws"), unit.get("sql"), unit.get("origin")
    origin = origin if isinstance(origin, str) else ""
    named = {key: aws[key] for key in _NAMING if aws.get(key) is not None}
    call = ExportedCall(unit["namespace"], name, named, isinstance(sql, dict), origin)
    exact = {CALL: msgspec.json.encode(call).decode()}
    if unit["namespace"] == "aws":
        return {**exact, **_aws_call(name, aws)}
    kind, _, system = origin.partition("::")
    if kind == "Messaging":
        return {**exact, "messaging.system": system.lower(), "messaging.destination.name": name}
    if isinstance(sql, dict):
        return {**exact, **_sql_call(name, sql)}
    if kind == "Database":
        return {**exact, "db.system.name": system.lower(), **_database(name)}
    return {**exact, "peer.service": name}


def _aws_call(name: str, aws: Json) -> Json:
    found: Json = {"rpc.system": "aws-api", "aws.service": name, "rpc.service": name}
    for key, attribute in _AWS.items():
        value = aws.get(key)
        if isinstance(value, (str, int)) and value != "":
            found[attribute] = value
    service = canonical_service(name)
    known = RESOURCES.get(service)
    if known is not None:
        key, attributes = known
        names = [aws[key]] if isinstance(aws.get(key), str) else resource_names(service, aws)
        if names:
            found[attributes[0]] = names if key == "table_name" else names[0]
    return found


def _sql_call(name: str, sql: Json) -> Json:
    system = str(sql.get("database_type") or "").lower()
    found = {
        "db.system.name": system if system in SQL_SYSTEMS else "other_sql",
        "db.query.text": sql.get("sanitized_query"),
        "db.user": sql.get("user"),
        **_database(name),
    }
    return {key: value for key, value in found.items() if isinstance(value, str) and value}


def _database(name: str) -> Json:
    """The two halves of ``database@host``, or the whole name."""
    database, _, host = name.rpartition("@")
    return (
        {"db.namespace": database, "server.address": host} if database and host
        else {"db.namespace": name}
    )  # fmt: skip


def events_of(unit: Json, exceptions: Mapping[str, Json]) -> list[Json]:
    """The attributes of an ``exception`` event for each exception of the unit's cause."""
    cause = unit.get("cause")
    if isinstance(cause, str):
        entries = [exceptions[cause]] if cause in exceptions else []
    else:
        given = cause.get("exceptions") if isinstance(cause, dict) else None
        entries = [e for e in given if isinstance(e, dict)] if isinstance(given, list) else []
    return [dict(_event(entry)) for entry in entries]


def _event(entry: Json) -> Iterator[tuple[str, Any]]:
    for key, name in (("type", "exception.type"), ("message", "exception.message")):
        if isinstance(entry.get(key), str):
            yield name, entry[key]
    stack = entry.get("stack")
    frames = [f for f in stack if isinstance(f, dict)] if isinstance(stack, list) else []
    if frames:
        lines = [f"\tat {f.get('label') or '?'}({f.get('path')}:{f.get('line')})" for f in frames]
        head = f"{entry.get('type') or 'Exception'}: {entry.get('message') or ''}"
        yield "exception.stacktrace", "\n".join([head, *lines])


def _object(content: Json, key: str) -> Json:
    value = content.get(key)
    return value if isinstance(value, dict) else {}
