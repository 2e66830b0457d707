"""`raymap verify`: compares the stored aggregates of a time window with a recount of its rows, or with its documents,
decoded a second time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from raymap.commands.open_store import open_all
from raymap.errors import CommandError, print_status
from raymap.units import format_minute, parse_instant
from store.cells.store import CellStore
from store.clickhouse.graph.verify import Difference, Verified
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from store.times import MINUTE, SECOND

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address
    from store.clickhouse.graph.verify_decoding import DecodedMinute

SHOWN = 20
"""Differences printed in full."""


Verify = Callable[[ClickHouseStore, TimeRange], bool]
"""Compares one cell, and prints; whether all is well."""


def verify(cells: Sequence[Address], start: str, end: str, *, decode: bool = False) -> bool:
    """Recount a window, or with ``decode`` decode its documents once more, and print the differences cell by cell; whether
    there are none in any."""
    window = _window(start, end)
    compare = _decode_again if decode else _recount
    with open_all(cells, connections=2) as store:
        same = [_named(compare, name, each, window) for name, each in _by_name(store)]
    return all(same)


def _by_name(store: ClickHouseStore | CellStore) -> Iterable[tuple[str, ClickHouseStore]]:
    return [("", store)] if isinstance(store, ClickHouseStore) else store.cells.one_by_one()


def _named(compare: Verify, name: str, store: ClickHouseStore, window: TimeRange) -> bool:
    if name:
        print_status(f"{name}:")
    return compare(store, window)


def _recount(store: ClickHouseStore, window: TimeRange) -> bool:
    started = time.monotonic()
    minutes = figures = skipped = differing = 0
    for part in store.verify(window):
        minutes += part.minutes
        figures += part.figures
        skipped += part.skipped
        for number, each in enumerate(part.differences, differing + 1):
            if number <= SHOWN:
                _show(part, each)
        differing += len(part.differences)
    if differing > SHOWN:
        print_status(f"and {differing - SHOWN:,} more")
    expired = f"; {skipped:,} minutes whose rows have expired were left out" if skipped else ""
    print_status(
        f"{minutes:,} minutes, {figures:,} nodes and edges compared in "
        f"{time.monotonic() - started:.1f} s, {differing:,} differences{expired}"
    )
    return not differing


def _decode_again(store: ClickHouseStore, window: TimeRange) -> bool:
    started = time.monotonic()
    minutes = figures = differing = decoded = without_bytes = unreadable = calls = 0
    left_out = Counter[str]()
    for part in store.verify_decoding(window):
        if part.left_out:
            left_out[part.left_out] += 1
            continue
        minutes += 1
        figures += part.figures
        decoded += part.sources.decoded
        without_bytes += part.sources.documents
        unreadable += part.sources.unreadable
        calls += part.sources.calls
        for number, each in enumerate(part.differences, differing + 1):
            if number <= SHOWN:
                _show(part, each, "the bytes")
        differing += len(part.differences)
    if differing > SHOWN:
        print_status(f"and {differing - SHOWN:,} more")
    for reason, number in left_out.items():
        print_status(f"{number:,} minutes were left out: {reason}")
    for number, what in (
        (without_bytes, "documents whose bytes are not stored"),
        (unreadable, "documents that could not be decoded"),
        (calls, "calls that only an earlier copy of their document had"),
    ):
        if number:
            print_status(f"{number:,} {what}: taken from their rows")
    print_status(
        f"{minutes:,} minutes, {decoded:,} documents decoded, {figures:,} nodes and edges compared in "
        f"{time.monotonic() - started:.1f} s, {differing:,} differences"
    )
    return not differing and not unreadable


def _show(part: Verified | DecodedMinute, each: Difference, other: str = "the rows") -> None:
    name = f"{each.source} -> {each.target}" if each.source else each.target
    print(f"{_time(part.window.start)} to {_time(part.window.end)}  {each.kind} {name}")
    print(f"  {'the map':<10} {each.counted}\n  {other:<10} {each.rows}")
    if each.trace:
        print(f"  {'as in':<10} {each.trace}")


def _time(microseconds: int) -> str:
    return f"{format_minute(microseconds / SECOND)} UTC"


def _window(start: str, end: str) -> TimeRange:
    """The whole minutes that cover the time between two instants."""
    first, last = parse_instant(start, "--from"), parse_instant(end, "--to")
    if last <= first:
        raise CommandError("--to is not after --from.")
    return TimeRange(first // MINUTE * MINUTE, -(-last // MINUTE) * MINUTE)
