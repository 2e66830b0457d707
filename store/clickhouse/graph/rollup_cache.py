"""What was counted in slots, added up by ClickHouse and remembered.

A bucket's rows of one revision never change, so their sum is right for as long as `plan` names that
revision; that is asked anew for every map. Merges take rows away whose bucket has a newer revision:
every statement counts the markers it has read, and when one is missing says so.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence

from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.connection.sql import bind
from store.clickhouse.graph.window_plan import Slot, rows_of
from store.clickhouse.rollup.buckets import MARKER
from store.clickhouse.units.aggregates import (
    KEY,
    SUMMED_BUT_TIMES,
    Aggregate,
    Key,
    collect,
    copy_of,
)

MOST_SLOTS = 2000
"""Slots that are named in a statement one by one."""
STEADY = 90_000_000 << 10
"""Revisions: a minute that was not counted again for so long before the newest count (90 s) probably
will not be. Minutes like it are added up apart from those that still change."""
CAPACITY = 600_000
"""Buckets of histograms that are remembered, some 100 bytes each."""

# Places: `part`, which of several sums a row belongs to; `slots`, ranges of the key; `held`, slots
# and revisions. Markers have no key: they make a row of their own.
_ID = f"cityHash64(:part, kind, {KEY})"
_WHERE = f"WHERE kind IN (0, 1, 2, {MARKER}) AND :slots AND :held"
_SUMS = f"""
SELECT :part AS part, {_ID} AS id, uniqExactIf((width, bucket), kind = {MARKER}) AS markers,
       kind, {KEY}, {SUMMED_BUT_TIMES} FROM rollups {_WHERE}
GROUP BY part, kind, {KEY}
"""
# Apart, at the same time: adding up maps takes most of it. A marker counts itself.
_TIMES = f"""
SELECT id, sumMap(times) FROM (
    SELECT {_ID} AS id, if(kind = {MARKER}, map(toUInt64(bucket) * 64 + width, toUInt64(1)), histogram) AS times
    FROM rollups {_WHERE}
)
GROUP BY id
"""

Counted = dict[Key, Aggregate]


class RollupCache:
    """Sums of slots of one database, shared by threads. Bounded: what was not asked for longest goes."""

    def __init__(self, room: int = CAPACITY) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._known: OrderedDict[frozenset[Slot], tuple[int, Counted]] = OrderedDict()
        self._size = 0

    def read(self, ask: RunQuery, slots: Sequence[Slot]) -> Counted | None:
        """What was counted in slots (MOST_SLOTS at most), the caller's to change; None when one of
        them has been counted anew."""
        parts = _parts(slots)
        found = {part: self._recall(part) for part in parts}
        missing = [part for part, counted in found.items() if counted is None]
        if missing:
            for part, counted in zip(missing, _ask(ask, missing), strict=True):
                if counted is None:
                    return None
                self._remember(part, counted)
                found[part] = counted
        return _together([counted for counted in found.values() if counted is not None])

    def forget(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._known.clear()
            self._size = 0

    def _recall(self, part: frozenset[Slot]) -> Counted | None:
        with self._lock:
            if part not in self._known:
                return None
            self._known.move_to_end(part)
            return self._known[part][1]

    def _remember(self, part: frozenset[Slot], counted: Counted) -> None:
        size = sum(len(tally.statistics.histogram) + 10 for tally in counted.values())
        with self._lock:
            if part in self._known or size > self._room:
                return
            self._known[part] = size, counted
            self._size += size
            while self._size > self._room:
                _, (freed, _) = self._known.popitem(last=False)
                self._size -= freed


def _parts(slots: Sequence[Slot]) -> list[frozenset[Slot]]:
    """Slots by how long they are likely to stay as they are: wide ones, minutes, new minutes."""
    newest = max((bucket.rev for bucket in slots), default=0)
    parts: tuple[list[Slot], ...] = ([], [], [])
    for bucket in slots:
        parts[0 if bucket.width > 1 else 1 if bucket.rev < newest - STEADY else 2].append(bucket)
    return [frozenset(part) for part in parts if part]


def _ask(ask: RunQuery, parts: Sequence[frozenset[Slot]]) -> list[Counted | None]:
    """The sum of each part; None for one of which not all slots are there any more."""
    places: dict[str, str | int] = {
        "part": _part_of(parts),
        "slots": rows_of(sorted(bucket for part in parts for bucket in part)),
        "held": f"(width, bucket, rev) IN ({_listed(bucket for part in parts for bucket in part)})",
    }
    times, rollup_cache = run_concurrently(ask, bind(_TIMES, **places), bind(_SUMS, **places))
    histograms: dict[int, dict[int, int]] = dict(times)
    counted: list[Counted] = [{} for _ in parts]
    seen = [0] * len(parts)
    rows: list[Rows] = [[] for _ in parts]
    for part, id, markers, kind, *columns in rollup_cache:
        histogram = histograms.pop(id, {})
        if kind == MARKER:
            seen[part] = min(markers, len(histogram))
        else:
            rows[part].append((kind, *columns[:-3], histogram, *columns[-2:]))
    for into, of_part in zip(counted, rows, strict=True):
        collect(of_part, into)
    return [
        sum if there == len(part) else None
        for sum, there, part in zip(counted, seen, parts, strict=True)
    ]


def _part_of(parts: Sequence[Collection[Slot]]) -> str:
    """An expression: which of the parts a row belongs to."""
    *some, _ = parts
    tests = [
        f"(width, bucket) IN ({_listed(s[:2] for s in part)}), {i}" for i, part in enumerate(some)
    ]
    number = len(parts) - 1
    return f"multiIf({', '.join(tests)}, {number})" if tests else f"{number}"


def _listed(rows: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(map(str, map(tuple, rows)))


def _together(parts: list[Counted]) -> Counted:
    """The sum of all, in new objects."""
    parts.sort(key=len, reverse=True)
    total: Counted = {}
    for part in parts:
        for key, tally in part.items():
            known = total.get(key)
            if known is None:
                total[key] = copy_of(tally)
            else:
                known.add(tally)
    return total
