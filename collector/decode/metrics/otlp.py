"""OTLP metrics → points by minute and node. Pure.

Two kinds are read: CloudWatch's, as its metric stream in the format OpenTelemetry 1.0 has them
(``amazonaws.com/AWS/Lambda/Invocations``, summaries whose attributes are namespace, name and dimensions),
and ``faas.*`` of OpenTelemetry's conventions, of a resource with ``faas.name``. Others are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    SummaryDataPoint,
)

from collector.decode.lambda_records.events import damaged
from collector.decode.limits import PAIR, MessageCount, Shape, request_of
from collector.decode.metrics.cloudwatch_names import resource_of
from collector.decode.otlp.frames import ResourceFrame, read_frames
from collector.decode.otlp.items import Kind, read_items
from collector.decode.otlp.json import Form, read_json_frames
from collector.decode.rejected import Rejected
from store.otel.attributes import Attributes, read_attributes, text
from store.otel.resource import Resource, read_resource
from store.platform_metrics import MOST_NAME, MetricPoint, point_id
from store.rules.invocations import FUNCTION

CLOUDWATCH = "amazonaws.com/"
STREAM, OTLP = "metric stream", "otlp"
MAX_POINTS = 50_000
"""Points of one request, whether they are stored or not; also metrics, resources and scopes."""
_EXEMPLAR = Shape({7: PAIR})
_NUMBERS = Shape({1: Shape({5: _EXEMPLAR, 7: PAIR})})
_HISTOGRAM = Shape({1: Shape({8: _EXEMPLAR, 9: PAIR})})
_EXPONENTIAL = Shape({1: Shape({1: PAIR, 11: _EXEMPLAR})})
_SUMMARY = Shape({1: Shape({6: Shape({}), 7: PAIR})})
_METRIC = Shape({5: _NUMBERS, 7: _NUMBERS, 9: _HISTOGRAM, 10: _EXPONENTIAL, 11: _SUMMARY, 12: PAIR})
_KIND = Kind("the metric", _METRIC, Metric.FromString)
_MINUTE = 60_000_000_000
"""Nanoseconds."""
_LATEST = (1 << 32) - 1
_SECONDS = 1_000.0
"""Milliseconds."""


class Ignored(StrEnum):
    """Why a point is not stored; the label ``outcome`` of a counter."""

    OTHER = "other"
    """Neither CloudWatch's nor a function's."""
    NO_NODE = "no_node"
    """Of a namespace, or without the dimension, that names a node of the map."""
    CUMULATIVE = "cumulative"
    """A sum since the start of a process; the temporality has to be delta."""


class Points(NamedTuple):
    """What a request contains."""

    points: list[MetricPoint]
    ignored: Counter[Ignored]
    rejected: list[Rejected]


class _Figures(NamedTuple):
    """In the order of `MetricPoint`."""

    total: float
    number: float
    least: float
    most: float


def decode_metrics(body: bytes, source: str = OTLP) -> Points:
    """The protobuf encoding. Raises Rejected when the request is unreadable, or has too many points."""
    parts = read_frames(body, MAX_POINTS, "ExportMetricsServiceRequest")
    return _read(parts, MessageCount(_METRIC, request_of(_METRIC), body), source)


def decode_json_metrics(body: bytes) -> Points:
    """The JSON encoding."""
    return _read(read_json_frames(body, _FORM, MAX_POINTS), MessageCount(_METRIC), OTLP)


def _encode(content: dict[str, Any]) -> Metric:
    metric: Metric = json_format.ParseDict(content, Metric(), ignore_unknown_fields=True)
    return metric


_FORM = Form(
    "ExportMetricsServiceRequest",
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
    "the metric",
    _encode,
)


def _read(parts: Iterable[ResourceFrame], count: MessageCount, source: str) -> Points:
    """The points; a damaged one costs itself only."""
    found = Points([], Counter(), [])
    left = MAX_POINTS
    for metrics in read_items(parts, _KIND, count):
        found.rejected.extend(metrics.rejected)
        resource = read_resource(metrics.resource.attributes)
        for metric in metrics.messages:
            points = _data_points(metric)
            left -= len(points)
            if left < 0:
                raise damaged(f"more than {MAX_POINTS:,} points in one request")
            for point in points:
                _add(found, metric, point, resource, source)
    return found


def _add(found: Points, metric: Metric, point: Any, resource: Resource, source: str) -> None:
    try:
        one = _read_point(metric, point, resource, source)
    except Rejected as rejected:
        found.rejected.append(rejected)
        return
    if isinstance(one, MetricPoint):
        found.points.append(one)
    else:
        found.ignored[one] += 1


def _data_points(metric: Metric) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _read_point(
    metric: Metric, point: Any, resource: Resource, source: str
) -> MetricPoint | Ignored:
    attributes = read_attributes(point.attributes)
    if metric.name.startswith(CLOUDWATCH):
        return _of_cloudwatch(metric, point, attributes, resource, source)
    function = text(resource.attributes, "faas.name")
    if not function or not metric.name.startswith("faas."):
        return Ignored.OTHER
    if _is_cumulative(metric):
        return Ignored.CUMULATIVE
    figures = _figures(metric, point)
    unit = metric.unit
    if unit == "s":
        figures, unit = _scaled(figures, _SECONDS), "ms"
    at = (metric.name, sorted(attributes.items(), key=str), point.start_time_unix_nano)
    return MetricPoint(
        function,
        FUNCTION,
        resource.account,
        resource.region,
        metric.name[:MOST_NAME],
        _minute(point),
        *figures,
        unit,
        source,
        point=point_id(*at, point.time_unix_nano),
    )


def _of_cloudwatch(
    metric: Metric, point: Any, attributes: Attributes, resource: Resource, source: str
) -> MetricPoint | Ignored:
    """Its time is the end of the minute; one point a minute and series, the last of which is right."""
    namespace, name = text(attributes, "Namespace"), text(attributes, "MetricName")
    dimensions = attributes.get("Dimensions")
    given = dimensions if isinstance(dimensions, dict) else {}
    node = resource_of(namespace, {k: v for k, v in given.items() if isinstance(v, str)})
    if node is None:
        return Ignored.NO_NODE
    if not name:
        raise damaged(f"{metric.name[:80]}: expected the attribute MetricName")
    return MetricPoint(
        node.name,
        node.type,
        resource.account,
        resource.region,
        f"{namespace}/{name}"[:MOST_NAME],
        _minute(point),
        *_figures(metric, point),
        _unit(metric.unit),
        source,
        node.dimensions,
    )


def _minute(point: Any) -> int:
    """That of the point's start; without one, that in which it ended."""
    start = point.start_time_unix_nano or max(0, point.time_unix_nano - 1)
    minute = int(start // _MINUTE)
    if not 0 < minute <= _LATEST:
        raise damaged("a metric's point: expected a time")
    return minute


def _unit(unit: str) -> str:
    """As CloudWatch calls it: the stream has ``{Count}``."""
    return unit.strip("{}")


def _is_cumulative(metric: Metric) -> bool:
    kind = metric.WhichOneof("data") or ""
    temporality = getattr(getattr(metric, kind, None), "aggregation_temporality", 0)
    return bool(temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)


def _figures(metric: Metric, point: Any) -> _Figures:
    """Of a summary, a histogram, a sum or a gauge. Raises Rejected for numbers that are none."""
    if isinstance(point, SummaryDataPoint):
        quantiles = {each.quantile: each.value for each in point.quantile_values}
        mean = point.sum / point.count if point.count else 0.0
        least, most = quantiles.get(0.0, mean), quantiles.get(1.0, mean)
        figures = _Figures(point.sum, float(point.count), least, most)
    elif hasattr(point, "bucket_counts") or hasattr(point, "zero_count"):
        mean = point.sum / point.count if point.count else 0.0
        least = point.min if _has(point, "min") else mean
        most = point.max if _has(point, "max") else mean
        figures = _Figures(point.sum, float(point.count), least, most)
    else:
        value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
        figures = _Figures(float(value), 1.0, float(value), float(value))
    if not all(map(isfinite, figures)):
        raise damaged(f"{metric.name[:80]}: expected finite numbers")
    return figures


def _has(point: Message, field: str) -> bool:
    return bool(point.HasField(field))


def _scaled(figures: _Figures, by: float) -> _Figures:
    return _Figures(figures.total * by, figures.number, figures.least * by, figures.most * by)
