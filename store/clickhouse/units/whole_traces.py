"""Traces of which `store.units` makes the units: the reference of all statements over units.

A trace is read whole, unless it is large: of one that lasts for hours each bucket would read all others. Of such a
trace the rows in the buckets in question are read, and by their ids the rows elsewhere that decide on those: other
copies, documents, parents up to the owning segment, and answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.get_traces import (
    add_calls,
    add_document,
    add_links,
    located,
)
from store.facts import LinkedIds, links_among
from store.model import Document, Http, NodeKey, State, Trace, version_of
from store.parents import MAX_PARENT_STEPS
from store.units import Unit, all_units

MOST_WHOLE = 2_000
"""Documents of a trace that is read whole."""

Traces = dict[bytes, Trace]


class WholeTraces(NamedTuple):
    """Some traces, those at the other ends of their links, and the hashes by which `bucket_rollups` knows them."""

    traces: Traces
    known: Mapping[bytes, Trace]
    linked_ids: LinkedIds
    hashes: dict[bytes, int]

    def units(self) -> Iterator[tuple[int, Unit]]:
        """All units, each with the hash of its trace."""
        for id, trace in self.traces.items():
            for unit in all_units(trace, self.known.get, self.linked_ids):
                yield self.hashes[id], unit


NO_TRACES = WholeTraces({}, {}, links_among(()), {})


def read_whole(run: RunQuery, traces: Sql, here: str) -> WholeTraces:
    """The traces that a subquery selects; of large ones what decides on the units of the rows ``here``, a condition.

    Documents are read before what they carry: a batch inserts its calls before them.
    """
    large = _large(run, traces)
    reader = _Reader(run)
    reader.whole(traces, large)
    for id in large:
        reader.near(id, here)
    found = reader.finish()
    if not found:
        return NO_TRACES
    known = {**_linked(run, found), **found}
    return WholeTraces(found, known, links_among(known.values()), reader.hashes)


def _linked(run: RunQuery, traces: Traces) -> Traces:
    """The traces at the other ends of links: most have none."""
    senders = run(queries.SENDERS.render(ids=list(traces)))
    wanted = {owned.link.trace_id for trace in traces.values() for owned in trace.links.values()}
    wanted |= {bytes.fromhex(digits) for (digits,) in senders}
    ids = sorted(wanted - traces.keys())
    if not ids:
        return {}
    listed = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": ids})
    large = _large(run, listed)
    reader = _Reader(run)
    reader.whole(listed, large)
    for id in large:
        links = (owned.link for trace in traces.values() for owned in trace.links.values())
        reader.ends(id, {link.id for link in links if link.trace_id == id}, list(traces))
    return reader.finish()


def _large(run: RunQuery, traces: Sql) -> list[bytes]:
    rows = run(queries.LARGE_TRACES.render({"traces": traces}, most=MOST_WHOLE))
    return [bytes.fromhex(digits) for (digits,) in rows]


def _in_traces(traces: Sql, large: Collection[bytes]) -> Sql:
    """A condition on rows: of the traces that a subquery selects, but the large ones."""
    chosen = f"trace_id IN ({traces.text})"
    parameters = dict(traces.parameters)
    if large:
        chosen += " AND trace_id NOT IN {large:Array(FixedString(16))}"
        parameters["large"] = list(large)
    places = f"SELECT minute, bucket, trace_id FROM traces WHERE {chosen}"
    return _rows(Sql(f"(minute, bucket, trace_id) IN ({places})", parameters))


def _rows(condition: Sql, more: str = "", **parameters: Any) -> Sql:
    text = f"{condition.text} AND {NOT_PINNED_COPY}{more and f' AND ({more})'}"
    return Sql(text, {**condition.parameters, **parameters})


class _Reader:
    """Traces with what has been read of them."""

    def __init__(self, run: RunQuery) -> None:
        self._run = run
        self.traces: Traces = {}
        self.hashes: dict[bytes, int] = {}

    def whole(self, traces: Sql, large: Collection[bytes]) -> None:
        """Read the traces that a subquery selects, but the large ones."""
        self._add_documents(self._run(_documents(_in_traces(traces, large))))
        if self.traces:
            places = _rows(located(list(self.traces)))
            calls, links = run_concurrently(self._run, _calls(places), _links(places))
            add_calls(self.traces, calls)
            add_links(self.traces, links)

    def near(self, id: bytes, here: str) -> None:
        """Read the rows of a trace that are here, and those that decide on their units."""
        self.traces[id] = Trace(id, {}, {}, 0, 0, {})
        places = _rows(located([id]), here)
        self._add_documents(self._run(_documents(places)))
        add_calls(self.traces, self._run(_calls(places)))
        self._around(id)
        add_links(self.traces, self._run(_links(places)))

    def ends(self, id: bytes, ends: Collection[int], traces: list[bytes]) -> None:
        """Read what resolves some ids of a trace as ends of links, and its own links to some traces."""
        self.traces[id] = Trace(id, {}, {}, 0, 0, {})
        to_those = "other_trace IN {others:Array(FixedString(16))}"
        links = self._run(_links(_rows(located([id]), to_those, others=traces)))
        self._around(id, {*ends, *(row[6] for row in links)})
        add_links(self.traces, links)

    def _around(self, id: bytes, wanted: Collection[int] = ()) -> None:
        """Follow some ids, and those of what is known, to their copies, documents, parents and answers."""
        trace, place = self.traces[id], located([id])
        called = sorted({*trace.calls, *wanted})
        fresh = {*_ids(trace), *wanted}
        seen: set[int] = set()
        for _ in range(MAX_PARENT_STEPS + 2):
            if not fresh:
                return
            ids = sorted(fresh)
            documents, calls = run_concurrently(
                self._run,
                _documents(_rows(place, _DOCUMENTS, wanted=ids, called=called)),
                _calls(_rows(place, _CALLS, wanted=ids)),
            )
            self._add_documents(documents)
            add_calls(self.traces, calls)
            seen |= fresh
            called = []
            fresh = set(_ids(trace)) - seen

    def _add_documents(self, rows: Rows) -> None:
        for row in rows:
            document = _document(row)
            id = document.trace_id
            self.hashes[id] = row[-1]
            trace = self.traces.get(id)
            if trace is None:
                trace = self.traces[id] = Trace(id, {}, {}, 0, 0, {})
            add_document(trace, document)

    def finish(self) -> Traces:
        """The traces with documents, without the calls and links whose documents are not stored (yet)."""
        for trace in self.traces.values():
            for owned in (trace.calls, trace.links):
                assert isinstance(owned, dict)
                for key in [
                    k for k, each in owned.items() if each.document_id not in trace.documents
                ]:
                    del owned[key]
        return {id: trace for id, trace in self.traces.items() if trace.documents}


_IDS = "{wanted:Array(UInt64)}"
_DOCUMENTS = f"id IN {_IDS} OR hasAny(members, {_IDS}) OR (independent = 0 AND parent_id IN {{called:Array(UInt64)}})"
_CALLS = f"id IN {_IDS}"


def _ids(trace: Trace) -> Iterator[int]:
    """The ids whose rows decide on what is known of a trace."""
    for document in trace.documents.values():
        yield document.id
        if document.parent_id:
            yield document.parent_id
    for owned in trace.calls.values():
        yield owned.call.id
        yield owned.document_id


def _documents(places: Sql) -> Sql:
    return queries.UNIT_DOCUMENTS.render({"places": places})


def _calls(places: Sql) -> Sql:
    return queries.CALLS.render({"places": places})


def _links(places: Sql) -> Sql:
    return queries.LINKS.render({"places": places})


def _document(row: tuple[Any, ...]) -> Document:
    """What units need of a row of unit_documents.sql."""
    digits, id, parent_id, independent, inferred, start, end, last_end, state, *node = row[:13]
    service, status, user_agent, exception, members, weight, ver, _ = row[13:]
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
        node=NodeKey(*node),
        service=service,
        http=Http("", "", status, "", user_agent),
        exception=exception,
        members=tuple(members),
        version=version_of(State(state), ver),
        weight=weight,
    )
