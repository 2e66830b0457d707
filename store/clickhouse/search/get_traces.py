"""Reads whole traces by id."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from store.clickhouse.connection import sql
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.filters.ast import needs_documents
from store.model import (
    COMPLETE,
    NO_HTTP,
    Call,
    Document,
    Http,
    Link,
    NodeKey,
    OwnedCall,
    OwnedLink,
    State,
    Trace,
    precedence,
)
from store.protocol import TraceQuery
from store.rules.classify import failure_label
from store.trace_filter import matches, matches_without_calls

MAX_LOCATIONS = 2000
"""Maximum number of (minute, trace) pairs in a condition; more minutes become a range."""

MAX_GUESSED = 3
"""Maximum number of traces read at the minutes that their ids suggest."""

MIN_SPLIT = 64
"""Number of traces from which they are read by two concurrent statements."""

# Links are rare: checking whether there are any costs less than planning a query for those of a trace.
_TRACES = """
SELECT hex(trace_id), groupUniqArray(minute), max(updated), sum(revision),
       (SELECT count() FROM links) > 0 FROM traces
WHERE trace_id IN {ids} GROUP BY trace_id HAVING max(sampled) = 1
"""
_SEGMENTS = """
SELECT hex(trace_id), id, parent_id, independent, inferred, sampled, start, start + duration,
       start + greatest(duration, last_duration), state, account, name, type, service, method, url, status,
       client_ip, user_agent, user, resource_arn, instance_id, availability_zone, exception,
       annotations, members, weight, ver
FROM segments FINAL WHERE {places}
"""
_CALLS = """
SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, ver,
       id, start, start + duration, state, account, name, type, service, host, status, traced, exception,
       weight
FROM calls FINAL WHERE {places}
"""
# Only what `store.trace_filter` reads: each further column costs as much as a trace.
_LEAN_SEGMENTS = """
SELECT hex(trace_id), id, parent_id, independent, 0, 1, start, start,
       start, state, {node}, '', '', '', 0,
       '', {agent}, '', '', '', '', '',
       {annotations}, members, 1, 0
FROM segments FINAL WHERE {places}
"""
_LEAN_CALLS = """
SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, 0,
       id, start, start, state, account, name, type, '', '', 0, 0, '', 1
FROM calls FINAL WHERE {places}
"""
_LINKS = """
SELECT hex(trace_id), hex(other_trace), other_id, upstream, event_received, weight, document_id,
       independent, account, name, type, start, start + duration, state, status, exception, ver
FROM links FINAL WHERE {places}
"""
# A body may be any bytes; the driver would read a String as UTF-8 text.
_DOCUMENTS = (
    "SELECT hex(trace_id), id, base64Encode(body) FROM documents FINAL WHERE trace_id IN {ids}"
)

_ROWS = (_SEGMENTS, _CALLS)

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
    ids = sql.trace_list(trace_ids)
    guessed = _guess(trace_ids)
    rest = [_DOCUMENTS.format(ids=ids)] if raw else []
    # Rows of a few traces are read at the guessed minutes, while the actual ones are looked up.
    statements = [s.format(places=row_locations(guessed)) for s in _rows(linked) if guessed]
    known, *answers = run_concurrently(ask, _TRACES.format(ids=ids), *rest, *statements)
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
            answers.append(ask(_LINKS.format(places=row_locations(guessed))))
        _add(traces, answers, bodies)
    if missing:
        places = row_locations(missing)
        _add(
            traces, run_concurrently(ask, *(s.format(places=places) for s in _rows(linked))), bodies
        )
    for trace in traces.values():  # of a pinned trace the counts expire, the documents do not
        trace.revision = max(trace.revision, len(trace.documents))
    # Between the inserts of one batch a trace may have calls and no document yet.
    return {trace_id: trace for trace_id, trace in traces.items() if trace.documents}


def _rows(linked: LinkPresence) -> tuple[str, ...]:
    """The statements for the rows of traces, in the order in which `_add` takes their answers."""
    return (*_ROWS, _LINKS) if linked.seen else _ROWS


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
            joined = _owned_link(columns)
            assert isinstance(trace.links, dict)
            trace.links[joined.key] = joined


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
    node = "account, name, type" if in_nodes else "'', '', ''"
    annotations = "annotations" if query.annotations else "[]"
    statements = [
        _LEAN_SEGMENTS.format(
            node=node,
            agent="user_agent" if _is_about_clients(query) else "''",
            annotations=annotations,
            places=row_locations(half),
        )
        for half in _halves(minutes)
    ]
    for rows in run_concurrently(ask, *statements):
        _add_documents(traces, rows, {})
    verdicts = {
        id: matches_without_calls(trace, query) for id, trace in traces.items() if trace.documents
    }
    if open := [id for id, verdict in verdicts.items() if verdict is None]:
        places = row_locations({id: minutes[id] for id in open})
        _add_calls(traces, ask(_LEAN_CALLS.format(places=places)))
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


def row_locations(minutes: Minutes) -> str:
    """A condition that finds the rows of traces by the tables' sort key: minute, then trace.

    A trace has rows in few minutes, and naming them reads one granule for each; a range of minutes
    would also read the granules in which one minute ends and the next begins.
    """
    pairs: list[str] = []
    ranges: list[str] = []
    for trace_id, of_trace in minutes.items():
        literal = sql.trace_literal(trace_id)
        if len(of_trace) <= MAX_LOCATIONS // len(minutes) + 2:
            pairs += [f"({minute}, {literal})" for minute in of_trace]
        else:
            bounds = f"minute BETWEEN {min(of_trace)} AND {max(of_trace)}"
            ranges.append(f"({bounds} AND trace_id = {literal})")
    if pairs:
        ranges.append(f"(minute, trace_id) IN ({', '.join(pairs)})")
    return "(" + " OR ".join(ranges) + ")"


def _add_documents(
    traces: dict[bytes, Trace],
    rows: Iterable[tuple[Any, ...]],
    bodies: dict[tuple[str, int], bytes],
) -> None:
    for row in rows:
        trace = traces.get(bytes.fromhex(row[0]))
        if trace is not None:
            document = _document(row, bodies)
            known = trace.documents.get(document.id)
            # Copies that start in different minutes are no copies to the table.
            if known is None or precedence(known.state, known.version) <= row[-1]:
                assert isinstance(trace.documents, dict)
                trace.documents[document.id] = document


def _add_calls(traces: dict[bytes, Trace], rows: Iterable[tuple[Any, ...]]) -> None:
    for digits, *columns in rows:
        trace = traces.get(bytes.fromhex(digits))
        if trace is not None:
            owned = _owned_call(columns)
            assert isinstance(trace.calls, dict)
            trace.calls[owned.call.id] = owned


def _document(row: tuple[Any, ...], bodies: dict[tuple[str, int], bytes]) -> Document:
    (
        digits,
        id,
        parent_id,
        independent,
        inferred,
        sampled,
        start,
        end,
        last_end,
        state,
        account,
        name,
        type,
    ) = row[:13]
    (service, method, url, status, client_ip, user_agent, user, arn, instance, zone, exception) = (
        row[13:24]
    )
    annotations, members, weight, ver = row[24:]
    http = Http(method, url, status, client_ip, user_agent)
    return Document(
        trace_id=bytes.fromhex(digits),
        id=id,
        parent_id=parent_id,
        independent=bool(independent),
        inferred=bool(inferred),
        start=start,
        end=end,
        last_end=last_end,
        state=State(state),
        node=NodeKey(account, name, type),
        service=service,
        http=NO_HTTP if http == NO_HTTP else http,
        user=user,
        resource_arn=arn,
        instance_id=instance,
        availability_zone=zone,
        exception=exception,
        annotations=tuple(annotations),
        members=tuple(members),
        raw=bodies.get((digits, id), b""),
        version=ver & (COMPLETE - 1),
        sampled=bool(sampled),
        weight=weight,
    )


def _owned_call(columns: Sequence[Any]) -> OwnedCall:
    document_id, independent, *owner = columns[:5]
    ver, id, start, end, state, account, name, type, service, host, *rest = columns[5:]
    status, traced, exception, weight = rest
    call = Call(
        id=id,
        start=start,
        end=end,
        state=State(state),
        node=NodeKey(account, name, type),
        service=service,
        host=host,
        status=status,
        traced=bool(traced),
        exception=exception,
        weight=weight,
    )
    node = NodeKey(*owner)
    return OwnedCall(call, document_id, bool(independent), node, ver & (COMPLETE - 1))


def _owned_link(columns: Sequence[Any]) -> OwnedLink:
    other, other_id, upstream, received, weight, document_id, independent, *node = columns[:10]
    start, end, state, status, exception, ver = columns[10:]
    return OwnedLink(
        Link(bytes.fromhex(other), other_id, bool(upstream), received, weight),
        document_id,
        bool(independent),
        NodeKey(*node),
        start,
        end,
        State(state),
        failure_label(exception, status),
        ver & (COMPLETE - 1),
    )
