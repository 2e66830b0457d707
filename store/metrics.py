"""Prometheus metrics of the store, in the process-wide registry."""

from __future__ import annotations

from prometheus_client import Gauge, Histogram

QUERY_SECONDS = Histogram(
    "raymap_store_query_seconds",
    "Duration of one query of the store, by the name of its file below store/clickhouse/queries",
    ["query"],
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ROLLUP_LAG = Gauge(
    "raymap_rollup_lag_seconds",
    "How long the longest waiting rows have been missing from the map's aggregates",
    multiprocess_mode="livemax",
)
DIRTY_MINUTES = Gauge(
    "raymap_dirty_minutes",
    "Minutes whose aggregates do not contain all rows yet",
    multiprocess_mode="livemax",
)
