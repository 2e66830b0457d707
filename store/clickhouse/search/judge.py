"""Decides about candidates by reading them and evaluating the filter (`store.filters.evaluate`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.search.get_traces import (
    Bodies,
    LinkPresence,
    add_calls,
    add_documents,
    add_links,
    decoded_bodies,
    resolve_causes,
)
from store.filters.ast import (
    Bare,
    Compare,
    Exists,
    Expression,
    OneOf,
    needs_documents,
    walk,
)
from store.filters.evaluate import matches
from store.model import Trace

MAX_LOCATIONS = 2000
"""Maximum number of (minute, trace) pairs in a condition; more minutes become a range."""

Minutes = Mapping[bytes, Sequence[int]]
"""The minutes a trace has rows in, by its id."""


def matching(ask: RunQuery, expression: Expression, minutes: Minutes) -> set[bytes]:
    """Which of some traces satisfy an expression."""
    if not minutes:
        return set()
    places = {"places": row_locations(minutes)}
    statements = [
        queries.LEAN_SEGMENTS.render({**_columns(expression), **places}),
        queries.LEAN_CALLS.render(places),
        Sql("SELECT 1 FROM links LIMIT 1"),
    ]
    raw = needs_documents(expression)
    if raw:
        statements.append(queries.BODIES.render(ids=list(minutes)))
    segments, calls, any_links, *rest = run_concurrently(ask, *statements)
    bodies: Bodies = decoded_bodies(rest[0]) if raw else {}
    traces = {trace_id: Trace(trace_id, {}, {}, 0, 0, {}) for trace_id in minutes}
    add_documents(traces, segments, bodies)
    add_calls(traces, calls)
    if any_links:  # whether a root has a client depends on them
        add_links(traces, ask(queries.LINKS.render(places)))
        resolve_causes(ask, traces, LinkPresence())
    return {id for id, trace in traces.items() if trace.documents and matches(trace, expression)}


def _columns(expression: Expression) -> dict[str, Sql]:
    """The columns that an expression reads, with constants in the place of those that it does not."""
    keywords = {
        each.field.keyword
        for each in walk(expression)
        if isinstance(each, Bare | Exists | Compare | OneOf)
    }
    attributes = {"user", "resource.arn", "instance.id", "availabilityzone"}
    reads_http = any(keyword.startswith("http.") for keyword in keywords)
    # The kind of a client depends on its user agent.
    http = "method, url, status, client_ip" if reads_http else "'', '', 0, ''"
    columns = {
        "http": f"{http}, user_agent",
        "attributes": "user, resource_arn, instance_id, availability_zone"
        if keywords & attributes
        else "'', '', '', ''",
        "annotations": "annotations" if "annotation" in keywords else "[]",
    }
    return {name: Sql(text) for name, text in columns.items()}


def row_locations(minutes: Minutes) -> Sql:
    """A condition that finds the rows of traces by the tables' sort key: minute, then trace.

    A trace has rows in few minutes, and naming them reads one granule for each; a range of minutes
    would also read the granules in which one minute ends and the next begins.
    """
    pairs: list[tuple[int, bytes]] = []
    conditions: list[Sql] = []
    for trace_id, of_trace in minutes.items():
        if len(of_trace) <= MAX_LOCATIONS // len(minutes) + 2:
            pairs += [(minute, trace_id) for minute in of_trace]
        else:
            conditions.append(_located(len(conditions), trace_id, min(of_trace), max(of_trace)))
    if pairs:
        conditions.append(
            Sql(
                "(minute, trace_id) IN {places:Array(Tuple(UInt32, FixedString(16)))}",
                {"places": pairs},
            )
        )
    return parenthesized(joined(" OR ", conditions))


def _located(number: int, trace_id: bytes, first: int, last: int) -> Sql:
    """A condition that finds a trace in a range of minutes."""
    bounds, place = f"range_{number}", f"range_{number}_trace"
    return Sql(
        f"(minute BETWEEN {{{bounds}_first:UInt32}} AND {{{bounds}_last:UInt32}} "
        f"AND trace_id = {{{place}:FixedString(16)}})",
        {f"{bounds}_first": first, f"{bounds}_last": last, place: trace_id},
    )
