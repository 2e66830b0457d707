"""Sampling reports in ClickHouse: `store.config.protocol.SamplingStore`."""

from __future__ import annotations

from collections.abc import Sequence

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import execute
from store.config.protocol import MAX_CLIENTS, AnomalyReport, SamplingReport, SamplingSum
from store.model import TimeRange

ASYNCHRONOUS = {
    "async_insert": 1,
    "wait_for_async_insert": 0,
    "async_insert_busy_timeout_max_ms": 500,
}
"""ClickHouse collects the rows of many clients for half a second at most and writes them at once:
a thousand clients report a hundred times a second, a few rows each."""


def add_reports(
    client: Client, reports: Sequence[SamplingReport], anomalies: Sequence[AnomalyReport]
) -> None:
    """Hand reports to ClickHouse."""
    if reports:
        client.execute(
            "INSERT INTO sampling_reports (rule, client, at, requests, sampled, borrowed) VALUES",
            [tuple(report) for report in reports],
            settings=ASYNCHRONOUS,
        )
    if anomalies:
        client.execute(
            "INSERT INTO sampling_anomalies (rule, service, at, anomalies, sampled) VALUES",
            [tuple(report) for report in anomalies],
            settings=ASYNCHRONOUS,
        )


def last_reports(client: Client, window: TimeRange) -> list[SamplingReport]:
    """The last report of each client for each rule."""
    statement = queries.LAST_SAMPLING_REPORTS.render(
        start=window.start, end=window.end, most=MAX_CLIENTS
    )
    return [SamplingReport(*row) for row in execute(client, statement)]


def sums(client: Client, window: TimeRange, step: int) -> list[SamplingSum]:
    """Counts by step and rule."""
    statement = queries.SAMPLING_SUMS.render(start=window.start, end=window.end, step=step)
    return [SamplingSum(*row) for row in execute(client, statement)]


def first_anomalies(client: Client, rule: str, window: TimeRange) -> list[AnomalyReport]:
    """The first report of each service on anomalies that were not all recorded."""
    statement = queries.FIRST_ANOMALIES.render(start=window.start, end=window.end, rule=rule)
    return [AnomalyReport(*row) for row in execute(client, statement)]
