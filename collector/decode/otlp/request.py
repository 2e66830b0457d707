"""OTLP's ExportTraceServiceRequest → one `Document` per span. No sockets, no clock, no store.

The meaning of a span is `store.otel.span_facts`; here it is validated and flattened. The resource is
read once for all of its spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from msgspec.structs import replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.ids import further_call_id
from collector.decode.limits import bound_rejections
from collector.decode.otlp.frames import ResourceFrame, count_messages, read_frames
from collector.decode.otlp.groups import SpanGroup, read_groups, unreadable
from collector.decode.rejected import Reason, Rejected
from store.model import NO_HTTP, NO_NODE, Call, Document, Independent, NodeKey
from store.otel.resource import Resource, read_resource, service_node
from store.otel.span_facts import Shape, SpanFacts, read_span_facts
from store.otel.stored_span import is_unsampled, read_span, write_span
from store.rules.annotations import annotation_item
from store.rules.identity import CallNode, further_nodes, in_place_of
from store.short_cache import short_cache

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)
_NOTHING = CallNode(NO_NODE, "")


def decode_otlp(
    body: bytes, version: int, *, sampled: bool = True
) -> Iterator[Document | Rejected]:
    """The spans of a request in protobuf, each judged alone; all get the same version.

    Raises Rejected when the body is not protobuf, needs more than `MAX_REQUEST` bytes, or has too
    many spans or too many invalid ones (`collector.decode.limits`).
    """
    groups = read_groups(read_frames(body), count_messages(body))
    yield from bound_rejections(_decode_groups(groups, version, sampled))


def decode_frames(
    parts: Iterable[ResourceFrame], version: int, *, sampled: bool = True
) -> Iterator[Document | Rejected]:
    """The spans of a request that has been split."""
    return _decode_groups(read_groups(parts), version, sampled)


def _decode_groups(
    groups: Iterable[SpanGroup], version: int, sampled: bool
) -> Iterator[Document | Rejected]:
    for group in groups:
        for raw in group.spans:
            yield decode_span(raw, group, version, sampled)


def decode_span(
    raw: bytes | Rejected, group: SpanGroup, version: int, sampled: bool
) -> Document | Rejected:
    """One span of a group."""
    if isinstance(raw, Rejected):
        return raw
    resource = group.known.resource
    try:
        span = Span.FromString(raw)
        facts = _facts(span, resource)
    except DecodeError:
        return unreadable("the span")
    except Rejected as rejected:
        return rejected.as_value()
    chosen = sampled and is_chosen(facts)
    stored = write_span(group.shared, group.scope, raw, sampled=chosen)
    return flatten_span(facts, resource, stored, version, span.name)


def decode_stored(raw: bytes, version: int) -> Document:
    """The document of a span as `store.otel.stored_span` writes it. Raises Rejected."""
    try:
        message = read_span(raw)
    except ValueError as error:
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, str(error)) from error
    resource = read_resource(message.resource.attributes)
    span = message.scope_spans[0].spans[0]
    facts = _facts(span, resource)
    return flatten_span(facts, resource, raw, version, span.name)


def is_chosen(facts: SpanFacts) -> bool:
    """Whether the sender sampled a span, as far as the span itself says."""
    return facts.attributes.get("aws.trace.flag.sampled") is not False


def _facts(span: Span, resource: Resource) -> SpanFacts:
    """The facts of a span with valid ids and times. Raises Rejected."""
    trace_id, id, parent_id = span.trace_id, span.span_id, span.parent_span_id
    if len(id) != 8 or id == _NO_SPAN:
        raise _bad_id(Reason.INVALID_ID, "span_id", id, 8, None)
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise _bad_id(Reason.INVALID_TRACE_ID, "trace_id", trace_id, 16, id)
    if parent_id and (len(parent_id) != 8 or parent_id == id):
        if parent_id == id:
            message = "parent_span_id: names the span itself"
            raise Rejected(Reason.INVALID_PARENT_ID, message, id.hex())
        raise _bad_id(Reason.INVALID_PARENT_ID, "parent_span_id", parent_id, 8, id)
    if not span.start_time_unix_nano:
        raise Rejected(Reason.MISSING_START_TIME, "start_time_unix_nano: missing or 0", id.hex())
    return read_span_facts(span, resource)


def flatten_span(
    facts: SpanFacts, resource: Resource, raw: bytes, version: int, name: str
) -> Document:
    """The document of one span, which has this name."""
    shape = facts.shape
    span_id = int.from_bytes(facts.id, "big")
    segment = shape is Shape.SEGMENT or shape is Shape.ENTRY_CALL
    operation, called = facts.operations(name)
    is_call = shape is Shape.CALL or shape is Shape.ENTRY_CALL
    call = _call(facts, span_id, called) if is_call else None
    node = _node(facts, resource, call)
    http = facts.http
    around = shape is Shape.ENTRY_CALL
    return Document(
        facts.trace_id,
        int.from_bytes(facts.segment_id(), "big") if around else span_id,
        int.from_bytes(facts.parent_id, "big"),
        _independent(facts),
        False,
        facts.start,
        facts.end,
        facts.end,
        facts.state(with_status=not around),
        node.node,
        node.service,
        NO_HTTP if around else http,
        facts.user if segment else "",
        resource.arn if segment else "",
        resource.instance_id if segment else "",
        resource.availability_zone if segment else "",
        facts.exception if facts.thrown else "",
        _items(facts.annotations),
        (),
        (call, *_further_calls(facts, call, resource)) if call is not None else (),
        raw,
        version,
        not is_unsampled(raw),
        facts.links,
        facts.weight,
        resource.version if segment else "",
        resource.environment if segment else "",
        facts.kind,
        facts.before,
        facts.fetched,
        operation,
    )


def _independent(facts: SpanFacts) -> Independent:
    if facts.shape is Shape.SEGMENT or facts.shape is Shape.ENTRY_CALL:
        return Independent.NO
    if not facts.service:
        return Independent.OF_PARENT
    return Independent.OF_PROCESS if facts.has_local_parent else Independent.OF_SENDER


def _node(facts: SpanFacts, resource: Resource, call: Call | None) -> CallNode:
    """The node of the span's service, but of a part of an X-Ray document what it calls; and its name."""
    place = resource.origin, resource.account, resource.region, resource.namespace
    if facts.shape is Shape.SEGMENT:
        return service_node(facts.name, *place)
    if facts.shape is Shape.ENTRY_CALL:
        return service_node(facts.caller(resource), *place)
    if facts.service:
        return service_node(facts.service, *place)
    if call and call.node.name:
        return CallNode(call.node, call.service)
    return CallNode(NodeKey("", facts.name, ""), facts.name)


def _call(facts: SpanFacts, id: int, operation: str) -> Call:
    callee = facts.callee
    target = callee.target if callee else _NOTHING
    host = callee.name if callee and callee.namespace == "remote" else ""
    return Call(
        id,
        facts.start,
        facts.end,
        facts.state(),
        target.node,
        target.service,
        host,
        facts.status,
        facts.traced,
        facts.exception if facts.thrown else "",
        facts.weight,
        operation,
    )


def _further_calls(facts: SpanFacts, call: Call, resource: Resource) -> Iterator[Call]:
    """The same call to the other tables it names."""
    callee = facts.callee
    if callee is None or "table_names" not in callee.aws:
        return
    nodes = further_nodes(callee.namespace, callee.name, callee.aws)
    for number, (node, service) in enumerate(nodes):
        id = further_call_id(facts.trace_id, call.id, number)
        placed = in_place_of(node, resource)
        yield replace(call, id=id, node=placed, service=service, traced=False)


_item = short_cache(16_384)(annotation_item)


def _items(annotations: dict[str, str | int | float | bool]) -> tuple[str, ...]:
    return tuple([_item(key, value) for key, value in annotations.items()])


def _bad_id(reason: Reason, key: str, value: bytes, size: int, id: bytes | None) -> Rejected:
    if value and not any(value):
        why = "all zero, which names nothing"
    else:
        why = f"got {len(value)} bytes" if value else "missing"
    return Rejected(reason, f"{key}: expected {size} bytes, {why}", id.hex() if id else None)
