"""What several cells answer, as one answer. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from msgspec.structs import replace

from store.clickhouse.search.get_traces import Copy, add_copy
from store.cursor import decode_cursor, encode_cursor
from store.document_values import value_text
from store.filters.ast import Value
from store.graph import Statistics, add_statistics
from store.minutes import MinuteCounts
from store.model import TimeRange, Trace
from store.query import (
    MOST_VERSIONS,
    OTHER_VERSIONS,
    Backlog,
    EntryTime,
    Page,
    SeenOperation,
    TimeBucket,
    TraceHit,
    UnitPage,
    UnitTrace,
    ValueCount,
    VersionStatistics,
)
from store.times import MINUTE

Hit = TypeVar("Hit", TraceHit, UnitTrace)
K = TypeVar("K", bound=Hashable)


def merged_pages(pages: Sequence[Page], limit: int) -> Page:
    """One page of traces."""
    found, cursor = _merged([(page.found, page.cursor) for page in pages], limit)
    shown = {hit.trace_id for hit in found}
    return Page(
        found,
        sum(page.scanned for page in pages),
        cursor,
        {id: trace for page in pages for id, trace in page.traces.items() if id in shown},
        any(page.linked for page in pages),
    )


def merged_unit_pages(pages: Sequence[UnitPage], limit: int) -> UnitPage:
    """One page of traces with units."""
    found, cursor = _merged([(page.found, page.cursor) for page in pages], limit)
    shown = {hit.trace_id for hit in found}
    traces = {id: trace for page in pages for id, trace in page.traces.items() if id in shown}
    return UnitPage(found, cursor, traces)


def _merged(
    pages: Iterable[tuple[list[Hit], str | None]], limit: int
) -> tuple[list[Hit], str | None]:
    """The newest hits, and where they end: at the limit, or where a cell has said nothing of what is older."""
    pages = list(pages)
    bound = max((place for _, cursor in pages if (place := decode_cursor(cursor))), default=None)
    hits = sorted(
        chain.from_iterable(found for found, _ in pages),
        key=lambda hit: (hit.time, hit.trace_id),
        reverse=True,
    )
    known = [hit for hit in hits if bound is None or (hit.time, hit.trace_id) >= bound]
    if len(known) > limit:
        last = known[limit - 1]
        return known[:limit], encode_cursor(last.time, last.trace_id)
    return known, encode_cursor(*bound) if bound else None


def traces(parts: Iterable[Mapping[bytes, Trace]]) -> dict[bytes, Trace]:
    """Whole traces: two cells may have parts of one that was under way when an epoch began."""
    found: dict[bytes, Trace] = {}
    for part in parts:
        for id, trace in part.items():
            found[id] = joined_trace(found[id], trace) if id in found else trace
    return found


def joined_trace(one: Trace, other: Trace) -> Trace:
    """All that both have; of copies the newer ones."""
    return Trace(
        one.trace_id,
        _copies(one.documents, other.documents),
        _copies(one.calls, other.calls),
        max(one.updated, other.updated),
        one.revision + other.revision,
        _copies(one.links, other.links),
        one.caused | other.caused,
    )


def _copies(one: Mapping[K, Copy], other: Mapping[K, Copy]) -> dict[K, Copy]:
    found = dict(one)
    for key, copy in other.items():
        add_copy(found, key, copy)
    return found


def entry_times(parts: Iterable[Mapping[bytes, EntryTime]]) -> dict[bytes, EntryTime]:
    """That of the earliest entry."""
    found: dict[bytes, EntryTime] = {}
    for part in parts:
        for id, time in part.items():
            found[id] = min(found.get(id, time), time)
    return found


def ranked(parts: Iterable[Sequence[ValueCount]], limit: int) -> list[ValueCount]:
    """The most frequent values."""
    total: dict[tuple[str, Value], int] = defaultdict(int)
    values = {}
    for value, traces in chain.from_iterable(parts):
        key = value_text(value), value
        values[key] = value
        total[key] += traces
    ordered = sorted(total.items(), key=lambda each: (-each[1], each[0][0]))
    return [ValueCount(values[key], traces) for key, traces in ordered[:limit]]


def seen_operations(parts: Iterable[Sequence[SeenOperation]], limit: int) -> list[SeenOperation]:
    """Each operation once, by name."""
    found: dict[tuple[str, int], SeenOperation] = {}
    for each in chain.from_iterable(parts):
        known = found.get((each.name, each.kind))
        if known is None or known.seen < each.seen:
            found[each.name, each.kind] = each
    return [found[key] for key in sorted(found)][:limit]


def summed(parts: Iterable[Mapping[K, Statistics]]) -> dict[K, Statistics]:
    """Statistics of the same key together."""
    total: dict[K, Statistics] = {}
    for part in parts:
        for key, statistics in part.items():
            known = total.get(key)
            if known is None:
                total[key] = replace(statistics, histogram=dict(statistics.histogram))
            else:
                add_statistics(known, statistics)
    return total


def most_frequent(
    parts: Iterable[Mapping[str, Statistics]], most: int, others: str
) -> dict[str, Statistics]:
    """Statistics by name: those with the most units, and the rest together."""
    total = summed(parts)
    ordered = sorted(total.keys() - {others}, key=lambda name: (-total[name].observed, name))
    apart = set(ordered[:most])
    return summed({name if name in apart else others: each} for name, each in total.items())


def series(parts: Iterable[Sequence[TimeBucket]]) -> list[TimeBucket]:
    """The steps of several series together."""
    total = summed(dict(part) for part in parts)
    return [TimeBucket(start, total[start]) for start in sorted(total)]


def versions(parts: Sequence[Mapping[str, VersionStatistics]]) -> dict[str, VersionStatistics]:
    """The statistics of each version; of very many those with the most segments apart."""
    found = _by_version([(version, each) for part in parts for version, each in part.items()])
    apart = sorted(
        found.keys() - {OTHER_VERSIONS}, key=lambda version: -found[version].statistics.observed
    )[:MOST_VERSIONS]
    return _by_version([(v if v in apart else OTHER_VERSIONS, each) for v, each in found.items()])


def _by_version(
    parts: Iterable[tuple[str, VersionStatistics]],
) -> dict[str, VersionStatistics]:
    parts = list(parts)
    total = summed({version: each.statistics} for version, each in parts)
    return {
        version: VersionStatistics(
            min(each.first for name, each in parts if name == version),
            max(each.last for name, each in parts if name == version),
            statistics,
        )
        for version, statistics in total.items()
    }


def minute_counts(parts: Iterable[Sequence[MinuteCounts]]) -> list[MinuteCounts]:
    """The rows of each minute: a series may have several."""
    by_minute: dict[int, list[MinuteCounts]] = defaultdict(list)
    for each in chain.from_iterable(parts):
        by_minute[each.minute].append(each)
    return [
        MinuteCounts(minute, *map(b"".join, zip(*(each[1:] for each in found), strict=True)))
        for minute, found in sorted(by_minute.items())
    ]


def backlog(parts: Iterable[Backlog | None], window: TimeRange) -> Backlog | None:
    """What is missing of all: minutes that lack something in two cells count twice, but never more than the window has."""
    waiting = [each for each in parts if each is not None]
    if not waiting:
        return None
    most = max(1, -(-window.end // MINUTE) - window.start // MINUTE)
    return Backlog(
        min(most, sum(each.minutes for each in waiting)),
        min(each.start for each in waiting),
        min(each.since for each in waiting),
    )
