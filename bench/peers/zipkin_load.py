"""The spans of a request as Zipkin's JSON, with places for ids and times as `bench.peers.load` has them."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.peers.load import Round

_KINDS = {
    Span.SPAN_KIND_SERVER: "SERVER",
    Span.SPAN_KIND_CLIENT: "CLIENT",
    Span.SPAN_KIND_PRODUCER: "PRODUCER",
    Span.SPAN_KIND_CONSUMER: "CONSUMER",
}


class ZipkinTemplate:
    """An encoded request, and where in it ids and times stand, as text."""

    def __init__(self, body: bytes, traces: dict[bytes, int]) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        (part,) = request.resource_spans
        service = _text(next(a for a in part.resource.attributes if a.key == "service.name").value)
        spans = [span for scope in part.scope_spans for span in scope.spans]
        self.spans = len(spans)
        self._body = msgspec.json.encode([_zipkin(span, service) for span in spans])
        self._trace_ids: list[tuple[int, int]] = []
        self._ids: list[tuple[int, int, int]] = []
        self._times: list[tuple[int, int]] = []
        at = 0
        for span in spans:
            number = traces.setdefault(span.trace_id, len(traces))
            at = self._body.index(span.trace_id.hex().encode(), at)
            self._trace_ids.append((at, number))
            for id in filter(None, (span.span_id, span.parent_span_id)):
                at = self._body.index(id.hex().encode(), at)
                self._ids.append((at, int.from_bytes(id, "big"), number))
            moment = span.start_time_unix_nano // 1000
            at = self._body.index(b"%d" % moment, at)
            self._times.append((at, moment))

    def render(self, fresh: Round) -> bytes:
        """The request with other ids and times."""
        body = bytearray(self._body)
        for offset, number in self._trace_ids:
            body[offset : offset + 32] = fresh.trace_ids[number].hex().encode()
        for offset, value, number in self._ids:
            body[offset : offset + 16] = b"%016x" % (value ^ fresh.keys[number])
        for offset, moment in self._times:
            body[offset : offset + 16] = b"%016d" % (moment + fresh.shift // 1000)
        return bytes(body)


def _zipkin(span: Span, service: str) -> dict[str, object]:
    made: dict[str, object] = {"traceId": span.trace_id.hex(), "id": span.span_id.hex()}
    if span.parent_span_id:
        made["parentId"] = span.parent_span_id.hex()
    made["timestamp"] = span.start_time_unix_nano // 1000
    made["duration"] = (span.end_time_unix_nano - span.start_time_unix_nano) // 1000
    made |= {"name": span.name, "localEndpoint": {"serviceName": service}}
    if span.kind in _KINDS:
        made["kind"] = _KINDS[span.kind]
    made["tags"] = dict(_tag(attribute) for attribute in span.attributes)
    return made


def _tag(attribute: KeyValue) -> tuple[str, str]:
    return attribute.key, _text(attribute.value)


def _text(value: AnyValue) -> str:
    return str(getattr(value, value.WhichOneof("value") or "string_value"))


def zipkin_export(target: str) -> Callable[[bytes], int]:
    """What posts a request over a connection of its own; the spans that were refused: none or an
    exception."""
    connection = http.client.HTTPConnection(target, timeout=60)

    def export(body: bytes) -> int:
        connection.request("POST", "/api/v2/spans", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise OSError(f"HTTP {answer.status}")
        return 0

    return export
