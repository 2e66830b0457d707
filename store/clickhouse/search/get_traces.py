"""Reads whole traces by id, in one round of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import (
    RunQuery,
    everywhere,
    run_both,
    run_concurrently,
)
from store.clickhouse.queries import Sql
from store.clickhouse.search.decode import (
    ALL_MEMBERS,
    NO_BODY,
    decode_call,
    decode_document,
    decode_link,
    members_of,
)
from store.facts import caused_documents
from store.model import Document, OwnedCall, OwnedLink, Trace, precedence

K = TypeVar("K")
PAGE = 100
"""Traces of which the search for them reads all: a list shows them, and a statement costs as much as ten traces."""
_OF_LINK_ENDS = {
    "inferred": Sql("0"),
    "end": Sql("duration"),
    "node": Sql("account, name, type, region"),
    "service": Sql("''"),
    "http": Sql("method, '', status, ''"),
    "user_agent": Sql("''"),
    "annotations": Sql("[]"),
    "texts": members_of({"version", "environment"}),
    "operation": Sql("operation"),
    "body": NO_BODY,
}
"""The columns of lean_segments.sql that the ends of links are made of, and their values of a dimension."""


class LinkPresence:
    """Whether the database has any links, as last seen; refreshed with every read."""

    seen = False


def get_traces(
    ask: RunQuery,
    trace_ids: Sequence[bytes],
    linked: LinkPresence,
    *,
    raw: bool = False,
    links: bool = True,
    causes: bool = True,
) -> dict[bytes, Trace]:
    """The traces that exist, by id. Without ``links`` neither `Trace.links` nor `Trace.caused` is filled; without
    ``causes`` not the latter."""
    traces = _read(ask, trace_ids, linked, raw=raw, links=links)
    if traces and linked.seen and links and causes:
        resolve_causes(ask, traces)
    return traces


def resolve_causes(ask: RunQuery, traces: Mapping[bytes, Trace]) -> None:
    """Fill `Trace.caused`, for which the other ends of links are read."""
    upstream = {
        owned.link.trace_id
        for trace in traces.values()
        for owned in trace.links.values()
        if owned.link.upstream
    }
    wanted = sorted(upstream - traces.keys())
    read, rows = run_both(
        ask,
        partial(link_ends, trace_ids=wanted, links=False),
        lambda ask: everywhere(ask)(queries.CAUSED_IDS.render(ids=list(traces))),
    )
    others = {**traces, **read}
    named = {bytes.fromhex(digits): frozenset(ids) for digits, ids in rows}
    for trace in traces.values():
        trace.caused = caused_documents(trace, others.get, lambda id: named.get(id, ()))


def link_ends(ask: RunQuery, trace_ids: Sequence[bytes], *, links: bool) -> dict[bytes, Trace]:
    """Of the traces at the other ends of links, in whatever cell, what resolving these takes (`store.parents.resolve_link_end`), and
    with ``links`` which links they have themselves."""
    if not trace_ids:
        return {}
    ask = everywhere(ask)
    places = {"places": located(list(trace_ids))}
    statements = [queries.LEAN_SEGMENTS.render({**_OF_LINK_ENDS, **places})]
    statements += [queries.LEAN_CALLS.render({**places, "operation": Sql("operation")})]
    statements += [queries.LINKS.render(places)] if links else []
    segments, calls, *others = run_concurrently(ask, *statements)
    traces = {id: Trace(id, {}, {}, 0, 0, {}) for id in trace_ids}
    add_documents(traces, segments)
    add_calls(traces, calls)
    add_links(traces, chain.from_iterable(others))
    return {id: trace for id, trace in traces.items() if trace.documents}


def _read(
    ask: RunQuery, trace_ids: Sequence[bytes], linked: LinkPresence, *, raw: bool, links: bool
) -> dict[bytes, Trace]:
    """The traces that exist, with all but `Trace.caused`."""
    if not trace_ids:
        return {}
    ids = list(trace_ids)
    places = located(ids)
    statements = whole(ids, places, queries.BODY.render() if raw else NO_BODY)
    if links and linked.seen:
        statements.append(queries.LINKS.render({"places": places}))
    known, *answers = run_concurrently(ask, *statements)
    traces = {}
    for digits, updated, revision, any_links in known:
        linked.seen = linked.seen or bool(any_links)
        trace_id = bytes.fromhex(digits)
        traces[trace_id] = Trace(trace_id, {}, {}, updated, revision, {})
    if links and linked.seen and len(answers) == 2:
        answers.append(ask(queries.LINKS.render({"places": places})))
    segments, calls, *linking = answers
    add_documents(traces, segments)
    add_calls(traces, calls)
    add_links(traces, chain.from_iterable(linking))
    for trace in traces.values():  # of a pinned trace the counts expire, the documents do not
        trace.revision = max(trace.revision, len(trace.documents))
    # Between the inserts of one batch a trace may have calls and no document yet.
    return {trace_id: trace for trace_id, trace in traces.items() if trace.documents}


def whole(ids: Sequence[bytes], places: Sql, body: Sql) -> list[Sql]:
    """The statements for traces, their documents and their calls."""
    statements = [
        queries.TRACES.render(ids=list(ids)),
        queries.SEGMENTS.render({"places": places, "body": body, "texts": ALL_MEMBERS}),
        queries.CALLS.render({"places": places}),
    ]
    return [*map(in_one_thread, statements)] if len(ids) <= PAGE else statements


def in_one_thread(statement: Sql) -> Sql:
    """A statement that reads little, and beside others: more threads would cost more than they save."""
    text = f"{statement.text}\nSETTINGS max_threads = 1"
    return Sql(text, statement.parameters, statement.name)


def without_links(trace: Trace) -> Trace:
    """A trace as a list shows it (`store.query.Page`)."""
    revision = max(trace.revision, len(trace.documents))
    return Trace(trace.trace_id, trace.documents, trace.calls, trace.updated, revision)


def located(ids: Sequence[bytes]) -> Sql:
    """A condition that finds the rows of traces by the tables' sort key: minute, bucket, trace."""
    return Sql(
        "(minute, bucket, trace_id) IN (SELECT minute, bucket, trace_id FROM traces "
        "WHERE trace_id IN {ids:Array(FixedString(16))})",
        {"ids": ids},
    )


def add_links(traces: Mapping[bytes, Trace], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows of links.sql into traces that have their documents; those of other copies of these are left out."""
    for digits, *columns in rows:
        trace = traces.get(bytes.fromhex(digits))
        if trace is None:
            continue
        link = decode_link(columns)
        document = trace.documents.get(link.document_id)
        assert isinstance(trace.links, dict)
        if document is not None and _precedence(document) == _precedence(link):
            trace.links[link.key] = link


def add_documents(traces: Mapping[bytes, Trace], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows of segments.sql or lean_segments.sql into their traces; those of no trace are left out."""
    for row in rows:
        trace = traces.get(bytes.fromhex(row[0]))
        if trace is not None:
            add_document(trace, decode_document(row))


def add_document(trace: Trace, document: Document) -> None:
    """Put a document into its trace, unless a newer copy is there."""
    assert isinstance(trace.documents, dict)
    add_copy(trace.documents, document.id, document)


def add_calls(traces: Mapping[bytes, Trace], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows of calls.sql into their traces; those of no trace are left out."""
    for digits, *columns in rows:
        trace = traces.get(bytes.fromhex(digits))
        if trace is not None:
            owned = decode_call(columns)
            assert isinstance(trace.calls, dict)
            add_copy(trace.calls, owned.call.id, owned)


Copy = TypeVar("Copy", Document, OwnedCall, OwnedLink)


def add_copy(known: dict[K, Copy], key: K, copy: Copy) -> None:
    """Add a copy unless a newer one is there: to the tables, rows that start in different minutes
    are no copies."""
    other = known.get(key)
    if other is None or _precedence(other) <= _precedence(copy):
        known[key] = copy


def _precedence(copy: Document | OwnedCall | OwnedLink) -> int:
    state = copy.call.state if isinstance(copy, OwnedCall) else copy.state
    return precedence(state, copy.version)
