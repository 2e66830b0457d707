"""A stored span → its X-Ray document (docs/xray-format.md §11.1), rendered on reading.

Decoded again, the document gives the same columns as the span: both come from `read_span_facts`.
What X-Ray has no place for is in ``metadata``: ``default`` as in X-Ray's exporter, the span's own
name and events under ``otel``.
"""

from __future__ import annotations

from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.model import NO_HTTP
from store.otel.attributes import Attributes, number, read_attributes, text
from store.otel.aws_block import aws_of_call, aws_of_segment
from store.otel.derived_ids import derived_id
from store.otel.http_block import client_address
from store.otel.merge_patch import DOCUMENT, patched
from store.otel.resource import Resource, read_resource
from store.otel.span_facts import Shape, SpanFacts, read_span_facts
from store.otel.stack_traces import frames_of, split_causes
from store.otel.status import STATUS_ERROR, Thrown
from store.otel.stored_span import read_span
from store.trace_id import format_trace_id

Json = dict[str, Any]

_KINDS = {number: name.removeprefix("SPAN_KIND_") for name, number in Span.SpanKind.items()}
_METADATA = "aws.xray.metadata."
_CONTROL = ("aws.xray.annotations", DOCUMENT, "aws.xray.inprogress", "aws.xray.traced")


def render_span(raw: bytes) -> Json:
    """The document. Raises ValueError for bytes that are not a stored span."""
    message = read_span(raw)
    resource = read_resource(message.resource.attributes)
    scope = message.scope_spans[0]
    span = scope.spans[0]
    facts = read_span_facts(span, resource)
    patch = facts.attributes.get(DOCUMENT)
    document = _document(facts, span, scope.scope, resource)
    return document if patch is None else patched(document, patch)


def _document(
    facts: SpanFacts, span: Span, scope: InstrumentationScope, resource: Resource
) -> Json:
    unit = _unit(facts, span, scope, resource)
    trace_id = format_trace_id(facts.trace_id)
    if facts.shape is Shape.SEGMENT:
        return {**unit, "trace_id": trace_id, **_parent(facts), **_service(facts, resource)}
    if facts.shape is Shape.ENTRY_CALL:
        return _segment_around(unit, facts, resource)
    return {**unit, "trace_id": trace_id, "type": "subsegment", **_parent(facts)}


def _unit(facts: SpanFacts, span: Span, scope: InstrumentationScope, resource: Resource) -> Json:
    """The members that segments and subsegments share."""
    unit: Json = {"id": facts.id.hex(), "name": facts.name, **_times(facts), **_flags(facts)}
    callee = facts.callee
    if callee is not None:
        unit["namespace"] = callee.namespace
        if callee.origin:
            unit["origin"] = callee.origin
        if callee.sql:
            unit["sql"] = _sql(facts.attributes, callee.sql)
        if callee.namespace == "aws":
            unit["aws"] = aws_of_call(facts.attributes, callee.aws)
    if facts.traced:
        unit["traced"] = True
    if facts.http != NO_HTTP:
        unit["http"] = _http(facts)
    if facts.thrown:
        unit["cause"] = _cause(facts, resource)
    if facts.annotations:
        unit["annotations"] = facts.annotations
    unit["metadata"] = _metadata(facts, span, scope, resource)
    if span.links:
        unit["links"] = [_link(link) for link in span.links]
    return unit


def _service(facts: SpanFacts, resource: Resource) -> Json:
    """The members that only segments have."""
    own: Json = {}
    aws = aws_of_segment(resource)
    if aws:
        own["aws"] = aws
    version = text(resource.attributes, "service.version", "container.image.tag")
    if version:
        own["service"] = {"version": version}
    for key, value in (
        ("user", facts.user),
        ("origin", resource.origin),
        ("resource_arn", resource.arn),
    ):
        if value:
            own[key] = value
    return own


def _segment_around(call: Json, facts: SpanFacts, resource: Resource) -> Json:
    """The segment of a service of which only this call is known."""
    segment: Json = {
        "id": facts.segment_id().hex(),
        "name": facts.caller(resource),
        "trace_id": format_trace_id(facts.trace_id),
        **_times(facts),
        **_flags(facts),
        **_parent(facts),
        **_service(facts, resource),
    }
    for exception in call.get("cause", {}).get("exceptions", ()):
        if exception["type"]:
            segment["cause"] = exception["id"]
            break
    return {**segment, "subsegments": [call]}


def _parent(facts: SpanFacts) -> Json:
    return {"parent_id": facts.parent_id.hex()} if facts.parent_id else {}


def _times(facts: SpanFacts) -> Json:
    start = facts.start / 1e6
    if facts.in_progress:
        return {"start_time": start, "in_progress": True}
    return {"start_time": start, "end_time": facts.end / 1e6}


def _flags(facts: SpanFacts) -> Json:
    return {name: True for name, is_set in facts.flags._asdict().items() if is_set}


def _http(facts: SpanFacts) -> Json:
    http, attributes = facts.http, facts.attributes
    request: Json = {
        key: value
        for key, value in (
            ("method", http.method),
            ("url", http.url),
            ("user_agent", http.user_agent),
            ("client_ip", http.client_ip),
        )
        if value
    }
    if http.client_ip and client_address(attributes)[1]:
        request["x_forwarded_for"] = True
    block: Json = {"request": request} if request else {}
    if http.status:
        block["response"] = {"status": http.status}
        length = number(attributes, "http.response.body.size", "http.response_content_length")
        if length is not None:
            block["response"]["content_length"] = length
    return block


def _sql(attributes: Attributes, system: str) -> Json:
    server, port = text(attributes, "server.address", "net.peer.name"), None
    port = number(attributes, "server.port", "net.peer.port")
    database = text(attributes, "db.namespace", "db.name")
    url = f"{server}{f':{port}' if port else ''}/{database}" if server or database else ""
    block = {
        "url": url,
        "connection_string": text(attributes, "db.connection_string"),
        "sanitized_query": text(attributes, "db.query.text", "db.statement"),
        "database_type": system,
        "user": text(attributes, "db.user"),
    }
    return {key: value for key, value in block.items() if value}


def _cause(facts: SpanFacts, resource: Resource) -> Json:
    language = text(resource.attributes, "telemetry.sdk.language")
    remote = facts.callee is not None
    exceptions: list[Json] = []
    for thrown in facts.thrown:
        chain = split_causes(thrown, language)
        first = len(exceptions)
        ids = [_exception_id(facts, first + index) for index in range(len(chain) + 1)]
        for index, link in enumerate(chain):
            entry = _exception(link, ids[index], language, remote)
            if index + 1 < len(chain):
                entry["cause"] = ids[index + 1]
            exceptions.append(entry)
    return {"exceptions": exceptions}


def _exception(thrown: Thrown, id: str, language: str, remote: bool) -> Json:
    entry: Json = {"id": id, "type": thrown.type, "message": thrown.message}
    if remote:
        entry["remote"] = True
    stack = frames_of(thrown.stack, language)
    if stack:
        entry["stack"] = stack
    return entry


def _exception_id(facts: SpanFacts, index: int) -> str:
    return derived_id(facts.trace_id, facts.id + index.to_bytes(4, "big"), b"exception").hex()


def _metadata(
    facts: SpanFacts, span: Span, scope: InstrumentationScope, resource: Resource
) -> Json:
    default: Json = {}
    named: Json = {}
    for key, value in facts.attributes.items():
        if key.startswith(_METADATA) and isinstance(value, str):
            named[key.removeprefix(_METADATA)] = _parsed(value)
        elif key not in facts.annotations and key not in _CONTROL:
            default[key] = value
    if facts.shape in (Shape.SEGMENT, Shape.ENTRY_CALL):
        default |= {f"otel.resource.{key}": v for key, v in resource.attributes.items()}
    metadata = {"otel": _otel(span, scope)}
    return metadata | ({"default": default} if default else {}) | named


def _otel(span: Span, scope: InstrumentationScope) -> Json:
    """What only OpenTelemetry has."""
    own: Json = {
        "name": span.name,
        "kind": _KINDS.get(span.kind, str(span.kind)),
    }
    if scope.name:
        own["scope"] = {"name": scope.name, "version": scope.version}
    if span.status.code == STATUS_ERROR:
        own["status"] = {"code": "ERROR", "message": span.status.message}
    if span.trace_state:
        own["trace_state"] = span.trace_state
    events = [
        {
            "name": event.name,
            "time": event.time_unix_nano / 1e9,
            "attributes": read_attributes(event.attributes),
        }
        for event in span.events
        if event.name != "exception"
    ]
    return own | ({"events": events} if events else {})


def _parsed(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return value


def _link(link: Span.Link) -> Json:
    trace_id = link.trace_id
    entry: Json = {
        "trace_id": format_trace_id(trace_id) if len(trace_id) == 16 else trace_id.hex(),
        "id": link.span_id.hex(),
    }
    attributes = read_attributes(link.attributes)
    return {**entry, "attributes": attributes} if attributes else entry
