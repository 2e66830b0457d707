"""The units of few rows, computed in Python from whole traces.

A statement over units is prepared by some ten others, each of which takes longer to plan than a few
hundred rows take to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.units.aggregates import (
    BACKGROUND,
    EDGE,
    LINK,
    NODE,
    NODES,
    Aggregate,
    Key,
    copy_of,
    name_in_row,
)
from store.clickhouse.units.base_buckets import buckets_within, rows_in_buckets
from store.clickhouse.units.whole_traces import read_whole
from store.graph import Statistics
from store.model import NodeKey, TimeRange
from store.rules import histogram
from store.service_graph import count, failures_of
from store.times import MINUTE
from store.units import NodeUnit, Unit

SMALL = 3_000
"""Rows in the buckets or minutes that are read so at most: above, the statements are faster."""
NO_NODE = NodeKey("", "", "")


Visit = tuple[int, int, int]
"""A trace in a minute: the minute, the hash of the trace in `bucket_rollups`, and the weight of a unit."""
CutUnit = tuple[Key, Aggregate, list[Visit]]
"""One unit as an aggregate, with its trace."""


def read(run: RunQuery, pieces: Sequence[TimeRange]) -> list[CutUnit]:
    """Each unit that starts in pieces of minutes, in which no names of nodes are in excess."""
    here = _starting_in(pieces)
    traces = queries.TRACES_IN_PIECES.render(
        {"rows": Sql(here), "not_pinned_copy": Sql(NOT_PINNED_COPY)}
    )
    return [
        cut_unit(unit, trace)
        for trace, unit in read_whole(run, traces, here).units()
        if any(unit.start in piece for piece in pieces)
    ]


def cut_unit(unit: Unit, trace: int) -> CutUnit:
    """A unit of the trace with this hash as an aggregate."""
    return _key(unit), _aggregate(unit), [(unit.start // MINUTE, trace, unit.weight)]


def _starting_in(pieces: Sequence[TimeRange]) -> str:
    """A condition on rows: those that start in pieces of minutes."""
    times = " OR ".join(f"start >= {piece.start} AND start < {piece.end}" for piece in pieces)
    return f"({rows_in_buckets(buckets_within(pieces))} AND ({times}))"


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
        if key[0] in NODES:
            least = self._visits.setdefault(key, {})
            for minute, trace, weight in visits:
                pair = minute, trace
                least[pair] = min(weight, least.get(pair, weight))

    def traces(self, key: Key) -> list[tuple[int, int]]:
        """The traces of a node, as hashes with the least weight of each."""
        least: dict[int, int] = {}
        for (_, trace), weight in self._visits.get(key, {}).items():
            least[trace] = min(weight, least.get(trace, weight))
        return sorted(least.items())

    def finish(self) -> dict[Key, Aggregate]:
        """The sums."""
        for key, visits in self._visits.items():
            self.aggregates[key].trace_minutes = sum(visits.values())
        return self.aggregates


def _key(unit: Unit) -> Key:
    if isinstance(unit, NodeUnit):
        return BACKGROUND if unit.background else NODE, NO_NODE, unit.node
    return LINK if unit.link else EDGE, unit.source, unit.target


def _aggregate(unit: Unit) -> Aggregate:
    statistics = Statistics(histogram={})
    count(statistics, unit.state, unit.end - unit.start, unit.weight)
    names, active = set[str](), False
    delta: dict[int, int] = {}
    if isinstance(unit, NodeUnit):
        names.add(name_in_row(unit))
        active = unit.active
        whole = histogram.bucket(unit.last_end - unit.start)
        time = histogram.bucket(unit.end - unit.start)
        if unit.state and whole != time:
            delta = {whole: unit.weight, time: -unit.weight}
    else:
        names.add(unit.alias)
    names.discard("")
    return Aggregate(names, active, unit.start, unit.end, 0, statistics, delta, failures_of(unit))
