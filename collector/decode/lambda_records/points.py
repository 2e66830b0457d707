"""Points in log lines: of the embedded metric format (EMF), and of Lambda's REPORT. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from collector.decode.lambda_records.events import Report
from collector.decode.lambda_records.fold import Origin
from store.platform_metrics import MOST_NAME, MetricPoint, point_id
from store.rules.invocation_documents import SUCCEEDED
from store.rules.invocations import FUNCTION
from store.times import MINUTE

EMF, RECORD = "emf", "record"
PREFIX = "Lambda"
"""Namespace of what REPORT says."""
MOST = 100
"""Metrics of a line, and values of a metric: EMF's own limit."""


def emf_points(members: Mapping[str, Any], origin: Origin, seed: object) -> list[MetricPoint]:
    """The metrics of a JSON line; none if it has none. ``seed``: what makes the line itself."""
    described = members.get("_aws")
    blocks = described.get("CloudWatchMetrics") if isinstance(described, dict) else None
    at = described.get("Timestamp") if isinstance(described, dict) else None
    if not isinstance(blocks, list) or not isinstance(at, int) or not 0 < at < 10**14:
        return []
    name, type = (origin.function, FUNCTION) if origin.function else (origin.service, origin.type)
    if not name:
        return []
    found = {
        metric: MetricPoint(
            name,
            type,
            origin.account,
            origin.region,
            metric,
            at * 1_000 // MINUTE,
            sum(values),
            float(len(values)),
            min(values),
            max(values),
            unit,
            EMF,
            point=point_id(seed, metric),
        )
        for metric, unit, values in _described(blocks, members)
    }
    return list(found.values())[:MOST]


def _described(
    blocks: list[Any], members: Mapping[str, Any]
) -> Iterator[tuple[str, str, list[float]]]:
    """Namespace and name, unit and values of each metric."""
    for block in blocks[:MOST]:
        namespace = block.get("Namespace") if isinstance(block, dict) else None
        metrics = block.get("Metrics") if isinstance(block, dict) else None
        for metric in metrics[:MOST] if isinstance(metrics, list) else ():
            name = metric.get("Name") if isinstance(metric, dict) else None
            if not isinstance(name, str) or not isinstance(namespace, str):
                continue
            values = _numbers(members.get(name))
            if values:
                unit = metric.get("Unit")
                unit = unit if isinstance(unit, str) else ""
                yield f"{namespace}/{name}"[:MOST_NAME], unit[:20], values


def _numbers(value: object) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [
        float(each)
        for each in values[:MOST]
        if isinstance(each, int | float) and not isinstance(each, bool) and isfinite(each)
    ]


def error_point(request_id: str, time: int, origin: Origin) -> MetricPoint:
    """An error of a request: the same point whether its REPORT or its runtime's line says so."""
    return _point("Errors", 1.0, "Count", time, origin, (request_id,))


def report_points(report: Report, origin: Origin, handler_failed: bool) -> list[MetricPoint]:
    """What a REPORT says, also of an invocation that was not sampled. One point for each request in a
    minute, from whichever source. ``handler_failed``: as far as the lines of its delivery say."""
    if not origin.function:
        return []
    if handler_failed or report.status not in SUCCEEDED:
        errors = error_point(report.request_id, report.end, origin)
    else:  # a point of its own: the runtime's line may be in another delivery
        apart = (report.request_id, "succeeded")
        errors = _point("Errors", 0.0, "Count", report.end, origin, apart)
    figures = {
        "Invocations": (1.0, "Count"),
        "PlatformErrors": (float(report.status not in SUCCEEDED), "Count"),
        "Duration": (report.duration / 1_000, "ms"),
        "BilledDuration": (report.billed_ms, "ms"),
        "MemorySize": (float(report.memory_mb), "MB"),
        "MaxMemoryUsed": (float(report.max_memory_mb), "MB"),
    }
    if begun := report.init or report.restore:
        figures["InitDuration"] = (begun / 1_000, "ms")
    seed = (report.request_id,)
    return [errors] + [
        _point(name, value, unit, report.end, origin, seed)
        for name, (value, unit) in figures.items()
    ]


def _point(
    name: str, value: float, unit: str, time: int, origin: Origin, seed: tuple[str, ...]
) -> MetricPoint:
    return MetricPoint(
        origin.function,
        FUNCTION,
        origin.account,
        origin.region,
        f"{PREFIX}/{name}",
        time // MINUTE,
        value,
        1.0,
        value,
        value,
        unit,
        RECORD,
        point=point_id(*seed),
    )
