"""Decides about candidates by reading them and evaluating the filter (`store.filters.evaluate`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import (
    RunQuery,
    cells_of,
    run_concurrently,
)
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.search.get_traces import (
    add_calls,
    add_documents,
    add_links,
    in_one_thread,
    resolve_causes,
    without_links,
)
from store.clickhouse.search.reading import (
    ANY_LINKS,
    KnownRows,
    Reading,
    columns_of,
    columns_of_calls,
    halves,
)
from store.filters.ast import Expression
from store.filters.evaluate import matches
from store.filters.settled import settled
from store.model import Trace
from store.times import PER_MINUTE

MAX_LOCATIONS = 2000
"""Maximum number of (bucket, trace) pairs in a condition; more buckets become a range."""

Buckets = Mapping[bytes, Sequence[int]]
"""The buckets a trace has rows in, by its id."""


class Matching(NamedTuple):
    """Which traces satisfy an expression; those that were read whole, without their links; whether any may have some."""

    ids: set[bytes]
    traces: dict[bytes, Trace]
    any_links: bool


def matching(
    ask: RunQuery,
    expression: Expression,
    buckets: Buckets,
    known: KnownRows,
    most_whole: int = 0,
    *,
    raw: bool = False,
) -> Matching:
    """Which of some traces satisfy an expression. Calls are read where documents do not decide, and all of traces that
    are at most ``most_whole``, with their raw documents if these are wanted."""
    rest = [trace_id for trace_id in buckets if trace_id not in known.documents]
    if rest and len(rest) <= most_whole:
        places = row_locations({trace_id: buckets[trace_id] for trace_id in rest})
        reading = Reading(expression, rest, all_of_them=True, raw=raw, places=places)
        known = known.and_those(reading.rows(run_concurrently(ask, *reading.statements)))
        rest = []
    read = known.documents
    traces = {
        trace_id: Trace(trace_id, {}, {}, *known.heads.get(trace_id, (0, 0)), {})
        for trace_id in buckets
    }
    columns = columns_of(expression)
    statements = [
        in_one_thread(queries.LEAN_SEGMENTS.render({**columns, "places": row_locations(half)}))
        for half in ({id: buckets[id] for id in ids} for ids in halves(rest))
    ]
    for rows in run_concurrently(ask, *statements) if statements else []:
        add_documents(traces, rows)
    add_documents(traces, chain.from_iterable(read[id] for id in buckets if id in read))
    heads = known.heads.keys() & traces.keys()
    add_calls(traces, chain.from_iterable(known.calls[id] for id in heads))
    verdicts = {id: settled(trace, expression) for id, trace in traces.items() if trace.documents}
    undecided = {id: traces[id] for id, verdict in verdicts.items() if verdict is None}
    if undecided:
        _complete(ask, expression, undecided, buckets, known)
        verdicts.update({id: matches(trace, expression) for id, trace in undecided.items()})
    ids = {id for id, verdict in verdicts.items() if verdict}
    found = {id: without_links(traces[id]) for id in ids & heads}
    return Matching(ids, found, known.any_links or cells_of(ask) is not None)


def _complete(
    ask: RunQuery,
    expression: Expression,
    traces: Mapping[bytes, Trace],
    buckets: Buckets,
    known: KnownRows,
) -> None:
    """Add the links of traces, and the calls of those that were not read whole."""
    lean = [id for id in traces if id in known.calls and id not in known.heads]
    calls = chain.from_iterable(known.calls[id] for id in lean)
    any_links = known.any_links
    rest = [id for id in traces if id not in known.calls]
    if rest:
        places = row_locations({id: buckets[id] for id in rest})
        near = {**columns_of_calls(expression), "places": places}
        others, linking = run_concurrently(ask, queries.LEAN_CALLS.render(near), ANY_LINKS)
        calls, any_links = chain(calls, others), any_links or bool(linking)
    add_calls(traces, calls)
    if any_links or cells_of(ask):  # whether a root has a client depends on them
        places = row_locations({id: buckets[id] for id in traces})
        add_links(traces, ask(queries.LINKS.render({"places": places})))
        resolve_causes(ask, traces)


def row_locations(buckets: Buckets) -> Sql:
    """A condition that finds the rows of traces by the tables' sort key: minute, bucket, trace.

    A trace has rows in few buckets, and naming them reads one granule for each; a range
    would also read the granules in which one bucket ends and the next begins.
    """
    keys: list[tuple[int, int, bytes]] = []
    conditions: list[Sql] = []
    for trace_id, of_trace in buckets.items():
        if len(of_trace) <= MAX_LOCATIONS // len(buckets) + 2:
            keys += [(bucket // PER_MINUTE, bucket, trace_id) for bucket in of_trace]
        else:
            conditions.append(_located(len(conditions), trace_id, min(of_trace), max(of_trace)))
    if keys:
        conditions.append(
            Sql(
                "(minute, bucket, trace_id) IN {places:Array(Tuple(UInt32, UInt64, FixedString(16)))}",
                {"places": keys},
            )
        )
    return parenthesized(joined(" OR ", conditions))


def _located(number: int, trace_id: bytes, first: int, last: int) -> Sql:
    """A condition that finds a trace in a range of buckets."""
    bounds, place = f"range_{number}", f"range_{number}_trace"
    return Sql(
        f"(minute BETWEEN {{{bounds}_first:UInt32}} AND {{{bounds}_last:UInt32}} "
        f"AND trace_id = {{{place}:FixedString(16)}})",
        {
            f"{bounds}_first": first // PER_MINUTE,
            f"{bounds}_last": last // PER_MINUTE,
            place: trace_id,
        },
    )
