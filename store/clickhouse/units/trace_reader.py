"""Reads the rows of traces that units are made of: whole traces, or what decides on some of their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.decode import decode_call
from store.clickhouse.search.get_traces import add_calls, add_document, add_links, located
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.units.deciding import (
    CONTAINS,
    SEGMENT_BELOW,
    SPAN_BELOW,
    KnownRows,
    Lookup,
    Lookups,
)
from store.model import (
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    NodeKey,
    State,
    Trace,
    version_of,
)
from store.parents import MAX_PARENT_STEPS

Place = tuple[bytes, int]
"""A trace in a bucket."""
End = tuple[bytes, int]
"""A trace, and the id in it that a link leads to."""
OF_LINKS = -1
"""In place of a bucket: what the ends of links need."""


class TraceReader:
    """Traces with what has been read of them."""

    def __init__(self, run: RunQuery, *, deployed: bool = False) -> None:
        self._run = run
        self._columns = {
            "deployed": Sql("service_version, environment, operation" if deployed else "'', '', ''")
        }
        self.traces: dict[bytes, Trace] = {}
        self.hashes: dict[bytes, int] = {}
        self.lookups: dict[Place, Lookups] = defaultdict(Lookups)
        """By trace and bucket, what decides on the rows that were read `near`; those of ends of links apart."""
        self._read: dict[bytes, set[Lookup]] = defaultdict(set)

    def whole(self, places: Sql) -> None:
        """Read the traces that have rows at some places."""
        for row in self._run(self._documents(places)):
            self._add_document(row)
        if self.traces:
            there = rows_where(located(list(self.traces)))
            calls, links = run_concurrently(self._run, _calls(there), _links(there))
            add_calls(self.traces, calls)
            add_links(self.traces, links)

    def near(self, ids: Collection[bytes], here: str) -> None:
        """Read the rows of traces that are here, and those that decide on their units."""
        self._begin(ids)
        places = rows_where(located(list(ids)), here)
        for row in self._run(self._documents(places)):
            document = self._add_document(row)
            self.lookups[_place(document)].need_document(document)
        calls = self._run(_calls(places))
        for digits, *columns in calls:
            owned = decode_call(columns)
            place = bytes.fromhex(digits), bucket_of(owned.call.start)
            self.lookups[place].need_call(owned)
        add_calls(self.traces, calls)
        self._follow(ids, here=here)

    def ends(
        self, ids: Collection[bytes], ends: Iterable[End], linking: Collection[bytes] = ()
    ) -> None:
        """Read what resolves the ends of links in some traces, and links of these traces to others."""
        self._begin(ids)
        self._need_link_ends(ends, are_calls=True)
        self._follow(ids, linking)

    def follow_links(self, ids: Collection[bytes]) -> None:
        """Read what the links of known traces lead to in some that are not known whole."""
        links = (owned.link for trace in self.traces.values() for owned in trace.links.values())
        ends = {(link.trace_id, link.id) for link in links if link.trace_id in ids}
        if ends:
            self._need_link_ends(ends, are_calls=True)
            self._look_up(ids)

    def _follow(
        self, ids: Collection[bytes], linking: Collection[bytes] = (), here: str = "0"
    ) -> None:
        """Read what decides on what is known of traces, and links: those here, and those to others that may report the
        same link."""
        place = located(list(ids))
        condition = f"({here}) OR other_trace IN {{others:Array(FixedString(16))}}"
        others = sorted({*self.traces, *linking})
        if any(each.fetched for id in ids for each in self.traces[id].documents.values()):
            named = f"SELECT other_trace, other_id FROM links WHERE {place.text} AND ({here})"
            condition += f" OR (other_trace, other_id) IN ({named})"
        links = self._run(_links(rows_where(place, condition, others=others)))
        documents = {(bytes.fromhex(row[0]), row[6]) for row in links}
        self._need_link_ends(documents, are_calls=here == "0")
        self._look_up(ids)
        add_links(self.traces, links)

    def _begin(self, ids: Collection[bytes]) -> None:
        self.traces.update((id, Trace(id, {}, {}, 0, 0, {})) for id in ids)

    def _need_link_ends(self, ends: Iterable[End], *, are_calls: bool) -> None:
        for trace, id in ends:
            self.lookups[trace, OF_LINKS].need_link_end(id, is_call=are_calls)

    def _look_up(self, traces: Collection[bytes]) -> None:
        """Read what lookups in traces find, what that needs, and so on."""
        for _ in range(MAX_PARENT_STEPS + 2):
            known = {id: KnownRows(self.traces[id]) for id in traces}
            for (trace, _bucket), lookups in self.lookups.items():
                if trace in known:
                    lookups.follow(known[trace])
            new: set[Lookup] = set()
            for (trace, _bucket), lookups in self.lookups.items():
                if trace in known:
                    new |= lookups.needed - self._read[trace]
                    self._read[trace] |= lookups.needed
            if not new:
                return
            self._read_rows(traces, new)

    def _read_rows(self, traces: Collection[bytes], wanted: Collection[Lookup]) -> None:
        ids, called, answerable = (
            sorted(id for relation, id in wanted if relation == each)
            for each in (CONTAINS, SEGMENT_BELOW, SPAN_BELOW)
        )
        place = located(list(traces))
        places = rows_where(place, _DOCUMENTS, wanted=ids, called=called, answerable=answerable)
        documents, calls = run_concurrently(
            self._run, self._documents(places), _calls(rows_where(place, _CALLS, wanted=ids))
        )
        for row in documents:
            self._add_document(row)
        add_calls(self.traces, calls)

    def _documents(self, places: Sql) -> Sql:
        return queries.UNIT_DOCUMENTS.render({**self._columns, "places": places})

    def _add_document(self, row: tuple[Any, ...]) -> Document:
        document = _document(row)
        id = document.trace_id
        self.hashes[id] = row[-1]
        trace = self.traces.get(id)
        if trace is None:
            trace = self.traces[id] = Trace(id, {}, {}, 0, 0, {})
        add_document(trace, document)
        return document

    def finish(self) -> dict[bytes, Trace]:
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
_DOCUMENTS = f"id IN {_IDS} OR arrayExists(member -> member IN {_IDS}, members) OR (independent = {Independent.NO:d} AND parent_id IN {{called:Array(UInt64)}}) OR (independent > {Independent.OF_PARENT:d} AND parent_id IN {{answerable:Array(UInt64)}})"
_CALLS = f"id IN {_IDS}"


def rows_where(condition: Sql, more: str = "", **parameters: Any) -> Sql:
    """A condition on rows that are no pinned copies."""
    text = f"{condition.text} AND {NOT_PINNED_COPY}{more and f' AND ({more})'}"
    return Sql(text, {**condition.parameters, **parameters})


def _place(document: Document) -> Place:
    return document.trace_id, bucket_of(document.start)


def _calls(places: Sql) -> Sql:
    return queries.CALLS.render({"places": places})


def _links(places: Sql) -> Sql:
    return queries.LINKS.render({"places": places})


def _document(row: tuple[Any, ...]) -> Document:
    """What units need of a row of unit_documents.sql."""
    digits, id, parent_id, independent, kind, fetched, inferred, start, end, last_end = row[:10]
    state, *node = row[10:15]
    service, method, status, *before = row[15:22]
    user_agent, exception, members, weight, *reported, ver, _ = row[22:]
    service_version, environment, operation = reported
    return Document(
        trace_id=bytes.fromhex(digits),
        id=id,
        parent_id=parent_id,
        independent=Independent(independent),
        inferred=bool(inferred),
        start=start,
        end=end,
        last_end=last_end,
        state=State(state),
        node=NodeKey(*node),
        service=service,
        http=Http(method, "", status, "", user_agent),
        exception=exception,
        members=tuple(members),
        version=version_of(State(state), ver),
        weight=weight,
        service_version=service_version,
        environment=environment,
        kind=Kind(kind),
        before=NodeKey(*before),
        fetched=Fetched(fetched),
        operation=operation,
    )
