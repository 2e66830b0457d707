"""Counting minutes: from rows to the table `rollups`, and which minutes are due.

A minute is counted whole, from the rows, as often as rows arrive that matter to it; nothing is ever
added to a count. Any number of processes may count the same minute at the same time: the newest
marker decides (migrations/0003_rollups.sql). What a row changes elsewhere is found from `dependent`
and from the places of its trace (`store.clickhouse.partners`), and marked in `dirty`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import NamedTuple

from store.clickhouse import kinship, partners
from store.clickhouse.asker import Ask, Rows
from store.clickhouse.partners import in_minutes
from store.clickhouse.pins import LIVE
from store.clickhouse.tally import (
    COLUMNS,
    COLUMNS_COUNTED,
    COUNT,
    KEY,
    KEY_COUNTED,
    MINUTE_OF,
    SUMMED,
)

MARKER = 255
WIDTHS = (60, 10, 5)
"""Minutes of the wide slots, added up from minutes that have been quiet for a while."""
SETTLE = 60_000_000
"""Microseconds after which whatever was being inserted is visible, or never will be."""
QUIET = 120_000_000
"""Microseconds without a new count after which minutes are added up to wider slots."""
DAY = 86_400
CHUNK_ROWS = 4_000_000
CHUNK_MINUTES = 500
LONG = 200_000
"""Rows of a minute that take so long to be counted that it is done apart from others."""

_DUE = """
SELECT d.minute, d.rows, intDiv(r.rev, 1024) AS seen, seen > arrived + :guard AND seen >= related
FROM (
    SELECT minute, max(arrived) AS arrived, max(related) AS related, max(confirm) AS confirm,
           sum(rows) AS rows
    FROM dirty GROUP BY minute
) AS d
LEFT JOIN (
    SELECT slot, max(rev) AS rev FROM rollups WHERE width = 1 AND kind = 255 GROUP BY slot
) AS r ON d.minute = r.slot
WHERE seen <= arrived + :guard OR (seen < related) OR (seen < confirm AND confirm <= toUnixTimestamp64Micro(now64(6)))
ORDER BY d.minute DESC
"""
_COUNTS = f"""
SELECT minute, count(), min(received), min(start), max(start), max(weight) FROM (
    SELECT minute, received, start, weight FROM segments WHERE :minutes AND {LIVE}
    UNION ALL SELECT minute, received, start, weight FROM calls WHERE :minutes AND {LIVE}
    UNION ALL SELECT minute, received, start, weight FROM links WHERE :minutes AND {LIVE}
) GROUP BY minute
"""
_MARKERS = """
SELECT slot, max(rev), argMax(rows, rev), argMax(oldest, rev) FROM rollups
WHERE width = 1 AND kind = 255 AND :slots GROUP BY slot
"""
# One part, so that whoever sees a marker sees all that came with it.
_AT_ONCE = (
    "SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, "
    "max_insert_threads = 1"
)
# The rows of some minutes once more, under a new revision.
_KEEP = f"""
INSERT INTO rollups {_AT_ONCE} SELECT * REPLACE (:rev AS rev) FROM rollups AS r
WHERE width = 1 AND :slots AND (slot, r.rev) IN (
    SELECT slot, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND :slots GROUP BY slot
)
"""
# Wide slots are out of date, said once more: of what was being added up meanwhile.
_REOPEN = f"""
INSERT INTO rollups (width, kind, slot, rows, rev) SELECT width, {MARKER}, slot, rows, :rev
FROM VALUES('width UInt16, slot UInt32, rows UInt64', :wides)
"""
_PARTS = """
SELECT width, slot, argMax(rows, rev) FROM rollups
WHERE width > 1 AND kind = 255 AND (width, slot) IN (:wides) GROUP BY width, slot
"""
# A wide slot as it was added up last, under a new revision.
_KEEP_WIDE = f"""
INSERT INTO rollups {_AT_ONCE} SELECT * REPLACE (:rev AS rev) FROM rollups AS r
WHERE width = :width AND kind < 255 AND slot IN (:wides) AND (slot, r.rev) IN (
    SELECT slot, max(rev) FROM rollups WHERE width = :width AND kind < 255 GROUP BY slot
)
UNION ALL
SELECT * REPLACE (1 AS built, :rev AS rev) FROM rollups FINAL
WHERE width = :width AND kind = {MARKER} AND slot IN (:wides)
"""
_NOTE = "INSERT INTO dependent (trace_id, minute) SELECT trace_id, minute FROM strays"
_PREFIX = f"width, kind, slot, {KEY}, {COLUMNS}, built, rows, oldest, rev"
_IN_FRONT = "toUInt16({}) AS width_"
_BEHIND = (
    "toUInt8({}) AS built_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, :rev AS rev_"
)
_NOTHING = (
    "0, 0, 0, 0, 0, 0, 0, 0, CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), "
    "CAST(map(), 'Map(String, UInt64)')"
)
_ROLL = f"""
INSERT INTO rollups ({_PREFIX}) {_AT_ONCE}
SELECT {_IN_FRONT.format(1)}, kind, slot, {KEY_COUNTED}, {COLUMNS_COUNTED}, {_BEHIND.format(1)}
FROM ({COUNT})
UNION ALL
SELECT width, {MARKER}, slot, '', '', '', '', '', '', [], 0, low, high, {_NOTHING},
       width = 1, rows, toDateTime(oldest), :rev
FROM VALUES('width UInt16, slot UInt32, low Int64, high Int64, rows UInt64, oldest UInt32', :markers)
"""
# Traces with rows here and units elsewhere: when the newest of those rows came, by other minute.
_ELSEWHERE = """
SELECT minute, max(inserted) FROM (
    SELECT trace_id, max(inserted) AS inserted FROM (
        SELECT trace_id, inserted FROM segments
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM far)
        UNION ALL
        SELECT trace_id, inserted FROM calls
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM far)
    ) GROUP BY trace_id
) AS came
INNER JOIN (
    SELECT trace_id, minute FROM places
    UNION ALL
    SELECT trace_id, minute FROM dependent WHERE trace_id IN (SELECT trace_id FROM far)
) AS lies ON came.trace_id = lies.trace_id
WHERE NOT :minutes
GROUP BY minute
"""
# With the minutes each was added up from last, and those there are.
_QUIET_SLOTS = """
SELECT slot, had, have FROM (
    SELECT slot, argMax(built, rev) AS whole, argMax(rows, rev) AS had, max(rev) AS newest
    FROM rollups WHERE width = :width AND kind = 255 GROUP BY slot
) AS wide
LEFT JOIN (
    SELECT intDiv(slot, :width) * :width AS slot, uniqExact(rollups.slot) AS have
    FROM rollups WHERE width = 1 AND kind = 255 GROUP BY slot
) AS narrow USING slot
WHERE whole = 0 AND intDiv(newest, 1024) < :before AND (slot + :width) * 60000000 < :before
ORDER BY slot DESC LIMIT 200
"""
_WIDEN = f"""
INSERT INTO rollups ({_PREFIX}) {_AT_ONCE}
SELECT {_IN_FRONT.format(":width")}, kind, wide, {KEY}, {COLUMNS_COUNTED}, {_BEHIND.format(1)}
FROM (
    SELECT kind, intDiv(slot, :width) * :width AS wide, {KEY}, {SUMMED}
    FROM rollups
    WHERE width = 1 AND kind < 255 AND :slots AND (slot, rev) IN (
        SELECT slot, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND :slots GROUP BY slot
    )
    GROUP BY kind, wide, {KEY}
)
UNION ALL
SELECT toUInt16(:width), {MARKER}, slot, '', '', '', '', '', '', [], 0, 0, 0, {_NOTHING},
       1, rows, toDateTime(0), :rev
FROM VALUES('slot UInt32, rows UInt64', :wides)
"""


class Due(NamedTuple):
    """A minute to be counted: its rows, roughly, when it was counted last (microseconds), and whether
    only to confirm that."""

    minute: int
    rows: int
    seen: int
    confirming: int = 0


def due(ask: Ask, *, guard: int = 0) -> list[Due]:
    """Minutes whose count may be out of date, the newest first.

    ``guard``: microseconds for which a minute is counted anew though no further row came.
    """
    return read_due(ask(due_statement(guard=guard)))


def due_statement(*, guard: int = 0) -> str:
    """What `due` asks."""
    return partners.bind(_DUE, guard=guard)


def read_due(rows: Rows) -> list[Due]:
    """What the answer says."""
    return [Due(*row) for row in rows]


def now(ask: Ask) -> int:
    """The database's clock, microseconds since the epoch."""
    ((instant,),) = ask("SELECT toUnixTimestamp64Micro(now64(6))")
    return int(instant)


def chunks(minutes: Sequence[Due]) -> list[list[int]]:
    """Minutes to be counted together: so many that they fit into memory, and long ones alone, since
    people wait for the newest."""
    parts: list[list[int]] = []
    room = 0
    for minute, rows, *_ in minutes:
        if not parts or rows > min(room, LONG) or len(parts[-1]) >= CHUNK_MINUTES:
            parts.append([])
            room = CHUNK_ROWS if rows <= LONG else 0
        parts[-1].append(minute)
        room -= rows
    return parts


def in_turn(minutes: Sequence[Due]) -> list[list[int]]:
    """The chunks of what is due: with the newest minute first, then those with something new before
    those that are only confirmed, of each the one that was counted longest ago: who stops early leaves
    out none for ever."""
    place = {minute: (confirming, seen) for minute, _, seen, confirming in minutes}
    first, *others = chunks(minutes) or [[]]
    return [first, *sorted(others, key=lambda part: min(place[minute] for minute in part))]


def roll(ask: Ask, minutes: Collection[int]) -> None:
    """Count minutes, and mark those elsewhere that their rows have changed.

    A minute whose rows have begun to expire keeps its count.
    """
    instant = now(ask)
    rev = _revision(instant)
    inside = in_minutes(minutes)
    counted = {m: rest for m, *rest in ask(partners.bind(_COUNTS, minutes=inside))}
    before = {m: rest for m, *rest in ask(partners.bind(_MARKERS, slots=_slots(minutes)))}
    markers, live, expired = [], [], []
    for minute in sorted(minutes):
        rows, oldest, low, high, _ = counted.get(minute, (0, None, 0, 0, 1))
        received = int(oldest.timestamp()) if oldest is not None else 0
        if minute in before and _has_expired(before[minute], rows, received):
            expired.append(minute)
        else:
            live.append(minute)
            markers.append(f"(1, {minute}, {low}, {high}, {rows}, {received})")
    if expired:
        ask(partners.bind(_KEEP, slots=_slots(expired), rev=rev))
    if not live:
        return
    wides = sorted({(width, minute // width * width) for minute in live for width in WIDTHS})
    parts = {(w, s): n for w, s, n in ask(partners.bind(_PARTS, wides=_listed(wides)))}
    reopened = [(*wide, parts.get(wide, 0)) for wide in wides]
    markers += [f"({width}, {slot}, 0, 0, {rows}, 0)" for width, slot, rows in reopened]
    # A heavier row that comes from now on makes its minute due again.
    weighed = any(heaviest > 1 for *_, heaviest in counted.values())
    _roll(ask, live, rev, ", ".join(markers), weighed=weighed)
    finished = now(ask)
    if finished - instant > QUIET // 4:  # another process may have added up without these
        ask(partners.bind(_REOPEN, rev=_revision(finished), wides=_listed(reopened)))


def _listed(rows: Collection[tuple[int, ...]]) -> str:
    return ", ".join(map(str, rows))


def _revision(instant: int) -> int:
    return instant << 10 | secrets.randbelow(1024)


def _slots(minutes: Collection[int]) -> str:
    return in_minutes(minutes).replace("minute", "slot")


def _roll(ask: Ask, minutes: Collection[int], rev: int, markers: str, *, weighed: bool) -> None:
    scope = partners.find(ask, in_minutes(minutes), weighed=weighed)
    kinship.prepare(ask, scope)
    ask(_NOTE)
    ask(scope.fill(_ROLL, slot=MINUTE_OF, key="1", rev=rev, markers=markers))
    kinship.release(ask)
    elsewhere: dict[int, int] = dict(ask(partners.bind(_ELSEWHERE, minutes=scope.minutes)))
    partners.release(ask)
    if elsewhere:
        _mark(ask, elsewhere)


def _mark(ask: Ask, elsewhere: dict[int, int]) -> None:
    """Make minutes due that have not been counted since these rows (by their time) came."""
    markers = ask(partners.bind(_MARKERS, slots=_slots(elsewhere)))
    seen = {slot: rev >> 10 for slot, rev, *_ in markers}
    marks = []
    instant = now(ask)
    for minute, inserted in elsewhere.items():
        if seen.get(minute, 0) <= inserted:
            marks.append(f"({minute}, {instant}, {inserted + SETTLE})")
        elif seen[minute] < inserted + SETTLE:
            marks.append(f"({minute}, 0, {inserted + SETTLE})")
    if marks:
        ask(
            "INSERT INTO dirty (minute, related, confirm) SELECT * FROM "
            f"VALUES('minute UInt32, related Int64, confirm Int64', {', '.join(marks)})"
        )


def _has_expired(marker: Sequence[object], rows: int, oldest: int) -> bool:
    """Whether rows that the marker's count was made of are gone: then the count stays as it is."""
    _, counted, received = marker
    assert isinstance(counted, int)
    first = int(received.timestamp())  # type: ignore[attr-defined]
    return rows < counted and (rows == 0 or oldest >= first + DAY)


def widen(ask: Ask) -> int:
    """Add quiet minutes up to wider slots; the number of slots.

    A slot of which minutes have expired stays as it was added up last.
    """
    built = 0
    for width in WIDTHS:
        instant = now(ask)
        rev = _revision(instant)
        found = ask(partners.bind(_QUIET_SLOTS, width=width, before=instant - QUIET))
        whole = [(slot, have) for slot, had, have in found if have >= had]
        faded = [slot for slot, had, have in found if have < had]
        if whole:
            ranges = [f"slot BETWEEN {slot} AND {slot + width - 1}" for slot, _ in whole]
            slots = f"({' OR '.join(ranges)})"
            ask(partners.bind(_WIDEN, width=width, slots=slots, rev=rev, wides=_listed(whole)))
        if faded:
            kept = ", ".join(map(str, faded))
            ask(partners.bind(_KEEP_WIDE, width=width, rev=rev, wides=kept))
        built += len(found)
    return built
