"""Statistics of a node by operation, counted from rows when they are requested.

What most services do is in their segments alone, which one statement counts as it does for versions. Where other units
may be among them (calls that no segment answers, spans that enter without a server span) the traces of the node are read
whole, and counted by the rules of the map.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql, in_traces, joined
from store.clickhouse.search.bounds import conjunction, negation
from store.clickhouse.search.scan_ranges import started
from store.clickhouse.units.grouped_units import grouped_units, traces_where
from store.clickhouse.versions import (
    SEGMENTS,
    conditions_of,
    frequent,
    named,
    near,
    places_of,
    requests_among,
    statistics_of,
)
from store.errors import TooManyTraces
from store.filters.ast import Expression
from store.graph import Statistics
from store.grouped_units import all_grouped
from store.layers import TOLERANCE
from store.model import NodeKey, TimeRange
from store.query import MOST_LISTED_OPERATIONS
from store.rules.dimensions import Dimension
from store.rules.operations import OTHER_OPERATIONS
from store.unit_filter import unit_operations

MOST_TRACES = 5_000
"""Traces that are read whole: some two seconds."""


def operation_statistics(
    ask: RunQuery,
    nodes: Collection[NodeKey],
    window: TimeRange,
    *,
    background: bool,
    filter: Expression | None,
) -> dict[str, Statistics]:
    """See `store.protocol.GraphReader.operation_statistics`."""
    if not nodes or window.end <= window.start:
        return {}
    if filter is not None:
        units = (each for _, each in grouped_units(ask, window, Dimension.OPERATION, filter))
        return unit_operations(units, nodes, background=background)
    places = places_of(nodes, window)
    other = {"rows": places["rows"], "nodes": places["nodes"]}
    other |= {"near": near(window), "named": named(nodes)}
    if ask(queries.ANY_OTHER_UNIT.render(other)):
        return _of_traces(ask, nodes, window, background=background)
    requests = requests_among(ask, nodes, places)
    if requests is None and background:
        return {}
    if requests is not None:
        work = negation(requests) if background else requests
        places["nodes"] = conjunction([places["nodes"], work])
    fragments = {
        **places,
        **conditions_of(ask, nodes, window),
        "value": Sql("operation"),
        "segments": SEGMENTS,
    }
    if ask(queries.ANY_PASSED_ON.render({"rows": places["rows"], "nodes": places["nodes"]})):
        fragments["value"] = Sql("if(done != '', done, operation)")
        fragments["segments"] = _of_applications(nodes, window, places)
    rows = ask(
        queries.STATISTICS_BY.render(
            {**fragments, "weight": Sql("weight")},
            apart=frequent(ask, fragments, MOST_LISTED_OPERATIONS),
            all=True,
            rest=OTHER_OPERATIONS,
            step=0,
        )
    )
    return {operation: statistics_of(*columns) for operation, _, _, _, *columns in rows}


def _of_applications(
    nodes: Collection[NodeKey], window: TimeRange, places: Mapping[str, Sql]
) -> Sql:
    """Segments with the operations of the applications behind proxies."""
    return queries.OF_APPLICATIONS.render(
        {
            "rows": places["rows"],
            "nodes": places["nodes"],
            "near": near(window),
            "named": named(nodes),
            "tolerance": Sql(str(TOLERANCE)),
        }
    )


def _of_traces(
    ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange, *, background: bool
) -> dict[str, Statistics]:
    rows = conjunction([started(window), named(nodes)])
    ids = [
        Sql(f"SELECT trace_id FROM {table} WHERE {rows.text}", rows.parameters)
        for table in ("segments", "calls")
    ]
    traces = traces_where(ask, window, in_traces(joined(" UNION ALL ", ids)), MOST_TRACES)
    if traces is None:
        raise TooManyTraces(
            f"more than {MOST_TRACES:,} traces of the window lead here, too many to tell operations apart: "
            "choose a shorter one"
        )
    units = (
        each
        for trace, find, linked_ids in traces
        for each in all_grouped(trace, Dimension.OPERATION, find, linked_ids)
        if each.unit.start in window
    )
    return unit_operations(units, nodes, background=background)
