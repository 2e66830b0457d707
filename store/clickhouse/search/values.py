"""Counts the values of fields of documents, for completion, and lists services and what they do."""

from __future__ import annotations

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.search.scan_ranges import started
from store.clickhouse.search.unit_rows import TEXTS
from store.filters.ast import Field
from store.model import Kind, TimeRange
from store.query import MAX_COUNTED_DOCUMENTS, SeenOperation, ValueCount
from store.rules.annotations import annotation_item, parse_annotation_item, split_annotation_item
from store.times import SECOND

_COLUMNS = {**TEXTS, "http.status": "status"}


def annotation_keys(ask: RunQuery, window: TimeRange, prefix: str, limit: int) -> list[ValueCount]:
    """See `TraceReader.annotation_keys`."""
    begin = annotation_item(prefix, 0).removesuffix("=0")
    values = {"prefix": begin, "most": MAX_COUNTED_DOCUMENTS, "size": limit}
    rows = ask(queries.ANNOTATION_KEYS.render({"rows": started(window)}, **values))
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


def last_arrival(ask: RunQuery) -> int:
    """See `TraceReader.last_arrival`."""
    ((blocks,),) = ask(queries.LAST_BLOCKS.render())
    return int(blocks)


def services(ask: RunQuery, since: int, limit: int) -> list[str]:
    """See `TraceReader.services`."""
    rows = ask(queries.SERVICES.render(since=since // SECOND, size=limit))
    return [name for (name,) in rows]


def operations(ask: RunQuery, service: str, since: int, limit: int) -> list[SeenOperation]:
    """See `TraceReader.operations`."""
    rows = ask(queries.OPERATIONS.render(service=service, since=since // SECOND, size=limit))
    return [SeenOperation(name, Kind(kind), seen * SECOND) for name, kind, seen in rows]
