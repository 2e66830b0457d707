"""A span as stored → what it is on the map. From docs/opentelemetry.md and docs/xray-format.md §11, without the
first decoder."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from store.model import (
    NO_NODE,
    Call,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    State,
)
from store.otel.adjusted_count import adjusted_count
from store.otel.derived_ids import derived_id
from store.second_decoder.attributes import Attributes, read_attributes, text
from store.second_decoder.aws_calls import is_aws
from store.second_decoder.callee import Callee
from store.second_decoder.callers import PEER, Caller
from store.second_decoder.resource import (
    MOST_NAME,
    UNKNOWN,
    is_rendered,
    named_by,
    place_of,
    service_node,
)
from store.second_decoder.segment import kind_of
from store.second_decoder.span_callee import callee_of, message_node
from store.second_decoder.span_outcome import Ended, recorded, state_of

MOST_LINKS = 100
OF_MESSAGES = ("publish", "send", "settle")
"""Operations of a CLIENT whose links are to messages."""
REMOTE, IS_KNOWN = 0x200, 0x100


def decode_span(raw: bytes, version: int) -> Document:
    """What a stored span is on the map."""
    message = ResourceSpans.FromString(raw[1:])
    (scope,) = message.scope_spans
    (span,) = scope.spans
    return Reading(span, read_attributes(message.resource.attributes)).document(raw, version)


class Reading:
    """A span, its attributes, and what the rules say of them."""

    def __init__(self, span: Span, resource: Attributes) -> None:
        self.span, self.resource = span, resource
        self.attributes = read_attributes(span.attributes)
        self.exported = "aws.xray.document" in self.attributes
        self.kind = Kind(span.kind) if 1 < span.kind <= 5 else Kind.INTERNAL
        self.operation = text(self.attributes, "messaging.operation.type", "messaging.operation")
        of_pool = span.name == "pg-pool.connect" and "db.postgresql.max.client" in self.attributes
        self.is_wait = of_pool and self.kind is Kind.CLIENT and not self.exported
        if self._is_creation() or self.is_wait:
            self.kind = Kind.INTERNAL
        of_dapr = self.attributes.get("messaging.system") == "pubsub" and not self.exported
        if of_dapr and self.kind is Kind.CLIENT and span.name.startswith("pubsub/"):
            self.kind = Kind.CONSUMER
        named = text(self.attributes, "aws.local.service") or text(
            resource, "aws.local.service", "service.name"
        )
        self.service = named[:MOST_NAME] or UNKNOWN
        self.place = place_of(resource)
        loads_page = (
            resource.get("telemetry.sdk.language") == "webjs" and span.name == "documentLoad"
        )
        self.parent = b"" if loads_page else span.parent_span_id
        self.weight = adjusted_count(span.trace_state, span.trace_id)
        of_messages = self.kind is Kind.CLIENT and self.operation in OF_MESSAGES
        self.links = [] if of_messages and not self.exported else self._links()
        self.fetched = self._fetched()
        self.callees = self._callees()
        self.start = span.start_time_unix_nano // 1000
        end = span.end_time_unix_nano // 1000
        self.in_progress = not end or self.attributes.get("aws.xray.inprogress") is True
        self.end = self.start if self.in_progress else max(self.start, end)
        type = self.callees[0].node.type if self.callees else ""
        by_host = type == "remote" and is_aws(self.attributes)
        self.calls_aws = type.startswith("AWS::") or by_host
        self.ended = Ended(
            self.attributes,
            span.status,
            recorded(span),
            Kind.CLIENT if self.kind is Kind.INTERNAL and self.callees else self.kind,
            self.exported,
            self.calls_aws,
        )
        self.state = State.IN_PROGRESS if self.in_progress else state_of(self.ended)

    def document(self, raw: bytes, version: int) -> Document:
        """The document of the span."""
        span, independent = self.span, self._independent()
        begins = independent is Independent.NO and bool(self.callees)
        id = derived_id(span.trace_id, span.span_id) if begins else span.span_id
        agent = text(self.attributes, "user_agent.original", "http.user_agent")
        return Document(
            trace_id=span.trace_id,
            id=int.from_bytes(id, "big"),
            parent_id=int.from_bytes(self.parent, "big"),
            independent=independent,
            inferred=False,
            start=self.start,
            end=self.end,
            last_end=self.end,
            state=self.state,
            node=service_node(self.resource, self.service),
            service=self.service,
            http=Http(
                status=0 if begins else self.ended.http_status,
                user_agent="" if begins else agent,
            ),
            exception=self.ended.exception,
            calls=tuple(self._calls()),
            links=tuple(self.links),
            version=version,
            sampled=raw[:1] == b"\x01",
            weight=self.weight,
            kind=self._kind_as_stored(independent),
            before=NO_NODE if self.exported else self._before(),
            fetched=self.fetched,
        )

    def _is_creation(self) -> bool:
        """Whether it is a message's creation, of which Azure's SDKs name no operation."""
        if self.kind is not Kind.PRODUCER or self.exported:
            return False
        return self.operation == "create" or (
            not self.operation and "az.namespace" in self.attributes
        )

    def _callees(self) -> list[Callee]:
        if self.fetched is not Fetched.NO or self.is_wait:
            return []
        node = service_node(self.resource, self.service)
        found = callee_of(Caller(self.kind, self.attributes, node.name, self.place))
        leaves = self.kind in (Kind.CLIENT, Kind.PRODUCER) and not self.exported
        return found or ([Callee(NO_NODE, "")] if leaves else [])

    def _fetched(self) -> Fetched:
        """What a span fetched from a broker."""
        a = self.attributes
        if self.kind is Kind.CONSUMER and self.span.name == "recv" and not a:
            return Fetched.UNSEEN
        fetches = self.operation in ("receive", "poll")
        if self.kind not in (Kind.CLIENT, Kind.CONSUMER) or not fetches:
            return Fetched.NO
        if "messaging.system" not in a or self.exported:
            return Fetched.NO
        if a.get("messaging.batch.message_count") in (0, "0"):
            return Fetched.UNSEEN
        return Fetched.MESSAGES if self.kind is Kind.CONSUMER or self.links else Fetched.UNSEEN

    def _independent(self) -> Independent:
        """Whether the span is a segment, and if not, whose work it is."""
        remote = self.span.flags & (IS_KNOWN | REMOTE)
        if self.kind in (Kind.SERVER, Kind.CONSUMER) or not any(self.parent):
            return Independent.NO
        if remote == IS_KNOWN | REMOTE or self.attributes.get("aws.span.kind") == "LOCAL_ROOT":
            return Independent.NO
        if self.fetched is Fetched.MESSAGES:
            return Independent.NO
        rendered = is_rendered(self.resource) and self.span.name == named_by(self.resource)
        if self.service == UNKNOWN or self.exported or rendered:
            return Independent.OF_PARENT
        return Independent.OF_PROCESS if remote == IS_KNOWN else Independent.OF_SENDER

    def _kind_as_stored(self, independent: Independent) -> Kind:
        if not self.exported:
            return self.kind
        node = service_node(self.resource, self.service)
        return kind_of(node, is_segment=independent is Independent.NO and not self.callees)

    def _calls(self) -> list[Call]:
        id = int.from_bytes(self.span.span_id, "big")
        return [
            Call(
                id=id + place,
                start=self.start,
                end=self.end,
                state=self.state,
                node=callee.node,
                service=callee.service,
                host="" if self.calls_aws else callee.node.name,
                status=self.ended.http_status,
                traced=self.attributes.get("aws.xray.traced") is True and not place,
                exception=self.ended.exception,
                weight=self.weight,
            )
            for place, callee in enumerate(self.callees)
        ]

    def _links(self) -> list[Link]:
        found = []
        for link in self.span.links[:MOST_LINKS]:
            id = int.from_bytes(link.span_id, "big") if len(link.span_id) == 8 else 0
            valid = id and len(link.trace_id) == 16 and any(link.trace_id)
            if valid and link.trace_id != self.span.trace_id:
                attributes = read_attributes(link.attributes)
                child = attributes.get("aws.xray.reserved.reference_type") == "child"
                received = attributes.get("aws.xray.reserved.received_event_end_time")
                seconds = received if isinstance(received, (int, float)) else 0
                found.append(Link(link.trace_id, id, not child, round(seconds * 1e6), self.weight))
        return found

    def _before(self) -> NodeKey:
        """What the span names as being in front of it: what called it, or the broker of its messages."""
        if self.kind is Kind.SERVER:
            name = text(self.attributes, *PEER)
            return NodeKey("", name[:MOST_NAME], "remote") if name else NO_NODE
        if self.kind is Kind.CONSUMER or self.fetched is Fetched.MESSAGES:
            return message_node(self.attributes, self.service, self.place)
        return NO_NODE
