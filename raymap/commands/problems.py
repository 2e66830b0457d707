"""`raymap problems replay`: judges stored minutes.

It connects to ClickHouse itself, so it works with and without a running `raymap serve`.
"""

from __future__ import annotations

import sys
import time

import msgspec

from api.problems.replay import replay as judged
from api.problems.tracker import Event, EventKind
from api.problems.words import line
from raymap.commands.open_store import open_store
from raymap.errors import CommandError, print_status
from raymap.units import counted, format_minute, parse_instant
from store.clickhouse.connection.address import Address
from store.times import MINUTE

ALWAYS = (EventKind.OPENED, EventKind.CLOSED)


def replay(clickhouse: Address, start: str, end: str, *, every: bool, as_json: bool) -> None:
    """Print what happens to problems in a window, a line each. CommandError for a window that is none."""
    first = parse_instant(start, "--from") // MINUTE
    last = min(parse_instant(end, "--to"), time.time_ns() // 1000) // MINUTE - 1
    if last < first:
        raise CommandError("--to must be a minute or more after --from, and --from in the past.")
    opened = 0
    with open_store(clickhouse) as store:
        for event in judged(store, first, last):
            opened += event.kind is EventKind.OPENED
            if as_json:
                sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
            elif every or event.kind in ALWAYS:
                print(_words(event))
            sys.stdout.flush()
    print_status(f"{counted(opened, 'problem')} in {counted(last - first + 1, 'minute')}")


def _words(event: Event) -> str:
    return f"{format_minute(event.at * 60)}  {event.kind:<7} {line(event.problem)}"
