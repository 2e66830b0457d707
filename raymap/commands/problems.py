"""`raymap problems replay`: judges stored minutes.

It connects to ClickHouse itself, so it works with and without a running `raymap serve`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import msgspec

from api.problems.render import line_of
from api.problems.replay import Replayed
from api.problems.replay import replay as judged
from api.problems.tracker import EventKind
from raymap.commands.open_store import open_all
from raymap.errors import CommandError, print_status
from raymap.units import counted, format_minute, parse_instant
from store.clickhouse.connection.address import Address
from store.times import MINUTE, SECOND

ALWAYS = (EventKind.OPENED, EventKind.CLOSED)


def replay(cells: Sequence[Address], start: str, end: str, *, every: bool, as_json: bool) -> None:
    """Print what happens to problems in a window, a line each. CommandError for a window that is none."""
    first = parse_instant(start, "--from") // MINUTE
    last = min(parse_instant(end, "--to"), time.time_ns() // 1000) // MINUTE - 1
    if last < first:
        raise CommandError("--to must be a minute or more after --from, and --from in the past.")
    opened = 0
    with open_all(cells) as store:
        for each in judged(store, first, last):
            event = each.event
            opened += event.kind is EventKind.OPENED
            if not every and event.kind not in ALWAYS:
                continue
            if as_json:
                sys.stdout.write(msgspec.json.encode(_value(each)).decode() + "\n")
            else:
                print(f"{format_minute(event.at * 60)}  {event.kind:<7} {each.record.text}")
            sys.stdout.flush()
    print_status(f"{counted(opened, 'problem')} in {counted(last - first + 1, 'minute')}")


def _value(each: Replayed) -> dict[str, object]:
    """An event, and the problem as /api/v1/problems shows it."""
    at = each.event.at * MINUTE / SECOND
    problem = line_of(each.record, {})
    return {"event": each.event.kind.value, "at": at, "rank": each.rank, "problem": problem}
