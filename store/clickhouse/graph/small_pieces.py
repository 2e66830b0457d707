"""The units of few rows, computed in Python from whole traces.

A statement over units is prepared by some twenty others, each of which takes longer to plan than a few
hundred rows take to read. The rules are those of `store.units`, the reference of those statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.get_traces import add_calls, add_documents, add_links, located
from store.clickhouse.units.aggregates import EDGE, LINK, NODE, Aggregate, Key
from store.clickhouse.units.base_buckets import BUCKET, rows_in_buckets
from store.graph import Statistics
from store.model import NodeKey, State, TimeRange, Trace
from store.rules import histogram
from store.service_graph import count
from store.times import MINUTE
from store.units import NodeUnit, Unit, all_units, links_among

SMALL = 3_000
"""Rows in the buckets or minutes that are read so at most: above, the statements are faster."""
NO_NODE = NodeKey("", "", "")


Visit = tuple[int, int, int]
"""A trace in a minute: the minute, the hash of the trace in `bucket_rollups`, and the weight of a unit."""


def read(
    run: RunQuery, pieces: Sequence[TimeRange], beside: Sql | None = None
) -> tuple[list[tuple[Key, Aggregate, list[Visit]]], Rows]:
    """Each unit that starts in pieces of minutes, in which no names of nodes are in excess.

    The rows of a statement ``beside``, which is run at the same time, are returned, too.
    """
    found, *others = run_concurrently(run, _traces_in(pieces), *([beside] if beside else []))
    hashes = {bytes.fromhex(digits): number for digits, number in found}
    traces, linked = _read(run, list(hashes), linked=True)
    senders = {trace_id for trace_id, sends in linked if sends}
    around, _ = _read(run, sorted({trace_id for trace_id, _ in linked} - traces.keys()))
    known = around | traces
    linked_ids = links_among(
        known[trace_id] for trace_id in senders | traces.keys() if trace_id in known
    )
    units = [
        (_key(unit), _aggregate(unit), [(unit.start // MINUTE, hashes[id], unit.weight)])
        for id, trace in traces.items()
        for unit in all_units(trace, known.get, linked_ids)
        if any(unit.start in piece for piece in pieces)
    ]
    return units, others[0] if others else []


def _traces_in(pieces: Sequence[TimeRange]) -> Sql:
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


def _linked(ids: list[bytes]) -> Sql:
    return queries.LINKED_TRACES.render(
        {"places": _places(ids), "not_pinned_copy": Sql(NOT_PINNED_COPY)}, ids=ids
    )


def _places(ids: list[bytes]) -> Sql:
    places = located(ids)
    return Sql(f"{places.text} AND {NOT_PINNED_COPY}", places.parameters)


def _read(
    run: RunQuery, ids: list[bytes], *, linked: bool = False
) -> tuple[dict[bytes, Trace], list[tuple[bytes, bool]]]:
    """Traces without pinned copies, and without calls and links whose documents are not stored (yet).

    Documents are read first: a batch inserts its calls before them. ``linked``: also which traces are at
    the other ends of links, and whether a link from there leads to one of these.
    """
    if not ids:
        return {}, []
    places = {"places": _places(ids)}
    traces = {id: Trace(id, {}, {}, 0, 0, {}) for id in ids}
    add_documents(traces, run(queries.SEGMENTS.render(places)), {})
    calls, links, *ends = run_concurrently(
        run,
        queries.CALLS.render(places),
        queries.LINKS.render(places),
        *([_linked(ids)] if linked else []),
    )
    add_calls(traces, calls)
    add_links(traces, links)
    for trace in traces.values():
        for owned in (trace.calls, trace.links):
            assert isinstance(owned, dict)
            for key in [k for k, each in owned.items() if each.document_id not in trace.documents]:
                del owned[key]
    stored = {id: trace for id, trace in traces.items() if trace.documents}
    return stored, [(bytes.fromhex(digits), bool(sends)) for digits, sends in chain(*ends)]


Visits = dict[tuple[int, int], int]
"""The traces of a node: the least weight of each by minute and hash."""


class Counted:
    """Aggregates of units and of stored buckets, among which a trace may be in several of one minute."""

    def __init__(self) -> None:
        self.aggregates: dict[Key, Aggregate] = {}
        self._visits: dict[Key, Visits] = {}

    def add(self, key: Key, aggregate: Aggregate, visits: Iterable[Visit]) -> None:
        """Add an aggregate, and the traces of its units."""
        known = self.aggregates.setdefault(key, aggregate)
        if known is not aggregate:
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
    failed = unit.state > State.OK
    failures = {f"{int(unit.state)}:{unit.label}": unit.weight} if failed else {}
    return Aggregate(names - {""}, active, unit.start, unit.end, 0, statistics, delta, failures)
