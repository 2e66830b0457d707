"""The service graph, its series and its failures, asked of ClickHouse.

Whole minutes come from the rollups, minutes that a window cuts through from the rows
(`store.clickhouse.tally` counts both alike).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from store.clickhouse import kinship, partners, sql
from store.clickhouse.asker import Ask, Rows, each
from store.clickhouse.partners import bind
from store.clickhouse.rollup import WIDTHS
from store.clickhouse.tally import (
    COLUMNS_COUNTED,
    COUNT,
    EDGE,
    KEY,
    KEY_COUNTED,
    LINK,
    MINUTE_OF,
    NODE,
    SUMMED,
    SUMMED_BUT_TIMES,
    Key,
    Tally,
    collect,
    graph_of,
    read_tally,
)
from store.interface import Failure, Slice, failures_by_frequency
from store.model import MINUTE, NodeKey, ServiceGraph, State, TimeRange

LAST_MINUTE = (1 << 32) - 1
MOST_RAW = 200_000
"""Rows that are counted while somebody waits: half a second. Of more, whole minutes are shown."""

_PLAN = """
SELECT width, slot, argMax(built, rev), argMax(start, rev), argMax(end, rev) FROM rollups
WHERE kind = 255 AND slot >= :first AND slot <= :last AND (width > 1 OR slot IN (:ends))
GROUP BY width, slot
"""
_LENGTHS = """
SELECT slot, argMax(rows, rev) AS length, argMax(start, rev), argMax(end, rev) FROM rollups
WHERE width = 1 AND kind = 255 AND :slots GROUP BY slot
"""
_HOLDS = """(width, slot, rev) IN (
    SELECT width, slot, max(rev) FROM rollups WHERE kind = 255 AND :slots GROUP BY width, slot
)"""
_ROLLED = f"""
SELECT cityHash64(kind, {KEY}) AS id, kind, {KEY}, {SUMMED_BUT_TIMES} FROM rollups
WHERE kind < 255 AND :slots AND :key AND {_HOLDS}
GROUP BY kind, {KEY}
"""
# Apart, since adding up maps takes most of the time: half of it this way.
_ROLLED_TIMES = f"""
SELECT id, mapFromArrays(groupArray(time), groupArray(units)) FROM (
    SELECT cityHash64(kind, {KEY}) AS id, time, sum(count) AS units FROM rollups
    ARRAY JOIN mapKeys(histogram) AS time, mapValues(histogram) AS count
    WHERE kind < 255 AND :slots AND :key AND {_HOLDS}
    GROUP BY id, time
)
GROUP BY id
"""
_ROLLED_STEPS = f"""
SELECT intDiv(slot - :first, :step) AS number, {SUMMED} FROM rollups
WHERE kind < 255 AND :slots AND :key AND {_HOLDS}
GROUP BY number
"""
RAW = f"SELECT kind, {KEY_COUNTED}, {COLUMNS_COUNTED} FROM ({COUNT})"
"""Rows of kind, key and COLUMNS, of units: for `tally.collect`."""
_RAW_STEPS = f"SELECT slot, {COLUMNS_COUNTED} FROM ({COUNT})"


class Plan(NamedTuple):
    """Where the figures of a window come from: slots of `rollups`, and pieces of minutes."""

    slots: str
    pieces: list[TimeRange]


EVERYTHING = "1"
"""A condition on units and on rows of `rollups`: all of them."""


def of_node(node: NodeKey) -> str:
    """The units of a node."""
    return f"(kind = {NODE} AND (account, name, type) = {_guarded(sql.node_tuple(node))})"


def of_edge(pair: tuple[NodeKey, NodeKey]) -> str:
    """The calls and links along an edge."""
    source, target = (_guarded(sql.node_tuple(node)) for node in pair)
    return (
        f"(kind IN ({EDGE}, {LINK}) AND (source_account, source_name, source_type) = {source} "
        f"AND (account, name, type) = {target})"
    )


def service_graph(ask: Ask, window: TimeRange, marks: Rows | None = None) -> ServiceGraph:
    """`store.edges.weave` over the window."""
    return graph_of(tallies(ask, window, marks=marks))


def tallies(
    ask: Ask, window: TimeRange, wanted: str = EVERYTHING, *, marks: Rows | None = None
) -> dict[Key, Tally]:
    """What was counted in a window, of everything or of one node or edge.

    ``marks``: the answer to `marks_of` the window, if it was asked already.
    """
    chosen = plan(ask, window, marks=marks)
    found: dict[Key, Tally] = {}
    if chosen.slots:
        collect(read_rolled(ask, chosen.slots, wanted), found)
    if chosen.pieces:
        collect(_raw(ask, chosen.pieces, RAW, key=wanted, slot=MINUTE_OF), found)
    return found


def read_rolled(ask: Ask, slots: str, wanted: str = EVERYTHING) -> Iterable[tuple[Any, ...]]:
    """Rows of kind, key and COLUMNS, added up over slots."""
    statements = (bind(s, slots=slots, key=wanted) for s in (_ROLLED_TIMES, _ROLLED))
    counts, rows = each(ask, *statements)
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]


def series(ask: Ask, wanted: str, window: TimeRange, step: int) -> list[Slice]:
    """Statistics per step of microseconds."""
    slot = f"intDiv(start - {window.start}, {step})"
    if step % MINUTE or window.start % MINUTE:
        rows = _raw(ask, [window], _RAW_STEPS, key=wanted, slot=slot)
        return _slices(_by_number(rows), window, step)
    chosen = plan(ask, window, wide=False)
    rows = []
    if chosen.slots:
        values: dict[str, int | str] = {
            "first": window.start // MINUTE,
            "step": step // MINUTE,
            "slots": chosen.slots,
            "key": wanted,
        }
        rows += ask(bind(_ROLLED_STEPS, **values))
    if chosen.pieces:
        rows += _raw(ask, chosen.pieces, _RAW_STEPS, key=wanted, slot=slot)
    return _slices(_by_number(rows), window, step)


def failures(ask: Ask, wanted: str, window: TimeRange) -> list[Failure]:
    """What went wrong, by label."""
    counts: Counter[tuple[str, State]] = Counter()
    for tally in tallies(ask, window, wanted).values():
        for label, count in tally.failures.items():
            state, _, text = label.partition(":")
            counts[text, State(int(state))] += count
    return failures_by_frequency(counts)


def map_window(ask: Ask, window: TimeRange) -> TimeRange:
    """The window, or with the minutes taken whole that it really cuts through, when they are long."""
    slots = f"slot IN ({', '.join(map(str, ends_of(window)))})"
    cut = {
        slot: rows
        for slot, rows, low, high in ask(bind(_LENGTHS, slots=slots))
        if not (low in window and high in window)
    }
    if sum(cut.values()) <= MOST_RAW:
        return window
    first, last = _bounds(window)
    return TimeRange(
        first * MINUTE if first in cut else window.start,
        (last + 1) * MINUTE if last in cut else window.end,
    )


def finest_step(ask: Ask, window: TimeRange) -> int:
    """A minute, when the window holds more rows than can be counted while somebody waits."""
    first, last = _bounds(window)
    lengths = bind(_LENGTHS, slots=f"slot BETWEEN {first} AND {last}")
    ((rows,),) = ask(f"SELECT sum(length) FROM ({lengths})")
    return MINUTE if rows > MOST_RAW else 1


def marks_of(window: TimeRange) -> str:
    """The statement whose answer `plan` goes by."""
    first, last = _bounds(window)
    ends = ", ".join(map(str, ends_of(window))) or "0"
    return bind(_PLAN, first=first, last=last, ends=ends)


def _bounds(window: TimeRange) -> tuple[int, int]:
    return window.start // MINUTE, min((window.end - 1) // MINUTE, LAST_MINUTE)


def ends_of(window: TimeRange) -> set[int]:
    """The minutes that the window cuts through."""
    return {minute for minute in _bounds(window) if not _contains(window, minute)}


def plan(ask: Ask, window: TimeRange, *, wide: bool = True, marks: Rows | None = None) -> Plan:
    """The widest slots that fill a window, and what they leave.

    A minute that the window cuts through is taken whole when all of its units lie inside.
    """
    first, last = _bounds(window)
    if window.end <= window.start or first > LAST_MINUTE:
        return Plan("", [])
    ends = ends_of(window)
    cut = set()  # a minute that was never counted has no rows
    slots: dict[int, list[int]] = {width: [] for width in WIDTHS}
    for width, slot, built, low, high in ask(marks_of(window)) if marks is None else marks:
        if width == 1:
            if slot in ends and not (low in window and high in window):
                cut.add(slot)
        elif built and wide and slot + width - 1 <= last:
            slots[width].append(slot)
    taken = set(cut)
    covered = [(minute, minute + 1) for minute in cut]
    conditions = []
    for width, found in slots.items():  # the widest first
        chosen = [slot for slot in found if taken.isdisjoint(range(slot, slot + width))]
        for slot in chosen:
            taken.update(range(slot, slot + width))
            covered.append((slot, slot + width))
        if chosen:
            conditions.append(f"width = {width} AND slot IN ({', '.join(map(str, chosen))})")
    left = [f"slot BETWEEN {a} AND {b}" for a, b in _gaps(first, last, covered)]
    if left:
        conditions.append(f"width = 1 AND ({' OR '.join(left)})")
    pieces = [
        TimeRange(max(window.start, m * MINUTE), min(window.end, (m + 1) * MINUTE))
        for m in sorted(cut)
    ]
    text = " OR ".join(f"({condition})" for condition in conditions)
    return Plan(f"({text})" if text else "", pieces)


def _gaps(first: int, last: int, covered: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """The closed ranges in [first, last] that half-open ranges leave."""
    at = first
    for start, end in sorted(covered):
        if start > at:
            yield at, start - 1
        at = max(at, end)
    if at <= last:
        yield at, last


def _contains(window: TimeRange, minute: int) -> bool:
    return window.start <= minute * MINUTE and (minute + 1) * MINUTE <= window.end


def _raw(ask: Ask, pieces: list[TimeRange], statement: str, **values: int | str) -> Rows:
    """The rows of a statement about units, which needs to know who owns what."""
    scope = partners.find(ask, partners.minutes_of(pieces), pieces)
    kinship.prepare(ask, scope)
    rows = ask(scope.fill(statement, **values))
    kinship.release(ask)
    partners.release(ask)
    return rows


def _by_number(rows: Rows) -> dict[int, Tally]:
    """Tallies by the number of their step; one may be of calls and links, of rollups and rows."""
    found: dict[int, Tally] = {}
    for number, *columns in rows:
        tally = read_tally(columns)
        if number in found:
            found[number].add(tally)
        else:
            found[number] = tally
    return found


def _slices(found: dict[int, Tally], window: TimeRange, step: int) -> list[Slice]:
    return [
        Slice(window.start + number * step, found[number].statistics) for number in sorted(found)
    ]


def _guarded(literal: str) -> str:
    """A literal whose colons `bind` must not read as places."""
    return literal.replace(":", "\\x3A")
