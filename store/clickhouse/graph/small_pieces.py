"""The units of few rows, computed in Python from whole traces.

A statement over units is prepared by some twenty others, each of which takes longer to plan than a few
hundred rows take to read. The rules are those of `store.units`, the reference of those statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
from store.clickhouse.units.aggregates import EDGE, LINK, NODE, Aggregate, Key, copy_of
from store.clickhouse.units.base_buckets import BUCKET, rows_in_buckets
from store.facts import links_among
from store.graph import Statistics
from store.model import Document, Http, NodeKey, State, TimeRange, Trace, version_of
from store.rules import histogram
from store.service_graph import count, failures_of
from store.times import MINUTE
from store.units import NodeUnit, Unit, all_units

SMALL = 3_000
"""Rows in the buckets or minutes that are read so at most: above, the statements are faster."""
NO_NODE = NodeKey("", "", "")


Visit = tuple[int, int, int]
"""A trace in a minute: the minute, the hash of the trace in `bucket_rollups`, and the weight of a unit."""
CutUnit = tuple[Key, Aggregate, list[Visit]]
"""One unit as an aggregate, with its trace."""


def read(run: RunQuery, pieces: Sequence[TimeRange]) -> list[CutUnit]:
    """Each unit that starts in pieces of minutes, in which no names of nodes are in excess.

    Documents are read before what they carry: a batch inserts its calls before them.
    """
    traces, hashes = _traces(run(_documents(_traces_in(pieces))))
    if not traces:
        return []
    ids = list(traces)
    *carried, senders = run_concurrently(run, *_carried(ids), queries.SENDERS.render(ids=ids))
    _add(traces, *carried)
    linked = {owned.link.trace_id for trace in traces.values() for owned in trace.links.values()}
    linked |= {bytes.fromhex(digits) for (digits,) in senders}
    known = {**_read_linked(run, sorted(linked - traces.keys())), **traces}
    linked_ids = links_among(known.values())
    return [
        (_key(unit), _aggregate(unit), [(unit.start // MINUTE, hashes[id], unit.weight)])
        for id, trace in traces.items()
        for unit in all_units(trace, known.get, linked_ids)
        if any(unit.start in piece for piece in pieces)
    ]


def _read_linked(run: RunQuery, ids: list[bytes]) -> dict[bytes, Trace]:
    """The traces at the other ends of links: most have none."""
    if not ids:
        return {}
    wanted = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": ids})
    traces, _ = _traces(run(_documents(wanted)))
    if traces:
        _add(traces, *run_concurrently(run, *_carried(list(traces))))
    return traces


def _documents(traces: Sql) -> Sql:
    fragments = {"traces": traces, "not_pinned_copy": Sql(NOT_PINNED_COPY)}
    return queries.UNIT_DOCUMENTS.render(fragments)


def _traces_in(pieces: Sequence[TimeRange]) -> Sql:
    """The traces with anything that starts in pieces of minutes."""
    times = " OR ".join(f"start >= {piece.start} AND start < {piece.end}" for piece in pieces)
    buckets = [
        bucket
        for piece in pieces
        for bucket in range(piece.start // BUCKET, (piece.end - 1) // BUCKET + 1)
    ]
    return queries.TRACES_IN_PIECES.render(
        {
            "rows": Sql(f"({rows_in_buckets(buckets)} AND ({times}))"),
            "not_pinned_copy": Sql(NOT_PINNED_COPY),
        }
    )


def _places(ids: list[bytes]) -> Sql:
    places = located(ids)
    return Sql(f"{places.text} AND {NOT_PINNED_COPY}", places.parameters)


def _carried(ids: list[bytes]) -> tuple[Sql, Sql]:
    """The statements that `_add` takes the rows of."""
    places = {"places": _places(ids)}
    return queries.CALLS.render(places), queries.LINKS.render(places)


def _traces(rows: Rows) -> tuple[dict[bytes, Trace], dict[bytes, int]]:
    """Traces with their documents, and the hashes by which `bucket_rollups` knows them."""
    traces: dict[bytes, Trace] = {}
    hashes: dict[bytes, int] = {}
    for row in rows:
        document = _document(row)
        id = document.trace_id
        hashes[id] = row[-1]
        trace = traces.get(id)
        if trace is None:
            trace = traces[id] = Trace(id, {}, {}, 0, 0, {})
        add_document(trace, document)
    return traces, hashes


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


def _add(traces: Mapping[bytes, Trace], calls: Rows, links: Rows) -> None:
    """Add the calls and links of traces, without those whose documents are not stored (yet)."""
    add_calls(traces, calls)
    add_links(traces, links)
    for trace in traces.values():
        for owned in (trace.calls, trace.links):
            assert isinstance(owned, dict)
            for key in [k for k, each in owned.items() if each.document_id not in trace.documents]:
                del owned[key]


Visits = dict[tuple[int, int], int]
"""The traces of a node: the least weight of each by minute and hash."""


class Counted:
    """Aggregates of units and of stored buckets, among which a trace may be in several of one minute."""

    def __init__(self) -> None:
        self.aggregates: dict[Key, Aggregate] = {}
        self._visits: dict[Key, Visits] = {}

    def add(self, key: Key, aggregate: Aggregate, visits: Iterable[Visit]) -> None:
        """Add an aggregate, and the traces of its units."""
        known = self.aggregates.get(key)
        if known is None:
            self.aggregates[key] = copy_of(aggregate)
        else:
            known.add(aggregate)
        if key[0] == NODE:
            least = self._visits.setdefault(key, {})
            for minute, trace, weight in visits:
                pair = minute, trace
                least[pair] = min(weight, least.get(pair, weight))

    def finish(self) -> dict[Key, Aggregate]:
        """The sums."""
        for key, visits in self._visits.items():
            self.aggregates[key].trace_minutes = sum(visits.values())
        return self.aggregates


def _key(unit: Unit) -> Key:
    if isinstance(unit, NodeUnit):
        return NODE, NO_NODE, unit.node
    return LINK if unit.link else EDGE, unit.source, unit.target


def _aggregate(unit: Unit) -> Aggregate:
    statistics = Statistics(histogram={})
    count(statistics, unit.state, unit.end - unit.start, unit.weight)
    names, active = set[str](), False
    delta: dict[int, int] = {}
    if isinstance(unit, NodeUnit):
        names |= unit.names
        active = unit.active
        whole = histogram.bucket(unit.last_end - unit.start)
        time = histogram.bucket(unit.end - unit.start)
        if unit.state and whole != time:
            delta = {whole: unit.weight, time: -unit.weight}
    else:
        names.add(unit.alias)
    names.discard("")
    return Aggregate(names, active, unit.start, unit.end, 0, statistics, delta, failures_of(unit))
