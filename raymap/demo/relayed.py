"""X-Ray documents as AWS writes them to the log group ``aws/spans``, by the conversion that docs/aws-spans.md describes.

Written from recordings of others: a state machine's records (coralogix-aws-shipper, tests/fixtures/aws_spans.json), an API
Gateway's call of a function, a function's and a GraphQL API's names and annotations. What no recording has is marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
PLATFORMS = {
    "AWS::ApiGateway::Stage": "aws_api_gateway",
    "AWS::EC2::Instance": "aws_ec2",
    "AWS::ECS::Container": "aws_ecs",
    "AWS::ElasticBeanstalk::Environment": "aws_elastic_beanstalk",
    "AWS::Lambda": "aws_lambda",
    "AWS::Lambda::Function": "aws_lambda",
}
BLOCKS = ("api_gateway", "cloudwatch_logs", "ec2", "ecs", "eks", "elastic_beanstalk", "xray")
"""Members of an ``aws`` block that become attributes of the resource."""
LAMBDA = {"AWS::Lambda": "LambdaService", "AWS::Lambda::Function": "LambdaExecutionEnvironment"}


def records_of(document: Json, *, says_origin: bool = True) -> list[Json]:
    """A document's records: the segment's, and one of each embedded subsegment.

    ``says_origin``: whether AWS writes ``aws.xray.origin``, as it does of state machines. Of functions and stages no
    recording has the attributes; their span's name or their platform tells it.
    """
    return list(_records(document, document, document.get("parent_id"), says_origin))


def _records(document: Json, unit: Json, parent: str | None, says_origin: bool) -> Iterator[Json]:
    is_segment = unit is document and document.get("type") != "subsegment"
    own = {"name": unit["name"], "type": "segment" if is_segment else "subsegment"}
    if "namespace" in unit:
        own["namespace"] = unit["namespace"]
    attributes = _attributes(unit)
    resource = _resource(unit) if is_segment else {}
    if is_segment and unit.get("origin") and (says_origin or "cloud.platform" not in resource):
        attributes["aws.xray.origin"] = unit["origin"]
    failed = any(unit.get(flag) for flag in ("error", "throttle", "fault"))
    trace_id = document["trace_id"]
    converted: Json = {
        "resource": {"attributes": resource} if resource else {},
        "traceId": trace_id[2:].replace("-", "") if "-" in trace_id else trace_id,
        "spanId": unit["id"],
        "name": _name(unit, is_segment),
        "kind": _kind(unit, is_segment),
        "startTimeUnixNano": int(unit["start_time"] * 1e9),
        "endTimeUnixNano": None,
        "attributes": attributes,
        "status": {"code": "ERROR" if failed else "UNSET"},
        "_aws": {"xray": own},
    }
    if parent:
        converted["parentSpanId"] = parent
    if unit.get("in_progress"):
        attributes["aws.xray.inprogress"] = True
    else:
        end = int(unit["end_time"] * 1e9)
        converted |= {
            "endTimeUnixNano": end,
            "durationNano": end - converted["startTimeUnixNano"],
        }
    if events := list(_events(unit, converted["startTimeUnixNano"])):
        converted["events"] = events
    if links := [_link(link) for link in unit.get("links", ())]:
        converted["links"] = links
    yield converted
    for inner in unit.get("subsegments") or ():
        yield from _records(document, inner, unit["id"], says_origin)


def _name(unit: Json, is_segment: bool) -> str:
    origin = unit.get("origin", "")
    if is_segment and origin in LAMBDA:
        return f"{unit['name']}/{LAMBDA[origin]}"
    if is_segment and origin in ("AWS::ApiGateway::Stage", "AWS::AppSync::GraphQLAPI"):
        return f"{unit.get('http', {}).get('request', {}).get('method', 'GET')} /"
    if unit.get("namespace") == "aws" and "operation" in unit.get("aws", {}):
        return f"{unit['name']}.{unit['aws']['operation']}"
    return unit["name"] if is_segment or "namespace" in unit else ""


def _kind(unit: Json, is_segment: bool) -> str:
    if is_segment:
        return "SERVER"
    return "CLIENT" if unit.get("namespace") in ("aws", "remote") else "INTERNAL"


def _resource(segment: Json) -> Json:
    """``cloud.platform`` of others than API Gateway, and the members of ECS and EC2, by the Collector's receiver."""
    aws = segment.get("aws") or {}
    gateway, ecs, ec2 = (aws.get(key) or {} for key in ("api_gateway", "ecs", "ec2"))
    name = segment["name"]
    found = {
        "cloud.provider": "aws",
        "service.name": name.removesuffix(f"/{gateway.get('stage')}"),
        "cloud.resource_id": segment.get("resource_arn"),
        "cloud.platform": PLATFORMS.get(segment.get("origin", "")),
        "cloud.account.id": aws.get("account_id") or gateway.get("account_id"),
        "cloud.availability_zone": ec2.get("availability_zone") or ecs.get("availability_zone"),
        "host.id": ec2.get("instance_id"),
        "aws.ecs.container.arn": ecs.get("container_arn"),
        "aws.ecs.task.arn": ecs.get("task_arn"),
        "aws.ecs.cluster.arn": ecs.get("cluster_arn"),
        "service.version": (segment.get("service") or {}).get("version"),
        "cloud.region": aws.get("region"),
        "aws.log.group.names": [g.get("log_group") for g in aws.get("cloudwatch_logs") or ()],
        **{
            f"aws.api_gateway.{key}": value
            for key, value in gateway.items()
            if key not in ("account_id", "request_id")
        },
    }
    return {key: value for key, value in found.items() if value}


def _attributes(unit: Json) -> Json:
    aws, http, sql = (unit.get(key) or {} for key in ("aws", "http", "sql"))
    request, response = http.get("request") or {}, http.get("response") or {}
    found: Json = {
        "PlatformType": "Generic",
        "aws.local.service": "UnknownService",
        "aws.local.environment": "generic:default",
        **{f"aws.{key}": value for key, value in aws.items() if key not in BLOCKS},
        "http.request.method": request.get("method"),
        "http.method": request.get("method"),
        "url.full": request.get("url"),
        "http.url": request.get("url"),
        "user_agent.original": request.get("user_agent"),
        "client.address": request.get("client_ip"),
        "http.response.status_code": response.get("status"),
        "http.status_code": response.get("status"),
        "enduser.id": unit.get("user"),
        "db.system": sql.get("database_type"),
        "db.statement": sql.get("sanitized_query"),
        "db.user": sql.get("user"),
        "aws.xray.traced": unit.get("traced") or request.get("traced"),
        **{f"aws.xray.{flag}": unit.get(flag) or None for flag in ("error", "throttle", "fault")},
    }
    if unit.get("namespace") == "aws":
        operation = {
            "rpc.system": "aws-api",
            "rpc.service": unit["name"],
            "aws.span.kind": "CLIENT",
        }
        found |= operation | {"rpc.method": aws.get("operation"), "telemetry.extended": "true"}
        found["aws.remote.service"] = f"AWS::{unit['name']}"
    annotations = unit.get("annotations") or {}
    if annotations:
        found |= {"aws.xray.annotation_keys": list(annotations)} | annotations
    return {key: value for key, value in found.items() if value is not None}


def _events(unit: Json, time: int) -> Iterator[Json]:
    cause = unit.get("cause")
    for exception in (cause.get("exceptions") or ()) if isinstance(cause, dict) else ():
        attributes = {
            "aws.xray.exception.truncated": 0,
            "aws.xray.exception.skipped": 0,
            "aws.xray.exception.remote": exception.get("remote", False),
            "aws.xray.exception.stacktrace_language": "java",
            "exception.type": exception.get("type") or "",
            "exception.message": exception.get("message") or "",
            "exception.stacktrace": f"{exception.get('type')}: {exception.get('message')}\n",
        }
        yield {"timeUnixNano": time, "name": "exception", "attributes": attributes}


def _link(link: Json) -> Json:
    """As in OTLP's JSON with attributes as everywhere here; no recording has any."""
    return {
        "traceId": link["trace_id"][2:].replace("-", ""),
        "spanId": link["id"],
        "attributes": link.get("attributes", {}),
    }
