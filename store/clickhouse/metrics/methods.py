"""The part of the store protocol that is about metrics of the platform."""

from __future__ import annotations

from collections.abc import Sequence

from store.clickhouse.logs.methods import Connections
from store.clickhouse.metrics import points as metric_points
from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricPoint, MetricStep


class MetricMethods:
    """Methods of `store.platform_metrics.MetricStore`."""

    def put_metric_points(self: Connections, points: Sequence[MetricPoint], token: str) -> None:
        """Store points."""
        with self._client() as client:
            metric_points.put(client, points, token)

    def metric_steps(
        self: Connections, node: NodeKey, types: Sequence[str], window: TimeRange, step: int
    ) -> list[MetricStep]:
        """Sums by metric and step."""
        with self._asking() as ask:
            return metric_points.metric_steps(ask, node, types, window, step)
