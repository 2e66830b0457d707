"""Prometheus metrics of the store, in the process-wide registry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from prometheus_client import Gauge, Histogram

QUERY_SECONDS = Histogram(
    "raymap_store_query_seconds",
    "Duration of one query of the store, by the name of its file below store/clickhouse/queries",
    ["query"],
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ROUND_SECONDS = Histogram(
    "raymap_rollup_round_seconds",
    "Duration of one round of counting that found new rows",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16),
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


class QueryTime(NamedTuple):
    """A query that ran: its name, when it began and ended (epoch seconds), whether it failed."""

    name: str
    start: float
    end: float
    failed: bool


QUERIES: ContextVar[list[QueryTime] | None] = ContextVar("queries", default=None)
"""Where the queries of the current context are noted, if anyone wants them."""


@contextmanager
def timed_query(name: str) -> Iterator[None]:
    """Measure one query."""
    noted = QUERIES.get()
    start, begun, failed = time.time(), time.perf_counter(), True
    try:
        yield
        failed = False
    finally:
        seconds = time.perf_counter() - begun
        QUERY_SECONDS.labels(name).observe(seconds)
        if noted is not None:
            noted.append(QueryTime(name, start, start + seconds, failed))
