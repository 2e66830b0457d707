"""A span in X-Ray's terms: the one reading behind stored columns and rendered documents.

Pure. Kind of document (docs/xray-format.md §11.1): a span that enters a service is a segment; every
other is an independent subsegment. A call without a local parent becomes a segment that contains
the call, so that the map shows the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from math import isfinite
from typing import Any

from msgspec import Struct
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.model import NO_HTTP, NO_NODE, Fetched, Http, Kind, Link, NodeKey, State
from store.otel.adjusted_count import adjusted_count
from store.otel.attributes import Attributes, read_attributes, text, texts
from store.otel.aws_block import API_OPERATION
from store.otel.callee import (
    CALL,
    MAX_NAME,
    POOL_SIZE,
    Callee,
    callee_of,
    caller_of,
    calls_inside,
    is_aws_api,
    waits_inside,
)
from store.otel.derived_ids import derived_id
from store.otel.http_block import http_of
from store.otel.merge_patch import DOCUMENT
from store.otel.messages import (
    broker_of,
    creates_message,
    delivers_message,
    fetched_of,
    links_to_messages,
    queue_of,
)
from store.otel.resource import BROWSER, UNKNOWN, Resource
from store.otel.status import (
    FAULT,
    STATUS_ERROR,
    THROTTLE,
    Flags,
    Thrown,
    aws_status,
    escaped_grpc,
    failure_of,
    failure_status,
    first_name,
    flags_of,
    http_status,
    recorded_exceptions,
)
from store.rules.annotations import Value
from store.rules.classify import classify, is_throttling
from store.rules.invocations import kind_of
from store.rules.links import MAX_LINKS, RESERVED, read_link
from store.rules.operations import aws_operation, operation_of_request, operation_of_span

MAX_ANNOTATIONS = 50
"""Attributes of a span that are searchable: X-Ray's limit per trace."""
MAX_ANNOTATION = 1000
NAMED_ANNOTATIONS = "aws.xray.annotations"
"""Attribute that lists the keys of annotations."""
ANNOTATION = "aws.xray.annotation."
"""Prefix of an exported annotation's key that could be read as an OpenTelemetry attribute."""

SERVER, CLIENT, PRODUCER, CONSUMER = (
    Span.SPAN_KIND_SERVER,
    Span.SPAN_KIND_CLIENT,
    Span.SPAN_KIND_PRODUCER,
    Span.SPAN_KIND_CONSUMER,
)
_ENTERING = frozenset({SERVER, CONSUMER})
_LEAVING = frozenset({CLIENT, PRODUCER})
_PARENT_IS_REMOTE = 0x300
"""Span.flags: it is known whether the parent is remote, and it is."""
_PARENT_IS_LOCAL = 0x100
"""Span.flags: it is known, and it is not."""

PAGE_LOAD = "documentLoad"
"""Name of the span of a page's load (OpenTelemetry JS, `instrumentation-document-load`), which takes its parent from the
page's `<meta name="traceparent">`."""
_KINDS = frozenset(Kind) - {Kind.NONE}
_NO_PARENT = bytes(8)


class Shape(Enum):
    """What a span becomes."""

    SEGMENT = "segment"
    LOCAL = "local"
    """A subsegment of work inside its service."""
    CALL = "call"
    """A subsegment that leaves its service; without a callee, to where only an answer says."""
    ENTRY_CALL = "entry call"
    """A segment that contains one call: the span has the call's id, the segment one derived from
    it."""


class SpanFacts(Struct, frozen=True, gc=False):
    """A span, read. Times in microseconds; ``name`` is the document's.

    ``weight``: how many spans it represents, by its own tracestate.
    """

    shape: Shape
    trace_id: bytes
    id: bytes
    parent_id: bytes
    name: str
    start: int
    end: int
    in_progress: bool
    flags: Flags
    status: int
    thrown: list[Thrown]
    attributes: Attributes
    annotations: dict[str, Value]
    callee: Callee | None = None
    http: Http = NO_HTTP
    user: str = ""
    links: tuple[Link, ...] = ()
    weight: int = 1
    service: str = ""
    """The service that sent the span; '' if it names none, or is a part of an X-Ray document."""
    kind: Kind = Kind.NONE
    """None of an X-Ray document that was exported as spans."""
    before: NodeKey = NO_NODE
    """The broker that a consumer names, the caller that a SERVER span names."""
    fetched: Fetched = Fetched.NO
    has_local_parent: bool = False
    """Whether its parent is known to be in the same process."""
    api_operation: str = ""
    """Of a call of AWS's API, or a part of an X-Ray document, the operation that it names."""

    def operations(self, name: str) -> tuple[str, str]:
        """What the document did, and its call (`store.rules.operations`). ``name``: the span's."""
        if DOCUMENT in self.attributes:
            http = self.http
            operation = self.api_operation or operation_of_request(http.method, http.url)
            return operation, operation
        own = operation_of_span(name)
        return own, self.api_operation or own

    @property
    def exception(self) -> str:
        return first_name(self.thrown)

    @property
    def traced(self) -> bool:
        return self.attributes.get("aws.xray.traced") is True

    def state(self, *, with_status: bool = True) -> State:
        """The state by `classify`; the segment around a call has no HTTP status."""
        if not self.in_progress and self.status < 400 and not any(self.flags):
            return State.OK
        return classify(
            error=self.flags.error,
            throttle=self.flags.throttle,
            fault=self.flags.fault,
            status=self.status if with_status else 0,
            in_progress=self.in_progress,
            exception=self.exception,
            aws=self.callee is not None and self.callee.namespace == "aws",
        )

    def segment_id(self) -> bytes:
        """The id of the segment: the span's own, or one derived from it for `Shape.ENTRY_CALL`."""
        return derived_id(self.trace_id, self.id) if self.shape is Shape.ENTRY_CALL else self.id

    def caller(self, resource: Resource) -> str:
        """The name of the segment around a call."""
        own = self.service or text(self.attributes, "aws.local.service")[:MAX_NAME]
        return own or resource.service


USER_KEYS = ("enduser.id", "user.id")


def read_span_facts(span: Span, resource: Resource) -> SpanFacts:
    """The facts of a span whose ids and times are valid."""
    attributes = read_attributes(span.attributes)
    return facts_of(span, resource, attributes, attributes, annotations_of(attributes))


def facts_of(
    span: Span,
    resource: Resource,
    attributes: Attributes,
    stored: Attributes,
    annotations: dict[str, Value],
) -> SpanFacts:
    """The facts of a span with these attributes.

    ``stored`` are the same attributes for facts that are an attribute's text as it is: addresses,
    user agent, URL, user. A caller may pass others to learn which attribute becomes which fact
    (`collector.decode.otlp.cases`).
    """
    kind = span.kind
    service = text(attributes, "aws.local.service")[:MAX_NAME] or resource.service
    if kind not in _LEAVING and kind not in _ENTERING and DOCUMENT not in attributes:
        kind = CLIENT if calls_inside(attributes) else kind
    elif (kind == PRODUCER and creates_message(attributes)) or (
        kind == CLIENT and POOL_SIZE in attributes and waits_inside(span.name, attributes)
    ):
        kind = Span.SPAN_KIND_INTERNAL
    elif kind == CLIENT and delivers_message(span.name, attributes):
        kind = CONSUMER
    status = http_status(attributes)
    thrown = recorded_exceptions(span) if span.events else []
    failed_aws_call = kind in _LEAVING and _is_failed_aws_call(span, attributes)
    if failed_aws_call and not status:
        status = aws_status(thrown)
    failure = 0
    if span.status.code == STATUS_ERROR and status < 400 and DOCUMENT not in attributes:
        leaves, enters = kind in _LEAVING, kind in _ENTERING
        message = span.status.message
        failure = failure_status(attributes, message, thrown, leaves=leaves, enters=enters)
    flags = flags_of(attributes, span.status.code, status, failure)
    if any(flags) and not thrown:
        thrown = failure_of(span.status.message, attributes)
    if failed_aws_call and not status and is_throttling(first_name(thrown)):
        flags = THROTTLE
    if kind == SERVER and not any(flags) and span.events and escaped_grpc(span, attributes):
        flags = FAULT
    parent = _parent(span, resource)
    weight = adjusted_count(span.trace_state, span.trace_id) if span.trace_state else 1
    links: tuple[Link, ...] = ()
    if span.links and not links_to_messages(kind, attributes):
        links = _links(span, weight)
    fetched = fetched_of(span, kind, attributes, named=bool(links))
    shape = _shape(kind, bool(parent), span.flags, attributes)
    if fetched:
        shape = _shape_of_fetch(shape, fetched)
    callee = None
    http = NO_HTTP
    if shape is Shape.CALL or shape is Shape.ENTRY_CALL:
        callee = callee_of(attributes, resource)
        if kind == PRODUCER and CALL not in attributes:
            callee = broker_of(attributes, callee)
        if callee is None and DOCUMENT in attributes:
            shape = Shape.LOCAL if shape is Shape.CALL else Shape.SEGMENT
    if callee is not None:
        name = callee.name
        http = http_of(stored, status, server=False)
    elif shape is Shape.SEGMENT:
        name = service
        http = http_of(stored, status, server=True)
    else:
        name = span.name[:MAX_NAME] or "span"
        if status or DOCUMENT in attributes:
            http = http_of(stored, status, server=False)
    start = span.start_time_unix_nano // 1000
    end = span.end_time_unix_nano // 1000
    in_progress = end == 0 or attributes.get("aws.xray.inprogress") is True
    return SpanFacts(
        shape,
        span.trace_id,
        span.span_id,
        parent,
        name,
        start,
        start if in_progress else max(start, end),
        in_progress,
        flags,
        status,
        thrown,
        attributes,
        annotations,
        callee,
        http,
        text(stored, *USER_KEYS),
        links,
        weight,
        service if _names_its_service(span, resource, attributes, service) else "",
        _kind(kind, attributes, resource, shape),
        _before(kind, fetched, attributes, resource),
        fetched,
        span.flags & _PARENT_IS_REMOTE == _PARENT_IS_LOCAL,
        _api_operation(attributes, callee),
    )


def _parent(span: Span, resource: Resource) -> bytes:
    """The id of a span's parent, b"" without. The load of a page in a browser has none: what it names is the request that
    it made for the page, whose answer says its own id."""
    if resource.language == BROWSER and span.name == PAGE_LOAD:
        return b""
    parent = span.parent_span_id
    return b"" if parent == _NO_PARENT else parent


def _api_operation(attributes: Attributes, callee: Callee | None) -> str:
    if (callee is None or callee.namespace != "aws") and DOCUMENT not in attributes:
        return ""
    return aws_operation(text(attributes, *API_OPERATION))


def _kind(kind: int, attributes: Attributes, resource: Resource, shape: Shape) -> Kind:
    """The kind of a span; one that says none, or one unknown, is internal. Of an exported X-Ray document as of that."""
    if DOCUMENT in attributes:
        return kind_of(resource.origin, is_segment=shape is Shape.SEGMENT)
    return Kind(kind) if kind in _KINDS else Kind.INTERNAL


def _shape_of_fetch(shape: Shape, fetched: Fetched) -> Shape:
    """What a span becomes that fetched messages: it calls nothing."""
    if fetched is Fetched.MESSAGES or shape is Shape.ENTRY_CALL:
        return Shape.SEGMENT
    return Shape.LOCAL if shape is Shape.CALL else shape


def _before(kind: int, fetched: Fetched, attributes: Attributes, resource: Resource) -> NodeKey:
    if kind == SERVER:
        return NO_NODE if DOCUMENT in attributes else caller_of(attributes)
    return queue_of(kind, fetched, attributes, resource)


def _names_its_service(
    span: Span, resource: Resource, attributes: Attributes, service: str
) -> bool:
    """Whether the service is that of the span: not if it has none, or is a part of an X-Ray document."""
    if service == UNKNOWN or DOCUMENT in attributes:
        return False
    return not resource.document_name or span.name != resource.document_name


def _is_failed_aws_call(span: Span, attributes: Attributes) -> bool:
    """Whether a call of an AWS SDK failed; an exported document has its own flags and status."""
    return (
        span.status.code == STATUS_ERROR and DOCUMENT not in attributes and is_aws_api(attributes)
    )


def _links(span: Span, weight: int) -> tuple[Link, ...]:
    links = []
    for link in span.links[:MAX_LINKS]:
        attributes = read_attributes(link.attributes)
        kind = attributes.get(RESERVED + "reference_type")
        received = attributes.get(RESERVED + "received_event_end_time")
        id = int.from_bytes(link.span_id, "big") if len(link.span_id) == 8 else 0
        links.append(read_link(span.trace_id, link.trace_id, id, kind, received, weight))
    return tuple(link for link in links if link is not None)


def _shape(kind: int, has_parent: bool, flags: int, attributes: Attributes) -> Shape:
    if kind in _ENTERING:
        return Shape.SEGMENT
    enters = (
        not has_parent
        or flags & _PARENT_IS_REMOTE == _PARENT_IS_REMOTE
        or attributes.get("aws.span.kind") == "LOCAL_ROOT"
    )
    if kind in _LEAVING:
        return Shape.ENTRY_CALL if enters else Shape.CALL
    return Shape.SEGMENT if enters else Shape.LOCAL


def annotations_of(attributes: Attributes) -> dict[str, Value]:
    """Searchable attributes: those named in ``aws.xray.annotations``, then the others.

    X-Ray's exporter takes the named ones only; here every scalar is searchable.
    """
    keys: Iterable[str] = attributes
    if NAMED_ANNOTATIONS in attributes:
        named = texts(attributes, NAMED_ANNOTATIONS)
        if DOCUMENT in attributes:
            found = {key.removeprefix(ANNOTATION): attributes.get(key) for key in named}
            return {key: v for key, v in found.items() if v is not None and _is_indexed(v)}
        keys = [*named, *attributes]
    chosen: dict[str, Value] = {}
    for key in keys:
        value: Any = attributes.get(key)
        kind: type = type(value)
        if (
            (kind is str and len(value) <= MAX_ANNOTATION)
            or kind is int
            or kind is bool
            or (kind is float and isfinite(value))
        ) and not key.startswith("aws.xray."):
            chosen[key] = value
            if len(chosen) == MAX_ANNOTATIONS:
                break
    return chosen


def _is_indexed(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ANNOTATION
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
