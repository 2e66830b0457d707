"""Units of whole traces as aggregates, and their sums."""

from __future__ import annotations

from collections.abc import Iterable

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
from store.graph import Statistics
from store.model import NO_NODE
from store.rules import histogram
from store.service_graph import count, failures_of
from store.times import MINUTE
from store.units import NodeUnit, Unit

Visit = tuple[int, int, int]
"""A trace in a minute: the minute, the hash of the trace in `bucket_rollups`, and the weight of a unit."""
CutUnit = tuple[Key, Aggregate, list[Visit]]
"""One unit as an aggregate, with its trace."""


def cut_unit(unit: Unit, trace: int) -> CutUnit:
    """A unit of the trace with this hash as an aggregate."""
    return _key(unit), _aggregate(unit), [(unit.start // MINUTE, trace, unit.weight)]


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
        """The traces of a node within one minute, as hashes with the least weight of each."""
        return sorted((trace, least) for (_, trace), least in self._visits.get(key, {}).items())

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
        if unit.state.ended and whole != time:
            delta = {whole: unit.weight, time: -unit.weight}
    else:
        names.add(unit.alias)
    names.discard("")
    return Aggregate(
        frozenset(names), active, unit.start, unit.end, 0, statistics, delta, failures_of(unit)
    )
