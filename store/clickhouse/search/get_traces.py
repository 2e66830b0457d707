"""Reads whole traces by id."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.search.decode import decode_call, decode_document, decode_link
from store.filters.ast import needs_documents
from store.model import Trace, precedence
from store.protocol import TraceQuery
from store.trace_filter import matches, matches_without_calls

MAX_LOCATIONS = 2000
"""Maximum number of (minute, trace) pairs in a condition; more minutes become a range."""

MAX_GUESSED = 3
"""Maximum number of traces read at the minutes that their ids suggest."""

MIN_SPLIT = 64
"""Number of traces from which they are read by two concurrent statements."""

_ROWS = (queries.SEGMENTS, queries.CALLS)

Minutes = Mapping[bytes, Sequence[int]]
"""The minutes a trace has rows in, by its id."""


class LinkPresence:
    """Whether the database has any links, as last seen; refreshed with every read."""

    seen = False


def get_traces(
    ask: RunQuery, trace_ids: Sequence[bytes], linked: LinkPresence, *, raw: bool
) -> dict[bytes, Trace]:
    """The traces that exist, by id."""
    if not trace_ids:
        return {}
    ids = list(trace_ids)
    guessed = _guess(trace_ids)
    rest = [_bodies(ids)] if raw else []
    # Rows of a few traces are read at the guessed minutes, while the actual ones are looked up.
    statements = _rows(linked, guessed) if guessed else []
    known, *answers = run_concurrently(ask, queries.TRACES.render(ids=ids), *rest, *statements)
    bodies: dict[tuple[str, int], bytes] = {}
    if raw:
        for digits, id, body in answers.pop(0):
            bodies[digits, id] = b64decode(body)
    traces: dict[bytes, Trace] = {}
    missing: dict[bytes, Sequence[int]] = {}
    for digits, minutes, updated, revision, any_links in known:
        linked.seen = linked.seen or bool(any_links)
        trace_id = bytes.fromhex(digits)
        traces[trace_id] = Trace(trace_id, {}, {}, updated, revision, {})
        if left := set(minutes).difference(guessed.get(trace_id, ())):
            missing[trace_id] = sorted(left)
    if answers:
        if linked.seen and len(answers) == len(_ROWS):
            answers.append(ask(queries.LINKS.render({"places": row_locations(guessed)})))
        _add(traces, answers, bodies)
    if missing:
        _add(traces, run_concurrently(ask, *_rows(linked, missing)), bodies)
    for trace in traces.values():  # of a pinned trace the counts expire, the documents do not
        trace.revision = max(trace.revision, len(trace.documents))
    # Between the inserts of one batch a trace may have calls and no document yet.
    return {trace_id: trace for trace_id, trace in traces.items() if trace.documents}


def _rows(linked: LinkPresence, minutes: Minutes) -> list[Sql]:
    """The statements for the rows of traces, in the order in which `_add` takes their answers."""
    templates = (*_ROWS, queries.LINKS) if linked.seen else _ROWS
    places = row_locations(minutes)
    return [template.render({"places": places}) for template in templates]


def _bodies(ids: list[bytes]) -> Sql:
    """The statement for the raw documents of traces."""
    # A body may be any bytes; the driver would read a String as UTF-8 text.
    return Sql(
        "SELECT hex(trace_id), id, base64Encode(body) FROM documents FINAL "
        "WHERE trace_id IN {ids:Array(FixedString(16))}",
        {"ids": ids},
    )


def _guess(trace_ids: Sequence[bytes]) -> dict[bytes, Sequence[int]]:
    """The minutes that most rows of some traces lie in, going by the epoch in their ids; those of
    many are not guessed."""
    if len(trace_ids) > MAX_GUESSED:
        return {}
    epochs = {trace_id: int.from_bytes(trace_id[:4], "big") for trace_id in trace_ids}
    return {
        trace_id: range(max(0, (epoch - 2) // 60), (epoch + 60) // 60 + 1)
        for trace_id, epoch in epochs.items()
    }


def _add(
    traces: dict[bytes, Trace],
    answers: Sequence[Rows],
    bodies: dict[tuple[str, int], bytes],
) -> None:
    """Answers to `_rows` into their traces; the rows of what is no trace are left out."""
    segments, calls, *links = answers
    _add_documents(traces, segments, bodies)
    _add_calls(traces, calls)
    for digits, *columns in chain.from_iterable(links):
        trace = traces.get(bytes.fromhex(digits))
        if trace is not None:
            link = decode_link(columns)
            assert isinstance(trace.links, dict)
            trace.links[link.key] = link


def _is_about_clients(query: TraceQuery) -> bool:
    """Whether a client's type decides, which follows from user agents."""
    node, edge = query.node, query.edge
    return (node is not None and node.is_client) or (edge is not None and edge[0].is_client)


def matching(ask: RunQuery, query: TraceQuery, minutes: Minutes) -> set[bytes]:
    """Which of some traces match a query (`store.trace_filter`); calls are read only if needed."""
    if query.filter is not None:
        raw = needs_documents(query.filter)
        whole = get_traces(ask, list(minutes), LinkPresence(), raw=raw)
        return {trace_id for trace_id, trace in whole.items() if matches(trace, query)}
    traces = {trace_id: Trace(trace_id, {}, {}, 0, 0, {}) for trace_id in minutes}
    in_nodes = query.node is not None or query.edge is not None
    columns = {
        "node": Sql("account, name, type, region" if in_nodes else "'', '', '', ''"),
        "agent": Sql("user_agent" if _is_about_clients(query) else "''"),
        "annotations": Sql("annotations" if query.annotations else "[]"),
    }
    statements = [
        queries.LEAN_SEGMENTS.render({**columns, "places": row_locations(half)})
        for half in _halves(minutes)
    ]
    for rows in run_concurrently(ask, *statements):
        _add_documents(traces, rows, {})
    verdicts = {
        id: matches_without_calls(trace, query) for id, trace in traces.items() if trace.documents
    }
    if open := [id for id, verdict in verdicts.items() if verdict is None]:
        places = row_locations({id: minutes[id] for id in open})
        _add_calls(traces, ask(queries.LEAN_CALLS.render({"places": places})))
        verdicts.update({id: matches(traces[id], query) for id in open})
    return {trace_id for trace_id, verdict in verdicts.items() if verdict}


def _halves(minutes: Minutes) -> list[Minutes]:
    """Split many traces in two, to be read concurrently: reading scattered rows takes much longer than
    planning."""
    if len(minutes) < MIN_SPLIT:
        return [minutes]
    items = list(minutes.items())
    middle = len(items) // 2
    return [dict(items[:middle]), dict(items[middle:])]


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


def _add_documents(
    traces: dict[bytes, Trace],
    rows: Iterable[tuple[Any, ...]],
    bodies: dict[tuple[str, int], bytes],
) -> None:
    for row in rows:
        trace = traces.get(bytes.fromhex(row[0]))
        if trace is not None:
            document = decode_document(row, bodies)
            known = trace.documents.get(document.id)
            # Copies that start in different minutes are no copies to the table.
            if known is None or precedence(known.state, known.version) <= row[-1]:
                assert isinstance(trace.documents, dict)
                trace.documents[document.id] = document


def _add_calls(traces: dict[bytes, Trace], rows: Iterable[tuple[Any, ...]]) -> None:
    for digits, *columns in rows:
        trace = traces.get(bytes.fromhex(digits))
        if trace is not None:
            owned = decode_call(columns)
            assert isinstance(trace.calls, dict)
            trace.calls[owned.call.id] = owned
