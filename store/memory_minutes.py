"""The reference implementation of `store.minutes.MinuteStore`, on the units of a memory store."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from hashlib import blake2b
from typing import Protocol

from store.graph import Statistics
from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NO_NODE, TimeRange, confirmed
from store.service_graph import count
from store.times import MINUTE
from store.units import NodeUnit, Unit

Counted = dict[int, dict[Series, Statistics]]
"""By minute and series."""


class _HasUnits(Protocol):
    def _units(self, window: TimeRange) -> Iterator[Unit]: ...

    def _counted(self, first: int, last: int) -> Counted: ...


class MemoryMinutes:
    """Counts of minutes. Docstrings of the protocol apply."""

    def minute_counts(self: _HasUnits, first: int, last: int) -> list[MinuteCounts]:
        """Counted anew from all units."""
        counted = self._counted(first, last)
        return [counts_of(minute, counted[minute]) for minute in sorted(counted)]

    def counted_minutes(self: _HasUnits, first: int, last: int) -> int:
        """Those with units."""
        return len(self._counted(first, last))

    def minute_series(
        self: _HasUnits, ids: Collection[int], first: int, last: int
    ) -> dict[int, Series]:
        """By their names."""
        every = {each for minute in self._counted(first, last).values() for each in minute}
        return {id: each for each in every if (id := series_id(each)) in ids}

    def _counted(self: _HasUnits, first: int, last: int) -> Counted:
        return counted_units(self._units(TimeRange(first * MINUTE, (last + 1) * MINUTE)))


def counted_units(units: Iterable[Unit]) -> Counted:
    """The statistics of units by minute and series."""
    found: Counted = {}
    for unit in units:
        minute = found.setdefault(unit.start // MINUTE, {})
        statistics = minute.setdefault(_series(unit), Statistics(histogram={}))
        count(statistics, unit.state, unit.end - unit.start, unit.weight)
    return found


def counts_of(minute: int, counted: dict[Series, Statistics]) -> MinuteCounts:
    """Statistics as columns."""
    rows = list(counted.values())
    columns = (
        [each.ok for each in rows],
        [each.error for each in rows],
        [each.throttle for each in rows],
        [each.fault for each in rows],
        [each.in_progress for each in rows],
        [each.observed for each in rows],
        [len(each.histogram) for each in rows],
    )
    times = [time for each in rows for time in each.histogram]
    weights = [weight for each in rows for weight in each.histogram.values()]
    return MinuteCounts(
        minute,
        *(array("Q", column).tobytes() for column in (map(series_id, counted), *columns)),
        *(array("f", column).tobytes() for column in (times, weights)),
    )


def series_id(series: Series) -> int:
    """A number for a series."""
    text = "\0".join((str(series.kind.value), *series.source, *series.node)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _series(unit: Unit) -> Series:
    if isinstance(unit, NodeUnit):
        kind = SeriesKind.BACKGROUND if unit.background else SeriesKind.NODE
        return Series(kind, NO_NODE, unit.node)
    kind = SeriesKind.LINKS if unit.link else SeriesKind.CALLS
    return Series(kind, confirmed(unit.source), unit.target)
