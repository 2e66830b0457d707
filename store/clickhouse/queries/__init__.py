"""Every SQL statement of more than three lines, one file each, in a folder per package.

The declarations below are checked when this package is imported (`registry`): a file or place that
is missing, unknown or unused is an error. Usage: ``TEMPLATE.render({"fragment": Sql(...)}, value=1)``.
"""

from __future__ import annotations

from pathlib import Path

from store.clickhouse.queries.registry import (
    QueryError,
    Registry,
    Sql,
    Template,
    in_traces,
    joined,
    parenthesized,
)

__all__ = ["REGISTRY", "QueryError", "Sql", "Template", "in_traces", "joined", "parenthesized"]

REGISTRY = Registry(Path(__file__).parent)
_sql = REGISTRY.declare

# search: reading traces
TRACES = _sql("search/traces", parameters="ids")
SEGMENTS = _sql("search/segments", "places")
CALLS = _sql("search/calls", "places")
LINKS = _sql("search/links", "places")
LEAN_SEGMENTS = _sql("search/lean_segments", "node agent annotations places")
LEAN_CALLS = _sql("search/lean_calls", "places")
# search: scan ranges
CANDIDATES = _sql("search/candidates", "timed where", "size")
RARE_ANNOTATION = _sql("search/rare_annotation", "", "first_minute last_minute annotation few")
FAR_TRACES = _sql("search/far", "member", "near_first near_last minute_length")
IMPLAUSIBLE_EPOCH = _sql(
    "search/implausible_epoch", "", "span_minute span_last_minute span_start span_end"
)
TIMED_BY_ID = _sql("search/timed_by_id", "minutes condition", "day")
TIMED_BY_EVENT = _sql("search/timed_by_event", "minutes condition")
ENDED_TRACES = _sql(
    "search/ended_traces", "", "first_minute span_end_minute long_duration span_start span_end"
)
TIMED_BY_SERVICE = _sql(
    "search/timed_by_service",
    "minutes condition",
    "first_minute span_end_minute window_end_minute long_duration span_start span_end window_end",
)
# search: conditions on traces
CLIENT_UNITS = _sql("search/client_units", "roots rows same")
NODE_UNITS = _sql("search/node_units", "rows same unanswered")
EDGE_SOURCES = _sql("search/edge_sources", "rows same own")
EDGE_CALLS = _sql("search/edge_calls", "rows target owner source unanswered")
UNANSWERED = _sql("search/unanswered", "rows calls")
ROOTS = _sql("search/roots", "rows segments")

REGISTRY.require_complete()
