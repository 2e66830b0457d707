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
from store.parents import MAX_PARENT_STEPS, LinkEnd, resolve_link_end
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


def read_whole(run: RunQuery, traces: Sql, here: str, *, deployed: bool = False) -> WholeTraces:
    """The traces that a subquery selects; of large ones what decides on the units of the rows ``here``, a condition.
    ``deployed``: with versions, environments and operations, which no unit depends on.

    Documents are read before what they carry: a batch inserts its calls before them.
    """
    large = _large(run, traces)
    reader = _Reader(run, deployed=deployed)
    reader.whole(traces, large)
    if large:
        reader.near(large, here)
        reader.follow_links(large)
    found = reader.finish()
    if not found:
        return NO_TRACES
    known = {**_linked(run, found, found, deployed=deployed), **found}
    return WholeTraces(found, known, links_among(known.values()), reader.hashes)


def read_small(run: RunQuery, wanted: Collection[bytes], known: Collection[bytes]) -> WholeTraces:
    """Traces of which none is large. ``known``: these, and those that they are known to link to."""
    reader = _Reader(run)
    ids = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": sorted(known)})
    reader.whole(ids, ())
    read = reader.finish()
    found = {id: trace for id, trace in read.items() if id in wanted}
    if not found:
        return NO_TRACES
    together = {**_linked(run, found, read), **read}
    return WholeTraces(found, together, links_among(together.values()), reader.hashes)


def link_ends(
    run: RunQuery, wanted: Collection[tuple[bytes, int]]
) -> dict[tuple[bytes, int], LinkEnd]:
    """The other ends of links, by trace and id, of those that are stored."""
    reader = _Reader(run)
    reader.ends({trace for trace, _ in wanted}, {id for _, id in wanted})
    traces = reader.finish()
    return {
        (trace, id): end
        for trace, id in wanted
        if trace in traces and (end := resolve_link_end(traces[trace], id)) is not None
    }


def _linked(run: RunQuery, traces: Traces, known: Traces, *, deployed: bool = False) -> Traces:
    """The traces at the other ends of links, but those that are known: most have none."""
    senders = run(queries.SENDERS.render(ids=list(traces)))
    wanted = {owned.link.trace_id for trace in traces.values() for owned in trace.links.values()}
    wanted |= {bytes.fromhex(digits) for (digits,) in senders}
    ids = sorted(wanted - known.keys())
    if not ids:
        return {}
    listed = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": ids})
    large = _large(run, listed)
    reader = _Reader(run, deployed=deployed)
    reader.whole(listed, large)
    if large:
        links = (owned.link for trace in traces.values() for owned in trace.links.values())
        reader.ends(large, {link.id for link in links}, list(traces))
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

    def __init__(self, run: RunQuery, *, deployed: bool = False) -> None:
        self._run = run
        self._columns = {
            "deployed": Sql("service_version, environment, operation" if deployed else "'', '', ''")
        }
        self.traces: Traces = {}
        self.hashes: dict[bytes, int] = {}

    def whole(self, traces: Sql, large: Collection[bytes]) -> None:
        """Read the traces that a subquery selects, but the large ones."""
        self._add_documents(self._run(self._documents(_in_traces(traces, large))))
        if self.traces:
            places = _rows(located(list(self.traces)))
            calls, links = run_concurrently(self._run, _calls(places), _links(places))
            add_calls(self.traces, calls)
            add_links(self.traces, links)

    def near(self, ids: Collection[bytes], here: str) -> None:
        """Read the rows of traces that are here, and those that decide on their units."""
        self._begin(ids)
        places = _rows(located(list(ids)), here)
        self._add_documents(self._run(self._documents(places)))
        add_calls(self.traces, self._run(_calls(places)))
        traces = [self.traces[id] for id in ids]
        parents = {document.parent_id for trace in traces for document in trace.documents.values()}
        self._follow(ids, parents, here=here)

    def ends(
        self, ids: Collection[bytes], ends: Collection[int], linking: Collection[bytes] = ()
    ) -> None:
        """Read what resolves some ids of traces as ends of links, and links of these traces to others."""
        self._begin(ids)
        self._follow(ids, ends, linking)

    def follow_links(self, ids: Collection[bytes]) -> None:
        """Read what the links of known traces lead to in some that are not known whole."""
        links = (owned.link for trace in self.traces.values() for owned in trace.links.values())
        ends = {link.id for link in links if link.trace_id in ids}
        if ends:
            self._around(ids, ends, ends=True)

    def _follow(
        self,
        ids: Collection[bytes],
        ends: Collection[int] = (),
        linking: Collection[bytes] = (),
        here: str = "0",
    ) -> None:
        """Read what decides on what is known of traces and on some ids, and links: those here, and those to others
        that may report the same link."""
        condition = f"{here} OR other_trace IN {{others:Array(FixedString(16))}}"
        others = sorted({*self.traces, *linking})
        if any(each.fetched for id in ids for each in self.traces[id].documents.values()):
            condition += (
                " OR (other_trace, other_id) IN (SELECT other_trace, other_id FROM scope_links)"
            )
        links = self._run(_links(_rows(located(list(ids)), condition, others=others)))
        self._around(ids, {*ends, *(row[6] for row in links)}, ends=here == "0")
        add_links(self.traces, links)

    def _begin(self, ids: Collection[bytes]) -> None:
        self.traces.update((id, Trace(id, {}, {}, 0, 0, {})) for id in ids)

    def _around(
        self, traces: Collection[bytes], wanted: Collection[int] = (), *, ends: bool
    ) -> None:
        """Follow some ids, and those of what is known, to their copies, documents, parents and answers.

        ``ends``: they are ends of links, and so may be calls, which spans may answer.
        """
        known, place = [self.traces[id] for id in traces], located(list(traces))
        answerable = sorted({*(wanted if ends else ()), *(id for t in known for id in _made(t))})
        called = sorted({*wanted, *(id for trace in known for id in _asking(trace))})
        fresh = {*wanted, *(id for trace in known for id in _ids(trace))} - {0}
        seen: set[int] = set()
        called_before: set[int] = set()
        answerable_before: set[int] = set()
        for _ in range(MAX_PARENT_STEPS + 2):
            if not (fresh or called or answerable):
                return
            ids = sorted(fresh)
            documents, calls = run_concurrently(
                self._run,
                self._documents(
                    _rows(place, _DOCUMENTS, wanted=ids, called=called, answerable=answerable)
                ),
                _calls(_rows(place, _CALLS, wanted=ids)),
            )
            self._add_documents(documents)
            add_calls(self.traces, calls)
            seen |= fresh
            called_before |= set(called)
            answerable_before |= set(answerable)
            called = sorted({id for t in known for id in t.calls} - called_before)
            answerable = sorted({id for t in known for id in _made(t)} - answerable_before)
            fresh = {id for trace in known for id in _ids(trace)} - seen - {0}

    def _documents(self, places: Sql) -> Sql:
        return queries.UNIT_DOCUMENTS.render({**self._columns, "places": places})

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
_DOCUMENTS = f"id IN {_IDS} OR arrayExists(member -> member IN {_IDS}, members) OR (independent = 0 AND parent_id IN {{called:Array(UInt64)}}) OR (independent > 1 AND parent_id IN {{answerable:Array(UInt64)}})"
_CALLS = f"id IN {_IDS}"


def _made(trace: Trace) -> Iterator[int]:
    """The ids of calls, and of the local work within them: of a call inside they may be one with it, whatever answers
    that (`store.layers`)."""
    yield from trace.calls
    for document in trace.documents.values():
        above: Document | None = document
        for _ in range(MAX_PARENT_STEPS):
            if above is None or above.independent < Independent.OF_SENDER:
                break
            if above.parent_id in trace.calls:
                yield document.id
                break
            above = trace.documents.get(above.parent_id)


def _asking(trace: Trace) -> Iterator[int]:
    """The ids of which the segments below them decide what they are a unit of."""
    yield from trace.calls
    yield from (each.id for each in trace.documents.values() if each.fetched is Fetched.MESSAGES)


def _ids(trace: Trace) -> Iterator[int]:
    """The ids whose rows say what is known of a trace, and which segments own it."""
    for document in trace.documents.values():
        yield document.id
        if document.independent:
            yield document.parent_id
    for owned in trace.calls.values():
        yield owned.call.id
        yield owned.document_id


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
