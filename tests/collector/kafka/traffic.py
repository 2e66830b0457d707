"""Records as producers write them: each has traces of two documents, a request of the shop and its call."""

from __future__ import annotations

import base64
import itertools
import json
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.collector.otlp_samples import pairs

SHOP, STORAGE = "shop", "storage"
MILLISECOND = 1_000_000


class Traffic:
    """Traces that all begin now, and are remembered."""

    def __init__(self) -> None:
        self.trace_ids: list[bytes] = []
        self._numbers = itertools.count(1)

    @property
    def documents(self) -> int:
        """That were made."""
        return 2 * len(self.trace_ids)

    def _trace_id(self) -> bytes:
        number = next(self._numbers)
        seed = time.time_ns() & 0xFFFF_FFFF_FFFF
        id = int(time.time()).to_bytes(4) + seed.to_bytes(6) + number.to_bytes(6)
        self.trace_ids.append(id)
        return id

    def request(self, traces: int = 20) -> ExportTraceServiceRequest:
        """What the Collector exports at once."""
        now = time.time_ns()
        shop, storage = [], []
        for _ in range(traces):
            id = self._trace_id()
            shop.append(_span(id, id[8:], b"", now))
            storage.append(_span(id, bytes(7) + b"\1", id[8:], now))
        return ExportTraceServiceRequest(
            resource_spans=[_spans(SHOP, shop), _spans(STORAGE, storage)]
        )

    def otlp(self, traces: int = 20) -> bytes:
        """The same as protobuf."""
        return self.request(traces).SerializeToString()

    def otlp_json(self, traces: int = 20) -> bytes:
        """The same as JSON."""
        made = json_format.MessageToDict(self.request(traces))
        for resource in made["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in span:
                            span[key] = _hex(span[key])
        return json.dumps(made).encode()

    def segments(self) -> list[bytes]:
        """A trace of X-Ray's: two segment documents."""
        id, now = self._trace_id().hex(), time.time()
        common = {"trace_id": f"1-{id[:8]}-{id[8:]}", "start_time": now}
        root = {**common, "id": id[16:], "name": SHOP, "end_time": now + 0.02}
        call = {
            **common, "id": "0000000000000001", "parent_id": id[16:], "name": STORAGE, "end_time": now + 0.01,
        }  # fmt: skip
        return [json.dumps(each).encode() for each in (root, call)]


def _spans(service: str, spans: list[Span]) -> ResourceSpans:
    resource = Resource(attributes=pairs({"service.name": service}))
    return ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])


def _span(trace_id: bytes, id: bytes, parent: bytes, now: int) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=id,
        parent_span_id=parent,
        name="GET /",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=now,
        end_time_unix_nano=now + 20 * MILLISECOND,
    )


def _hex(encoded: str) -> str:
    return base64.b64decode(encoded).hex()
