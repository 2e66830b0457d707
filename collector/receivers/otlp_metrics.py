"""OTLP metrics, over HTTP (``/v1/metrics``) and gRPC: those of CloudWatch and of functions.

Other points are not stored. They are refused in the protocol's form, as rejected data points of a partial
success, which clients report and do not send again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from collector.decode.metrics.otlp import Ignored, Points, decode_json_metrics, decode_metrics
from collector.log_records import submit_points
from collector.pipeline import IngestPipeline
from collector.receivers.media_types import JSON, PROTOBUF
from collector.receivers.otlp_signal import Signal, add_service, decode_signal

SERVICE = "opentelemetry.proto.collector.metrics.v1.MetricsService"
NAME = "otlp-metrics"
_WHY = {
    Ignored.OTHER: "Raymap stores metrics of CloudWatch, and faas.* of functions",
    Ignored.NO_NODE: "a dimension has to name a node of the map",
    Ignored.CUMULATIVE: "set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta",
}


async def store_metrics(
    pipeline: IngestPipeline, decode: Callable[[bytes], Points], body: bytes
) -> ExportMetricsServiceResponse:
    """The response once the points are durable. Raises Rejected and JournalFull."""
    found = await decode_signal(pipeline, NAME, decode, body)
    for ack in submit_points(pipeline, found.points, found.ignored):
        await asyncio.wrap_future(ack)
    return _response(found)


def _response(found: Points) -> ExportMetricsServiceResponse:
    response = ExportMetricsServiceResponse()
    refused = found.ignored.total() + len(found.rejected)
    if refused:
        reasons = [_WHY[each] for each in Ignored if found.ignored[each]]
        reasons += [rejected.message for rejected in found.rejected[:1]]
        response.partial_success.rejected_data_points = refused
        response.partial_success.error_message = "; ".join(reasons) + " (docs/metrics.md)"
    return response


METRICS = Signal(
    "/v1/metrics",
    NAME,
    SERVICE,
    {PROTOBUF: decode_metrics, JSON: decode_json_metrics},
    store_metrics,
)


def add_otlp_metrics(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the gRPC service with a server that has not started."""
    add_service(METRICS, server, pipeline)
