"""A record of the log group ``aws/spans`` → the X-Ray document that AWS made it of (docs/aws-spans.md). Pure.

With Transaction Search, AWS converts every X-Ray document to spans by OpenTelemetry's conventions, one for each segment
and embedded subsegment, and keeps in ``_aws.xray`` what these have no word for: the name, type and namespace. So the
conversion is read backwards, and a document that came this way draws what it draws when its sender reports it here. A
member of an ``aws`` block is the attribute of that name behind ``aws.``. A record without ``_aws.xray`` was a span when
it reached AWS: `span_of`.
"""

from __future__ import annotations

from typing import Any

from store.otel.attributes import Attributes, text
from store.otel.aws_block import aws_of_segment
from store.otel.aws_span_blocks import (
    DATABASE,
    FLAGS,
    QUERY,
    Json,
    cause_of,
    http_block,
    members,
    notes_of,
    sql_block,
)
from store.otel.callee import resources_of, set_place
from store.otel.resource import Resource, is_aws, origin_of, resource_of
from store.otel.span_facts import USER_KEYS
from store.otel.status import http_status
from store.rules.identity import account_of, region_of
from store.rules.invocations import FUNCTION, SERVICE
from store.rules.service_names import canonical_service

SEGMENT, SUBSEGMENT = "segment", "subsegment"
STAGE = "AWS::ApiGateway::Stage"
_SUFFIXES = {"/LambdaService": SERVICE, "/LambdaExecutionEnvironment": FUNCTION}
"""How the span of a segment is named that Lambda writes itself, and the segment's origin."""
_PLATFORMS = {"aws_api_gateway": STAGE}
"""``cloud.platform`` → origin, beside `store.otel.semconv.ORIGINS`."""
_ARNS = {
    "apigateway": STAGE,
    "appsync": "AWS::AppSync::GraphQLAPI",
    "lambda": FUNCTION,
    "sns": "AWS::SNS",
    "states": "AWS::StepFunctions::StateMachine",
}
"""The service in an ARN → the origin of what has it."""
_GATEWAY = "aws.api_gateway."
_RESOURCE_ARNS = ("cloud.resource_id", "faas.id", "aws.lambda.invoked_arn")
_MADE_UP = "UnknownService"
"""What AWS writes as ``aws.local.service`` of a span whose resource names no service."""


def xray_of(record: Json) -> Json | None:
    """What a record says of the X-Ray document it was; None of a span that was none."""
    xray = members(members(record.get("_aws")).get("xray"))
    return xray if xray.get("type") in (SEGMENT, SUBSEGMENT) else None


def is_finished(record: Json) -> bool:
    """Whether a span has ended. AWS writes some twice: when they begin, and when they end."""
    if members(record.get("attributes")).get("aws.xray.inprogress") is True:
        return False
    try:
        end = int(record.get("endTimeUnixNano") or 0)
    except (TypeError, ValueError, OverflowError):
        return True  # its decoder says what is wrong
    return end >= 1_000  # as `store.otel.span_facts`, where an end of zero microseconds is none


def document_of(record: Json, xray: Json, account: str, region: str) -> Json:
    """The document. What is no valid one is refused by its decoder. ``account`` and ``region``: of the log, for a segment
    and a call that name none."""
    attributes, of_resource = _attributes(record), _of_resource(record)
    is_segment = xray["type"] == SEGMENT
    document = {
        "trace_id": record.get("traceId"),
        "id": record.get("spanId"),
        "name": xray.get("name") or record.get("name"),
        **_times(record),
        **_unit(attributes, xray, is_segment, account, region),
        **notes_of(record, attributes),
    }
    if record.get("parentSpanId"):
        document["parent_id"] = record["parentSpanId"]
    if is_segment:
        document |= _segment(record, attributes, resource_of(of_resource), account, region)
        document["name"] = _segment_name(document)
    else:
        document["type"] = SUBSEGMENT
    cause = cause_of(record, xray, attributes, of_resource)
    return document | ({"cause": cause} if cause else {})


def span_of(record: Json, account: str, region: str) -> tuple[Json, Json]:
    """The attributes of a span's resource, and the span as in OTLP but for attributes, which are objects."""
    of_resource = _of_resource(record)
    if is_aws(of_resource):
        known = resource_of(of_resource)
        if account and not known.account:
            of_resource["cloud.account.id"] = account
        if region and not known.region:
            of_resource["cloud.region"] = region
    attributes = _attributes(record)
    if origin := text(
        attributes, "aws.xray.origin"
    ):  # of a service of AWS that reports spans itself
        of_resource.setdefault("aws.xray.origin", origin)
    if attributes.get("aws.local.service") == _MADE_UP:
        del attributes["aws.local.service"]
    return of_resource, record | {"attributes": attributes}


def _segment(
    record: Json, attributes: Attributes, resource: Resource, account: str, region: str
) -> Json:
    """The members that only segments have."""
    arn = text(resource.attributes, *_RESOURCE_ARNS) or text(attributes, *_RESOURCE_ARNS)
    block = aws_of_segment(resource) | _aws_members(attributes)
    gateway = {
        key.removeprefix(_GATEWAY): value
        for key, value in {**resource.attributes, **attributes}.items()
        if key.startswith(_GATEWAY)
    }
    if gateway:
        block["api_gateway"] = gateway
    if is_aws(resource.attributes):
        if account and not account_of(block, arn):
            block["account_id"] = account
        if region and not region_of(block, arn):
            block["region"] = region
    found: Json = {
        "origin": _origin(record, attributes, resource.attributes, arn),
        "resource_arn": arn,
        "user": text(attributes, *USER_KEYS),
        "aws": block,
    }
    version = text(resource.attributes, "service.version")
    if version:
        found["service"] = {"version": version}
    return {key: value for key, value in found.items() if value}


def _origin(record: Json, attributes: Attributes, of_resource: Attributes, arn: str) -> str:
    """What a segment is of: as AWS says, else by the name of its span, its platform or its ARN."""
    named = text(attributes, "aws.xray.origin")
    if named:
        return named
    name = record.get("name")
    for suffix, origin in _SUFFIXES.items():
        if isinstance(name, str) and name.endswith(suffix):
            return origin
    platform = _PLATFORMS.get(text(of_resource, "cloud.platform"))
    service = arn.split(":", 3)[2] if arn.count(":") >= 5 else ""
    return platform or origin_of(of_resource) or _ARNS.get(service, "")


def _segment_name(segment: Json) -> Any:
    """The name; X-Ray calls a stage of an API by both their names."""
    name = segment["name"]
    stage = segment.get("aws", {}).get("api_gateway", {}).get("stage")
    if segment.get("origin") != STAGE or not isinstance(stage, str):
        return name
    if not name or not isinstance(name, str):
        return name
    return name if name.endswith(f"/{stage}") else f"{name}/{stage}"


def _unit(attributes: Attributes, xray: Json, is_segment: bool, account: str, region: str) -> Json:
    """The members that segments and subsegments share, and those of calls."""
    status = http_status(attributes)
    found: Json = {name: True for name in FLAGS if attributes.get(f"aws.xray.{name}") is True}
    namespace = xray.get("namespace")
    if isinstance(namespace, str) and namespace:
        found["namespace"] = namespace
    if attributes.get("aws.xray.traced") is True:
        found["traced"] = True
    http = http_block(attributes, status, is_segment)
    if http:
        found["http"] = http
    if namespace == "aws":
        service = canonical_service(str(xray.get("name")))
        found["aws"] = resources_of(service, attributes) | _aws_members(attributes)
        set_place(service, found["aws"], account, region)
    elif namespace == "remote" and (text(attributes, *DATABASE) or text(attributes, *QUERY)):
        found["sql"] = sql_block(attributes)
    return found


def _aws_members(attributes: Attributes) -> Json:
    """The ``aws`` block, of which AWS makes an attribute of each member."""
    return {
        key.removeprefix("aws."): value
        for key, value in attributes.items()
        if key.startswith("aws.") and key.count(".") == 1
    }


def _times(record: Json) -> Json:
    start = record.get("startTimeUnixNano")
    times: Json = {} if start is None else {"start_time": _seconds(start)}
    if is_finished(record):
        return {**times, "end_time": _seconds(record["endTimeUnixNano"])}
    return {**times, "in_progress": True}


def _seconds(nanoseconds: Any) -> Any:
    """Seconds, exact to a microsecond: AWS converts X-Ray's seconds by way of a float. Anything else as it is, to be
    refused."""
    if isinstance(nanoseconds, str) and nanoseconds.isascii() and nanoseconds.isdecimal():
        nanoseconds = int(nanoseconds[:30])
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, int | float):
        return nanoseconds
    return round(nanoseconds / 1_000) / 1e6


def _of_resource(record: Json) -> Attributes:
    return dict(members(members(record.get("resource")).get("attributes")))


def _attributes(record: Json) -> Attributes:
    return dict(members(record.get("attributes")))
