"""The attributes that a segment or subsegment becomes when it is exported as a span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from store.rules.identity import canonical_service, resource_names
from store.rules.span_words import RESOURCES, SQL_SYSTEMS

Json = dict[str, Any]

_ECS = "AWS::ECS::"
_HTTP = {
    ("request", "method"): "http.request.method",
    ("request", "url"): "url.full",
    ("request", "client_ip"): "client.address",
    ("request", "user_agent"): "user_agent.original",
    ("response", "status"): "http.response.status_code",
    ("response", "content_length"): "http.response.body.size",
}
_AWS = {
    "account_id": "aws.account_id",
    "operation": "rpc.method",
    "region": "aws.region",
    "request_id": "aws.request_id",
    "retries": "aws.xray.retries",
}


def resource_of(document: Json) -> Json:
    """What a segment says of its service; a subsegment that came alone says nothing."""
    if document.get("type") == "subsegment":
        return {"service.name": "unknown_service"}
    origin = document.get("origin")
    aws = _object(document, "aws")
    ec2, ecs = _object(aws, "ec2"), _object(aws, "ecs")
    given = {
        "service.name": document.get("name"),
        "service.version": _object(document, "service").get("version"),
        "aws.xray.origin": origin,
        "cloud.account.id": aws.get("account_id") or _object(aws, "api_gateway").get("account_id"),
        "cloud.resource_id": document.get("resource_arn"),
        "host.id": ec2.get("instance_id"),
        "cloud.availability_zone": ec2.get("availability_zone") or ecs.get("availability_zone"),
    }
    if aws or origin:
        given["cloud.provider"] = "aws"
    if (isinstance(origin, str) and origin.startswith(_ECS)) or ecs:
        given["cloud.platform"] = "aws_ecs"
    elif ec2:
        given["cloud.platform"] = "aws_ec2"
    return {key: value for key, value in given.items() if isinstance(value, str) and value}


def unit_attributes(unit: Json) -> Json:
    """What a segment and a subsegment have in common."""
    found: Json = {}
    annotations = {
        key: value
        for key, value in _object(unit, "annotations").items()
        if isinstance(value, (str, int, float, bool))
    }
    if annotations:
        found = {**annotations, "aws.xray.annotations": list(annotations)}
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
    """Whom a subsegment calls, in words that `callee_of` understands."""
    name = str(unit.get("name") or "unknown")
    if unit["namespace"] == "aws":
        return _aws_call(name, _object(unit, "aws"))
    origin = unit.get("origin")
    kind, _, system = origin.partition("::") if isinstance(origin, str) else ("", "", "")
    if kind == "Messaging":
        return {"messaging.system": system.lower(), "messaging.destination.name": name}
    if isinstance(unit.get("sql"), dict):
        return _sql_call(name, unit["sql"])
    if kind == "Database":
        return {"db.system.name": system.lower(), **_database(name)}
    return {"peer.service": name}


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
    """The two halves of ``database@host``, or the name as it is."""
    database, _, host = name.rpartition("@")
    return (
        {"db.namespace": database, "server.address": host} if database and host
        else {"db.namespace": name}
    )  # fmt: skip


def events_of(unit: Json, exceptions: Mapping[Any, Json]) -> list[Json]:
    """The attributes of an ``exception`` event for each exception of the unit's cause."""
    cause = unit.get("cause")
    if isinstance(cause, str):
        entries = [exceptions[cause]] if cause in exceptions else []
    else:
        given = cause.get("exceptions") if isinstance(cause, dict) else None
        entries = [entry for entry in given or () if isinstance(entry, dict)]
    return [dict(_event(entry)) for entry in entries]


def _event(entry: Json) -> Iterator[tuple[str, Any]]:
    for key, name in (("type", "exception.type"), ("message", "exception.message")):
        if isinstance(entry.get(key), str):
            yield name, entry[key]
    for key in ("id", "cause", "remote", "truncated", "skipped"):
        if isinstance(entry.get(key), (str, int, bool)):
            yield f"aws.xray.exception.{key}", entry[key]
    frames = [frame for frame in entry.get("stack") or () if isinstance(frame, dict)]
    if frames:
        lines = [f"\tat {f.get('label') or '?'}({f.get('path')}:{f.get('line')})" for f in frames]
        head = f"{entry.get('type') or 'Exception'}: {entry.get('message') or ''}"
        yield "exception.stacktrace", "\n".join([head, *lines])


def _object(content: Json, key: str) -> Json:
    value = content.get(key)
    return value if isinstance(value, dict) else {}
