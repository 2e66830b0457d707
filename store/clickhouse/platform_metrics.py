"""The part of the store protocol that is about metrics of the platform."""

from __future__ import annotations

import time
from collections.abc import Sequence

from store.clickhouse import queries
from store.clickhouse.connection.native_format import Columns
from store.clickhouse.logs.methods import Connections
from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricPoint, MetricStep
from store.times import MINUTE

_MEMBERS = MetricPoint.__struct_fields__
_NAMES = f"{', '.join(_MEMBERS)}, received, ver"


class MetricMethods:
    """Methods of `store.platform_metrics.MetricStore`."""

    def put_metric_points(self: Connections, points: Sequence[MetricPoint], token: str) -> None:
        """Insert points; ClickHouse ignores an insert whose token it has seen."""
        with self._client() as client:
            now = time.time_ns() // 1_000
            columns = Columns(
                (
                    *([getattr(point, name) for point in points] for name in _MEMBERS),
                    [now // 1_000_000] * len(points),
                    [now + place for place in range(len(points))],
                )
            )
            client.execute(
                f"INSERT INTO platform_metrics ({_NAMES}) VALUES",
                columns,
                columnar=True,
                types_check=False,
                settings={"insert_deduplication_token": f"platform_metrics-{token}"},
            )

    def metric_steps(
        self: Connections, node: NodeKey, types: Sequence[str], window: TimeRange, step: int
    ) -> list[MetricStep]:
        """Sums by metric and step."""
        with self._asking() as ask:
            statement = queries.METRIC_STEPS.render(
                name=node.name,
                types=list(types),
                account=node.account,
                region=node.region,
                first=max(0, window.start // MINUTE),
                last=max(0, -(-window.end // MINUTE)),
                step=step,
            )
            return [MetricStep(*row) for row in ask(statement)]
