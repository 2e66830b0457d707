"""Reads of many traces what evaluating an expression over them takes: only the columns that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, cells_of, run_concurrently
from store.clickhouse.search.get_traces import (
    add_calls,
    add_documents,
    add_links,
    located,
    resolve_causes,
)
from store.clickhouse.search.reading import ANY_LINKS, columns_of, columns_of_calls
from store.filters.ast import Expression
from store.model import Trace


def get_evaluable(
    ask: RunQuery, trace_ids: Sequence[bytes], expression: Expression
) -> dict[bytes, Trace]:
    """See `TraceReader.get_evaluable`."""
    if not trace_ids:
        return {}
    places = located(trace_ids)
    segments, calls, any_links = run_concurrently(
        ask,
        queries.LEAN_SEGMENTS.render({**columns_of(expression), "places": places}),
        queries.LEAN_CALLS.render({**columns_of_calls(expression), "places": places}),
        ANY_LINKS,
    )
    traces = {id: Trace(id, {}, {}, 0, 0, {}) for id in trace_ids}
    add_documents(traces, segments)
    add_calls(traces, calls)
    if any_links or cells_of(ask):  # whether a root has a client depends on them
        add_links(traces, ask(queries.LINKS.render({"places": places})))
        resolve_causes(ask, traces)
    return {id: trace for id, trace in traces.items() if trace.documents}
