"""Verifies the rollups: aggregates a window again from the rows and compares.

The reference shares only the definition of units with the rollups: the other halves of calls are
searched in all the time that the traces of the window span, not where `cross_bucket_refs` points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.graph.service_graph import read_rolled
from store.clickhouse.rollup.dirty import CHUNK_ROWS
from store.clickhouse.units import dependencies, facts
from store.clickhouse.units.aggregates import ALL_UNITS, MINUTE_OF, Aggregate, Key, collect
from store.clickhouse.units.base_buckets import numbers_in
from store.model import NodeKey, TimeRange, confirmed
from store.times import MINUTE

STRIDE = 5
"""Minutes compared at a time."""
KINDS = ("node", "edge", "link", "background")


class Difference(NamedTuple):
    """One node or edge of some minutes whose rollups differ from the aggregates of its rows."""

    window: TimeRange
    kind: str
    source: str
    target: str
    counted: str
    rows: str
    trace: str = ""
    """An example, where one is known."""


class Verified(NamedTuple):
    """The result of one comparison: the numbers of minutes, of nodes and edges, and of skipped minutes."""

    window: TimeRange
    minutes: int
    figures: int
    skipped: int
    differences: list[Difference]


def verify(run: RunQuery, window: TimeRange) -> Iterator[Verified]:
    """Compare whole minutes of a window, a few at a time. Minutes whose rows have expired are skipped.

    Rows that arrive in the meantime show as differences: verify a window that is complete.
    """
    first, last = window.start // MINUTE, (window.end - 1) // MINUTE
    rows = run(queries.VERIFY_MINUTES.render(first=first, last=last))
    there = {minute: (counted, present) for minute, counted, present in rows}
    for minutes in _strides({minute: max(counts) for minute, counts in there.items()}):
        # Copies of a row merge into one, so fewer rows than were aggregated is not a loss by itself.
        expired = [m for m in minutes if there[m][0] and not there[m][1]]
        yield _compare(run, [m for m in minutes if m not in expired], len(expired))
    yield from _wide(run, first, last)


def _strides(rows: Mapping[int, int]) -> Iterator[list[int]]:
    """Minutes to compare at a time, in order: STRIDE at most, and at most CHUNK_ROWS rows."""
    stride: list[int] = []
    for minute in sorted(rows):
        total = sum(rows[m] for m in stride)
        if stride and (minute - stride[0] >= STRIDE or total + rows[minute] > CHUNK_ROWS):
            yield stride
            stride = []
        stride.append(minute)
    if stride:
        yield stride


def _compare(run: RunQuery, minutes: list[int], skipped: int) -> Verified:
    if not minutes:
        return Verified(TimeRange(0, 0), 0, 0, skipped, [])
    window = TimeRange(minutes[0] * MINUTE, (minutes[-1] + 1) * MINUTE)
    slots = f"(width = 1 AND {numbers_in('bucket', minutes)})"
    rolled_up: dict[Key, Aggregate] = {}
    collect(read_rolled(run, slots), rolled_up)
    counted: dict[Key, Aggregate] = {}
    scope = facts.prepare(run, dependencies.full_scope(run, window))
    piece = scope.fill(queries.COUNTED_PIECE, {"bucket": MINUTE_OF, "key": ALL_UNITS})
    collect(run(queries.PIECES.render({"pieces": piece})), counted)
    facts.release(run)
    dependencies.drop_scope(run)
    return _verified(window, len(minutes), rolled_up, counted, skipped)


def _wide(run: RunQuery, first: int, last: int) -> Iterator[Verified]:
    """Compare the wide buckets inside a window with the minutes they were downsampled from."""
    for width, bucket in run(queries.VERIFY_WIDE.render(first=first, last=last)):
        window = TimeRange(bucket * MINUTE, (bucket + width) * MINUTE)
        wide: dict[Key, Aggregate] = {}
        collect(read_rolled(run, f"(width = {width} AND bucket = {bucket})"), wide)
        minutes: dict[Key, Aggregate] = {}
        inside = f"bucket BETWEEN {bucket} AND {bucket + width - 1}"
        collect(map(_settled, read_rolled(run, f"(width = 1 AND {inside})")), minutes)
        yield _verified(window, 0, wide, minutes, 0)


def _settled(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of minutes as it is downsampled (queries/rollup/downsample.sql)."""
    kind, account, *rest = row
    source = NodeKey(account, *rest[: len(NodeKey._fields) - 1])
    return kind, confirmed(source).account, *rest


def _verified(
    window: TimeRange,
    minutes: int,
    left: dict[Key, Aggregate],
    right: dict[Key, Aggregate],
    skipped: int,
) -> Verified:
    found = differ(window, left, right)
    figures = len(left.keys() | right.keys())
    return Verified(window, minutes, figures, skipped, list(found.values()))


def differ(
    window: TimeRange, left: dict[Key, Aggregate], right: dict[Key, Aggregate]
) -> dict[Key, Difference]:
    """The nodes and edges of which two counts of a window differ, and in what."""
    differences = {}
    for key in sorted(left.keys() | right.keys()):
        ours, theirs = _figures(left.get(key)), _figures(right.get(key))
        if ours != theirs:
            names = [name for name in (ours or theirs) if ours.get(name) != theirs.get(name)]
            texts = [_text(figures, names) for figures in (ours, theirs)]
            kind, source, target = key
            differences[key] = Difference(window, KINDS[kind], _name(source), _name(target), *texts)
    return differences


def _name(node: NodeKey) -> str:
    parts = (
        node.name,
        node.type and f"({node.type})",
        node.account and f"@{node.account}",
        node.region,
    )
    return " ".join(filter(None, parts))


def _figures(aggregate: Aggregate | None) -> dict[str, object]:
    """The compared figures by name; empty when there is no such node or edge."""
    if aggregate is None:
        return {}
    plain: dict[str, object] = msgspec.to_builtins(aggregate)
    plain |= msgspec.to_builtins(aggregate.statistics)
    del plain["statistics"]
    plain["duration_delta"] = {
        time: count for time, count in aggregate.duration_delta.items() if count
    }
    plain["names"] = sorted(aggregate.names)
    return plain


def _text(figures: dict[str, object], names: list[str]) -> str:
    if not figures:
        return "absent"
    return ", ".join(f"{name} {figures[name]}" for name in names)
