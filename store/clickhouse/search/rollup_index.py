"""Rollups as an index: the minutes of a window in which units of a term of a filter may start.

Rollups say of each minute, and of wider slots of minutes, which nodes and edges had units in which
states. What they may not know yet is not excluded: minutes without a current version, dirty buckets
and all that these may change, pinned copies, and times whose rows may have begun to expire, of which
late rows are not counted. So a search reads fewer minutes and finds the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.pins import PINNED_COPY
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.queries.registry import numbers_in
from store.clickhouse.schema.retention import DEFAULTS
from store.times import DAY, MINUTE, SECOND

Minutes = tuple[int, int]
"""The first and the last of some consecutive minutes."""

LEVELS = (60, 10, 1)
"""Minutes per slot, from one turn to the next: only what a wide slot does not exclude is looked at closer."""
MOMENT = 120 * SECOND
"""Microseconds after a count in which a replica may not have its result."""
MOST_UNSETTLED = 1000
"""Minutes with more, and the rollups are too far behind to be of use."""
ENOUGH = 1000
"""Minutes with units after which older ones are not looked for."""
FIRST_SLOTS, GROWTH = 24, 8
"""Of the widest slots so many are looked at closer first, and so many times as many in each further turn."""
LISTED = 60
"""Consecutive minutes up to which each is listed."""


class Settled(NamedTuple):
    """What rollups tell: all about minutes from ``since`` on but for those ``unsettled``."""

    since: int
    unsettled: frozenset[int]


class IndexedMinutes(NamedTuple):
    """The minutes in which units may start; nothing is said about minutes before ``reach``."""

    ranges: Sequence[Minutes]
    reach: int

    @property
    def condition(self) -> Sql:
        """On rows that start then."""
        listed = [range(a, b + 1) for a, b in self.ranges if b - a < LISTED]
        parts = [f"minute BETWEEN {a} AND {b}" for a, b in self.ranges if b - a >= LISTED]
        if listed:
            minutes = ", ".join(str(minute) for each in listed for minute in each)
            parts.append(f"minute IN ({minutes})")
        return parenthesized(joined(" OR ", map(Sql, parts))) if parts else Sql("0")


def settled(run: RunQuery) -> Settled | None:
    """What rollups tell now; None if they are of no use. Rows that are stored later may be missing."""
    dirty, days = run_concurrently(
        run,
        queries.UNSETTLED_MINUTES.render({"pinned_copy": Sql(PINNED_COPY)}, moment=MOMENT),
        "SELECT value FROM settings FINAL WHERE name = 'retention.traces'",
    )
    minutes = {minute for (minute,) in dirty}
    if len(minutes) > MOST_UNSETTLED:
        return None
    if minutes:
        listed = numbers_in("minute", sorted(minutes))
        related = queries.MINUTES_OF_TRACES.render({"minutes": listed})
        minutes.update(minute for (minute,) in run(related))
    retained = int(days[0][0]) if days else DEFAULTS["traces"]
    since = time.time_ns() // 1000 - (retained - 1) * DAY
    return Settled(max(0, since // MINUTE), frozenset(minutes))


def indexed_minutes(run: RunQuery, units: Sql, known: Settled, window: Minutes) -> IndexedMinutes:
    """The minutes of a window with units that meet a condition on rows of `rollups`, as far as is known."""
    first, last = window
    start = max(first, known.since)
    unsettled = {(minute, minute) for minute in known.unsettled if first <= minute <= last}
    always = [*unsettled, *([(first, min(last, start - 1))] if start > first else [])]
    hour = LEVELS[0]
    low = start // hour * hour
    hours = _verdicts(run, units, hour, Sql(f"bucket BETWEEN {low} AND {last}"))
    found = list(_gaps(sorted(hours), low, last, hour))
    slots = sorted((slot for slot, verdict in hours.items() if verdict), reverse=True)
    hits, size = 0, FIRST_SLOTS
    while slots and hits < ENOUGH:
        turn, slots = slots[:size], slots[size:]
        for wide, width in pairwise(LEVELS):
            parts = [part for slot in turn for part in range(slot, slot + wide, width)]
            verdicts = _verdicts(run, units, width, numbers_in("bucket", parts)) if parts else {}
            found += [(part, part + width - 1) for part in parts if part not in verdicts]
            turn = [part for part in parts if verdicts.get(part)]
        found += [(minute, minute) for minute in turn]
        hits, size = hits + len(turn), size * GROWTH
    reach = slots[0] + hour if slots else 0
    return IndexedMinutes(_united([*always, *found], max(first, reach), last), reach)


def _verdicts(run: RunQuery, units: Sql, width: int, slots: Sql) -> dict[int, int]:
    """What is known of slots: 0 without such units, else to be looked at closer; others were never counted."""
    statement = queries.ROLLED_UP_SLOTS.render({"slots": slots, "units": units}, width=width)
    return dict(run(statement))


def _gaps(slots: Iterable[int], first: int, last: int, width: int) -> Iterator[Minutes]:
    """The minutes between and around slots, which are in order."""
    for slot in slots:
        if slot > first:
            yield first, slot - 1
        first = slot + width
    if first <= last:
        yield first, last


def _united(ranges: Iterable[Minutes], first: int, last: int) -> list[Minutes]:
    """The union of some ranges within others, in order."""
    united: list[Minutes] = []
    for start, end in sorted(ranges):
        start, end = max(start, first), min(end, last)
        if start > end:
            continue
        if united and start <= united[-1][1] + 1:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united
