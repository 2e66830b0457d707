"""Whole traces and lists of traces, asked of ClickHouse."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from store.clickhouse import sql
from store.cursor import decode_cursor, encode_cursor
from store.interface import Axis, Found, Page, TraceQuery
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
)
from store.rules.classify import failure_label

Ask = Callable[[str], list[tuple[Any, ...]]]

CHUNK = 500
"""Candidates looked at in one go when a query asks more than a window."""

_SEGMENTS = """
SELECT hex(trace_id), id, parent_id, independent, inferred, sampled, start, start + duration,
       start + last_duration, state, account, name, type, service, method, url, status,
       client_ip, user_agent, user, resource_arn, instance_id, availability_zone, exception,
       annotations, members, ver
FROM segments FINAL WHERE trace_id IN {ids} AND minute BETWEEN {lo} AND {hi}
"""
_CALLS = """
SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, ver,
       id, start, start + duration, state, account, name, type, service, host, status, traced, exception
FROM calls FINAL WHERE trace_id IN {ids} AND minute BETWEEN {lo} AND {hi}
"""
_LINKS = """
SELECT hex(trace_id), hex(other_trace), other_id, upstream, event_received, document_id, independent,
       account, name, type, start, start + duration, state, status, exception, ver
FROM links FINAL WHERE trace_id IN {ids} AND minute BETWEEN {lo} AND {hi}
"""
# A body may be any bytes; the driver would read a String as UTF-8 text.
_DOCUMENTS = (
    "SELECT hex(trace_id), id, base64Encode(body) FROM documents FINAL WHERE trace_id IN {ids}"
)
_TRACES = """
SELECT hex(trace_id), min(lo), max(hi), max(updated), sum(revision) FROM traces
WHERE trace_id IN {ids} GROUP BY trace_id HAVING max(sampled) = 1
"""

_EPOCH = "toInt64(reinterpretAsUInt32(reverse(substring(trace_id, 1, 4)))) * 1000000"
_AXES = {
    # store.trace_id.trace_time, in SQL.
    Axis.TRACE_ID: f"""
        SELECT trace_id, if(abs({_EPOCH} - first) <= 86400000000, {_EPOCH}, first) AS at
        FROM (SELECT trace_id, min(start) AS first FROM traces GROUP BY trace_id HAVING max(sampled) = 1)
        WHERE at >= :from AND at < :to""",
    Axis.EVENT: """
        SELECT trace_id, last AS at
        FROM (SELECT trace_id, max(updated) AS last FROM traces GROUP BY trace_id HAVING max(sampled) = 1)
        WHERE at >= :from AND at < :to""",
    Axis.SERVICE: """
        SELECT trace_id, max(start + duration) AS at FROM segments FINAL
        WHERE independent = 0 AND state != 0 AND start + duration >= :from AND start + duration < :to
        GROUP BY trace_id HAVING trace_id IN (SELECT trace_id FROM traces WHERE sampled = 1)""",
}


def get_traces(ask: Ask, trace_ids: Sequence[bytes], *, raw: bool) -> dict[bytes, Trace]:
    """The traces that exist, by id."""
    if not trace_ids:
        return {}
    ids = sql.trace_list(trace_ids)
    traces: dict[bytes, Trace] = {}
    bounds: list[int] = []
    for digits, lo, hi, updated, revision in ask(_TRACES.format(ids=ids)):
        trace_id = bytes.fromhex(digits)
        traces[trace_id] = Trace(trace_id, {}, {}, updated, revision, {})
        bounds += [lo // 60_000_000, hi // 60_000_000]
    if not traces:
        return {}
    places = {"ids": ids, "lo": min(bounds), "hi": max(bounds)}
    bodies: dict[tuple[str, int], bytes] = {}
    if raw:
        for digits, id, body in ask(_DOCUMENTS.format(**places)):
            bodies[digits, id] = b64decode(body)
    for row in ask(_SEGMENTS.format(**places)):
        document = _document(row, bodies)
        documents = traces[document.trace_id].documents
        assert isinstance(documents, dict)
        documents[document.id] = document
    for digits, *columns in ask(_CALLS.format(**places)):
        owned = _owned_call(columns)
        calls = traces[bytes.fromhex(digits)].calls
        assert isinstance(calls, dict)
        calls[owned.call.id] = owned
    for digits, *columns in ask(_LINKS.format(**places)):
        joined = _owned_link(columns)
        links = traces[bytes.fromhex(digits)].links
        assert isinstance(links, dict)
        links[joined.key] = joined
    for trace in traces.values():  # of a pinned trace the counts expire, the documents do not
        trace.revision = max(trace.revision, len(trace.documents))
    # Between the inserts of one batch a trace may have calls and no document yet.
    return {trace_id: trace for trace_id, trace in traces.items() if trace.documents}


def find_traces(
    ask: Ask,
    query: TraceQuery,
    *,
    limit: int,
    cursor: str | None,
    keep: Callable[[TraceQuery, list[Found]], list[Found]],
) -> Page:
    """Traces by time, newest first. ``keep`` judges a chunk of candidates by the whole query."""
    plain = query.node is None and query.edge is None and not query.states
    found: list[Found] = []
    scanned = 0
    before = decode_cursor(cursor)
    while True:
        size = limit + 1 if plain else CHUNK
        candidates = [
            Found(bytes.fromhex(digits), at) for digits, at in ask(_candidates(query, before, size))
        ]
        kept = candidates if plain else keep(query, candidates)
        room = limit - len(found)
        if len(kept) > room or (len(kept) == room and len(candidates) == size):
            last = kept[room - 1]
            scanned += candidates.index(last) + 1
            found += kept[:room]
            return Page(found, scanned, encode_cursor(last.time, last.trace_id))
        found += kept
        scanned += len(candidates)
        if len(candidates) < size:
            return Page(found, scanned, None)
        before = candidates[-1].time, candidates[-1].trace_id


def _candidates(query: TraceQuery, before: tuple[int, bytes] | None, size: int) -> str:
    axis = _AXES[query.axis].replace(":from", str(query.window.start))
    axis = axis.replace(":to", str(query.window.end))
    conditions = list(_supersets(query))
    if before is not None:
        conditions.append(f"(at, trace_id) < ({before[0]}, {sql.trace_literal(before[1])})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT hex(trace_id), at FROM ({axis}) {where} "
        f"ORDER BY at DESC, trace_id DESC LIMIT {size}"
    )


def _supersets(query: TraceQuery) -> Iterable[str]:
    """Conditions that every matching trace meets, and some others too: cheap to ask first."""
    for node in (query.node, *(query.edge or ())):
        if node is not None:
            yield _touches(node)
    if query.states:
        states = ", ".join(str(int(state)) for state in sorted(query.states))
        yield f"trace_id IN (SELECT trace_id FROM segments WHERE state IN ({states}))"


def _touches(node: NodeKey) -> str:
    if node.is_client:
        return f"trace_id IN (SELECT trace_id FROM segments WHERE name = {sql.text(node.name)})"
    same = f"(account, name, type) = {sql.node_tuple(node)}"
    return (
        f"trace_id IN (SELECT trace_id FROM segments WHERE {same} "
        f"UNION ALL SELECT trace_id FROM calls WHERE {same})"
    )


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
    annotations, members, ver = row[24:]
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
    )


def _owned_call(columns: Sequence[Any]) -> OwnedCall:
    document_id, independent, *owner = columns[:5]
    ver, id, start, end, state, account, name, type, service, host, status, traced, exception = (
        columns[5:]
    )
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
    )
    node = NodeKey(*owner)
    return OwnedCall(call, document_id, bool(independent), node, ver & (COMPLETE - 1))


def _owned_link(columns: Sequence[Any]) -> OwnedLink:
    other, other_id, upstream, received, document_id, independent, *node = columns[:9]
    start, end, state, status, exception, ver = columns[9:]
    return OwnedLink(
        Link(bytes.fromhex(other), other_id, bool(upstream), received),
        document_id,
        bool(independent),
        NodeKey(*node),
        start,
        end,
        State(state),
        failure_label(exception, status),
        ver & (COMPLETE - 1),
    )
