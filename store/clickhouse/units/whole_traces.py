"""Traces of which `store.units` makes the units: the reference of all statements over units.

A trace is read whole, unless it is large: of one that lasts for hours each bucket would read all others. Of such a
trace the rows in the buckets in question are read, and by their ids the rows elsewhere that decide on those: other
copies, documents, parents up to the owning segment, and answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, everywhere
from store.clickhouse.queries import Sql
from store.clickhouse.units.deciding import Lookups
from store.clickhouse.units.trace_reader import OF_LINKS, Place, TraceReader, rows_where
from store.facts import LinkedIds, links_among
from store.model import Trace
from store.parents import LinkEnd, resolve_link_end
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

    def with_unlinked(self, more: WholeTraces) -> WholeTraces:
        """These and others without links."""
        traces, known = {**self.traces, **more.traces}, {**self.known, **more.traces}
        return WholeTraces(traces, known, self.linked_ids, {**self.hashes, **more.hashes})


NO_TRACES = WholeTraces({}, {}, links_among(()), {})


def read_whole(run: RunQuery, traces: Sql, here: str, *, deployed: bool = False) -> WholeTraces:
    """The traces that a subquery selects; of large ones what decides on the units of the rows ``here``, a condition.
    ``deployed``: with versions, environments and operations, which no unit depends on.

    Documents are read before what they carry: a batch inserts its calls before them.
    """
    large = _large(run, traces)
    reader = TraceReader(run, deployed=deployed)
    reader.whole(_in_traces(traces, large))
    if large:
        reader.near(large, here)
        reader.follow_links(large)
    found = reader.finish()
    if not found:
        return NO_TRACES
    known = {**_linked(run, found, found, deployed=deployed), **found}
    return WholeTraces(found, known, links_among(known.values()), reader.hashes)


def read_near(
    run: RunQuery, traces: Collection[bytes], here: str
) -> tuple[WholeTraces, Mapping[Place, Lookups]]:
    """Of traces without links what decides on the units of the rows ``here``, a condition, and by trace and bucket how
    that was looked up."""
    reader = TraceReader(run)
    reader.near(traces, here)
    found = reader.finish()
    # A link that has come meanwhile has marked its bucket, which is counted again by trace.
    lookups = {place: each for place, each in reader.lookups.items() if place[1] != OF_LINKS}
    return WholeTraces(found, found, links_among(()), reader.hashes), lookups


def read_small(run: RunQuery, wanted: Collection[bytes], known: Collection[bytes]) -> WholeTraces:
    """Traces of which none is large. ``known``: these, and those that they are known to link to."""
    reader = TraceReader(run)
    ids = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": sorted(known)})
    reader.whole(_in_traces(ids, ()))
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
    reader = TraceReader(everywhere(run))
    reader.ends({trace for trace, _ in wanted}, wanted)
    traces = reader.finish()
    return {
        (trace, id): end
        for trace, id in wanted
        if trace in traces and (end := resolve_link_end(traces[trace], id)) is not None
    }


def _linked(run: RunQuery, traces: Traces, known: Traces, *, deployed: bool = False) -> Traces:
    """The traces at the other ends of links, in whatever cell, but those that are known: most have none."""
    run = everywhere(run)
    senders = run(queries.SENDERS.render(ids=list(traces)))
    wanted = {owned.link.trace_id for trace in traces.values() for owned in trace.links.values()}
    wanted |= {bytes.fromhex(digits) for (digits,) in senders}
    ids = sorted(wanted - known.keys())
    if not ids:
        return {}
    listed = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": ids})
    large = _large(run, listed)
    reader = TraceReader(run, deployed=deployed)
    reader.whole(_in_traces(listed, large))
    if large:
        among = set(large)
        links = [owned.link for trace in traces.values() for owned in trace.links.values()]
        ends = {(link.trace_id, link.id) for link in links if link.trace_id in among}
        reader.ends(large, ends, list(traces))
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
    return rows_where(Sql(f"(minute, bucket, trace_id) IN ({places})", parameters))
