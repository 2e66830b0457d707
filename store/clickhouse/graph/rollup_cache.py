"""Sums of rollup slots, computed by ClickHouse and cached.

The rows of one revision of a slot never change, so a sum stays valid for as long as `window_plan` names
that revision; the plan is made anew for every map. Merges delete rows of superseded revisions: every
statement therefore counts the markers it has read, and the read fails when one is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.graph import cut_buckets, stored_buckets
from store.clickhouse.graph.cut_buckets import CutBuckets
from store.clickhouse.graph.known_graphs import KnownGraphs
from store.clickhouse.graph.known_series import KnownSeries, Series
from store.clickhouse.graph.sized_cache import SizedCache
from store.clickhouse.graph.stored_buckets import StoredBuckets
from store.clickhouse.graph.window_plan import Slot, rows_of
from store.clickhouse.queries import Sql
from store.clickhouse.units.aggregates import Aggregate, Key
from store.graph import Statistics

MOST_SLOTS = 2000
"""Slots that a statement lists individually at most."""
STEADY = 90_000_000 << 10
"""A difference of revisions (90 s): a minute whose revision is older than the newest by more will probably not
change any more. Such minutes are summed separately from those that still change."""
CAPACITY = 600_000
"""Histogram buckets in the cache at most, about 100 bytes each."""
_NO_NAMES: frozenset[str] = frozenset()

Counted = dict[Key, Aggregate]


class RollupCache:
    """An LRU cache of the sums of slots of one database, shared by threads and bounded by `CAPACITY`.

    ``stored`` and ``cut``: of minutes that windows cut, their buckets. ``graphs``: of windows that cut none.
    """

    def __init__(self, room: int = CAPACITY) -> None:
        self._known: SizedCache[frozenset[Slot], Counted] = SizedCache(room)
        self.stored: StoredBuckets = SizedCache(stored_buckets.CAPACITY)
        self.cut: CutBuckets = SizedCache(cut_buckets.CAPACITY)
        self.graphs = KnownGraphs()
        self._series = KnownSeries()

    def read(self, run: RunQuery, windows: Sequence[Sequence[Slot]]) -> list[list[Counted]] | None:
        """For each window the sums over parts of its slots, not to be modified; None when one of the slots has a new
        revision. No slot is in two windows, and all together are MOST_SLOTS at most."""
        parts_of = list(map(_parts, windows))
        found = {part: self._known.recall(part) for parts in parts_of for part in parts}
        missing = [part for part, counted in found.items() if counted is None]
        if missing:
            for part, counted in zip(missing, _fetch(run, missing, self._series), strict=True):
                if counted is None:
                    return None
                self._known.remember(part, counted, _size(counted))
                found[part] = counted
        return [
            [counted for part in parts if (counted := found[part]) is not None]
            for parts in parts_of
        ]

    def forget(self) -> None:
        """Empty the cache."""
        for cache in (self._known, self.stored, self.cut, self.graphs, self._series):
            cache.forget()


def _size(counted: Counted) -> int:
    return sum(len(aggregate.statistics.histogram) + 10 for aggregate in counted.values())


def _parts(slots: Sequence[Slot]) -> list[frozenset[Slot]]:
    """Slots grouped by how soon they are likely to change: wide ones, older minutes, recent minutes."""
    newest = max((bucket.rev for bucket in slots), default=0)
    parts: tuple[list[Slot], ...] = ([], [], [])
    for bucket in slots:
        parts[0 if bucket.width > 1 else 1 if bucket.rev < newest - STEADY else 2].append(bucket)
    return [frozenset(part) for part in parts if part]


def _fetch(
    run: RunQuery, parts: Sequence[frozenset[Slot]], known: KnownSeries
) -> list[Counted | None]:
    """The sum of each part; None for a part with a slot whose revision no longer exists."""
    slots = sorted(slot for part in parts for slot in part)
    fragments = {
        "part": Sql(_part_of(parts)),
        "slots": Sql(rows_of(slots)),
        "revisions": Sql(f"(width, bucket, rev) IN ({_listed(slots)})"),
    }
    times, sums = run_concurrently(
        run, queries.SLOT_HISTOGRAMS.render(fragments), queries.SLOT_SUMS.render(fragments)
    )
    histograms: dict[int, dict[int, int]] = dict(times)
    rows = [row for row in sums if not row[2]]
    counted: list[Counted] = [{} for _ in parts]
    seen = [0] * len(parts)
    for part, id, markers, *_ in sums:
        if markers:
            seen[part] = min(markers, len(histograms.get(id, {})))
    series = _series(run, fragments, rows, known)
    for row, each, aggregate in zip(
        rows, series, _aggregates(rows, series, histograms), strict=True
    ):
        if each is None:  # deleted between the statements, as a superseded revision is
            seen[row[0]] = 0
        else:
            counted[row[0]][each.key] = aggregate
    return [
        sum if there == len(part) else None
        for sum, there, part in zip(counted, seen, parts, strict=True)
    ]


def _series(
    run: RunQuery, fragments: Mapping[str, Sql], rows: Rows, known: KnownSeries
) -> list[Series | None]:
    """What rows of queries/graph/slot_sums.sql are of; None of those that are there no more."""
    numbers = [row[3] for row in rows]
    found = known.find(numbers)
    ids = [row[1] for row, each in zip(rows, found, strict=True) if each is None]
    if not ids:
        return found
    learnt = known.learn(run(queries.SLOT_NAMES.render(fragments, ids=ids)))
    return [each or learnt.get(number) for number, each in zip(numbers, found, strict=True)]


def _aggregates(
    rows: Rows, series: Iterable[Series | None], histograms: Mapping[int, dict[int, int]]
) -> list[Aggregate]:
    """Those in rows of queries/graph/slot_sums.sql, made column by column: by row they take Python a loop each."""
    if not rows:
        return []
    _, ids, _, _, active, start, end, minutes, *counts, deltas, failures = zip(*rows, strict=True)
    *states, observed, total_time = counts
    times = [histograms.get(id) or {} for id in ids]
    statistics = map(Statistics, *states, total_time, times, observed)
    names = [each.names if each else _NO_NAMES for each in series]
    return list(
        map(Aggregate, names, map(bool, active), start, end, minutes, statistics, deltas, failures)
    )


def _part_of(parts: Sequence[Collection[Slot]]) -> str:
    """An SQL expression for the number of the part that a row belongs to."""
    *some, _ = parts
    tests = [
        f"(width, bucket) IN ({_listed(s[:2] for s in part)}), {i}" for i, part in enumerate(some)
    ]
    number = len(parts) - 1
    return f"multiIf({', '.join(tests)}, {number})" if tests else f"{number}"


def _listed(rows: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(map(str, map(tuple, rows)))
