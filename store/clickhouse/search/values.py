"""Counts the values of fields of documents, for completion, and names the services that sent any."""

from __future__ import annotations

import time
from math import ceil

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import PARTIAL_LIMITS, QueryRunner, RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.search.scan_ranges import started
from store.filters.ast import Field
from store.model import TimeRange
from store.query import MAX_COUNTED_DOCUMENTS, ValueCount
from store.rules.annotations import annotation_item, parse_annotation_item, split_annotation_item
from store.times import DAY

_COLUMNS = {
    "user": "user",
    "http.url": "url",
    "http.method": "method",
    "http.status": "status",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
    "availabilityzone": "availability_zone",
    "instance.id": "instance_id",
    "resource.arn": "resource_arn",
    "version": "service_version",
    "environment": "environment",
    "operation": "operation",
}


def annotation_keys(ask: RunQuery, window: TimeRange, limit: int) -> list[ValueCount]:
    """See `TraceReader.annotation_keys`."""
    rows = ask(
        queries.ANNOTATION_KEYS.render(
            {"rows": started(window)}, most=MAX_COUNTED_DOCUMENTS, size=limit
        )
    )
    return [ValueCount(split_annotation_item(f"{key}=0")[0], traces) for key, traces in rows]


def field_values(
    ask: RunQuery, field: Field, window: TimeRange, prefix: str, limit: int
) -> list[ValueCount]:
    """See `TraceReader.field_values`."""
    common = {"prefix": prefix, "most": MAX_COUNTED_DOCUMENTS, "size": limit}
    if field.keyword == "annotation":
        key = annotation_item(field.key, 0).removesuffix("0")
        rows = ask(queries.ANNOTATION_VALUES.render({"rows": started(window)}, key=key, **common))
        found = [(parse_annotation_item(item)[1], traces) for item, traces in rows]
    else:
        column = Sql(_COLUMNS[field.keyword])
        found = ask(
            queries.COLUMN_VALUES.render({"rows": started(window), "column": column}, **common)
        )
    return [
        ValueCount(float(value) if type(value) is int else value, traces) for value, traces in found
    ]


def service_names(ask: QueryRunner, window: TimeRange, limit: int, max_seconds: float) -> list[str]:
    """See `TraceReader.service_names`; day by day, the newest first."""
    run = ask.with_limits({**PARTIAL_LIMITS, "max_execution_time": ceil(max_seconds)})
    names: set[str] = set()
    until = time.monotonic() + max_seconds
    end = window.end
    while end > window.start and len(names) < limit and time.monotonic() < until:
        begin = max(window.start, (end - 1) // DAY * DAY)
        rows = {"rows": started(TimeRange(begin, end))}
        names.update(name for (name,) in run(queries.SERVICE_NAMES.render(rows, size=limit)))
        end = begin
    return sorted(names)[:limit]


def service_traces(ask: RunQuery, name: str, window: TimeRange, limit: int) -> list[bytes]:
    """See `TraceReader.service_traces`."""
    rows = {"rows": started(window)}
    found = ask(queries.SERVICE_TRACES.render(rows, name=name, size=limit))
    return [bytes.fromhex(digits) for (digits,) in found]
