"""What Jaeger's search results say of a trace: its root, its length, its services, and how many of its spans failed."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from raymap.contrib.jaeger.schemas_v3 import ServiceSummary, TraceSummary
from raymap.contrib.jaeger.spans import service_of


def summary_of(id: str, data: TracesData) -> TraceSummary:
    """The summary of a trace with at least one span, as Jaeger makes it (querysvc/summary.go): the root is the earliest span
    without a parent, an orphan one whose parent is not there."""
    spans = list(_spans(data))
    known = {span.span_id for _, span in spans}
    services: dict[str, ServiceSummary] = {}
    for service, span in spans:
        summary = services.setdefault(
            service, {"name": service, "spanCount": 0, "errorSpanCount": 0}
        )
        summary["spanCount"] += 1
        summary["errorSpanCount"] += _has_failed(span)
    roots = [each for each in spans if not each[1].parent_span_id]
    root = min(roots, key=lambda each: each[1].start_time_unix_nano, default=None)
    ends = (max(span.start_time_unix_nano, span.end_time_unix_nano) for _, span in spans)
    return {
        "traceId": id,
        "rootServiceName": root[0] if root else "",
        "rootOperationName": root[1].name if root else "",
        "minStartTimeUnixNano": str(min(span.start_time_unix_nano for _, span in spans)),
        "maxEndTimeUnixNano": str(max(ends)),
        "spanCount": len(spans),
        "errorSpanCount": sum(each["errorSpanCount"] for each in services.values()),
        "orphanSpanCount": sum(
            1 for _, span in spans if span.parent_span_id and span.parent_span_id not in known
        ),
        "services": [services[name] for name in sorted(services)],
    }


def _spans(data: TracesData) -> Iterator[tuple[str, Span]]:
    """The spans with the names of their services."""
    for part in data.resource_spans:
        service = service_of(part.resource)
        for scope in part.scope_spans:
            yield from ((service, span) for span in scope.spans)


def _has_failed(span: Span) -> bool:
    return span.status.code == Status.STATUS_CODE_ERROR
