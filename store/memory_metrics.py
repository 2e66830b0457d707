"""The reference implementation of `store.platform_metrics.MetricStore`, on a dictionary."""

from __future__ import annotations

from collections.abc import Sequence

from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricPoint, MetricStep
from store.times import MINUTE


class MemoryMetrics:
    """Points of metrics. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._points: dict[tuple[str | int, ...], MetricPoint] = {}

    def put_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Store points."""
        self._points.update({point.key: point for point in points})

    def metric_steps(
        self, node: NodeKey, types: Sequence[str], window: TimeRange, step: int
    ) -> list[MetricStep]:
        """Sums by metric and step."""
        steps: dict[tuple[str, int], list[MetricPoint]] = {}
        for point in self._points.values():
            inside = window.start // MINUTE <= point.minute < -(-window.end // MINUTE)
            if inside and _is_of(point, node, types):
                steps.setdefault((point.metric, point.minute // step * step), []).append(point)
        return [
            MetricStep(
                metric,
                max(point.unit for point in points),
                minute,
                sum(point.sum for point in points),
                sum(point.count for point in points),
                min(point.min for point in points),
                max(point.max for point in points),
            )
            for (metric, minute), points in sorted(steps.items())
        ]


def _is_of(point: MetricPoint, node: NodeKey, types: Sequence[str]) -> bool:
    return (
        point.name == node.name
        and point.type in types
        and not point.dimensions
        and (not node.account or point.account in ("", node.account))
        and (not node.region or point.region in ("", node.region))
    )
