"""`raymap pin`, `unpin` and `pins`: traces that are retained for ever.

They connect to ClickHouse themselves, so they work with and without a running `raymap serve`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from raymap.auth.audit import record_command
from raymap.commands.open_store import open_all
from raymap.commands.tables import print_table
from raymap.errors import CommandError, print_status
from raymap.units import format_minute
from store.clickhouse.connection.address import Address
from store.pins import pin_note
from store.times import SECOND
from store.trace_id import format_trace_id, parse_trace_id


def pin(cells: Sequence[Address], text: str, note: str) -> None:
    """Retain a trace for ever, with a note of one line."""
    trace_id = parse_id(text)
    try:
        note = pin_note(note)
    except ValueError as error:
        raise CommandError(f"--note: {error}.") from None
    with open_all(cells) as store:
        made = store.pin(trace_id, note, _now())
        record_command(store, f"pin {format_trace_id(trace_id)}")
    reason = f": {made.note}" if made.note else ""
    print_status(f"{format_trace_id(trace_id)} is retained for ever{reason}")


def unpin(cells: Sequence[Address], text: str) -> None:
    """Let a trace expire like any other. CommandError when it is not pinned."""
    trace_id = parse_id(text)
    with open_all(cells) as store:
        if not store.unpin(trace_id, _now()):
            raise CommandError(f"{format_trace_id(trace_id)} is not pinned.")
        record_command(store, f"unpin {format_trace_id(trace_id)}")
    print_status(f"{format_trace_id(trace_id)} is retained as long as any other trace")


def list_pins(cells: Sequence[Address]) -> None:
    """Print the pinned traces, the latest first."""
    with open_all(cells) as store:
        store.refresh_pins()
        found = store.pins()
    if not found:
        print_status("no trace is pinned")
        return
    rows = [("trace", "pinned (UTC)", "note")]
    rows += [(format_trace_id(p.trace_id), format_minute(p.at // SECOND), p.note) for p in found]
    print_table(rows)


def parse_id(text: str) -> bytes:
    """A trace id in X-Ray's or W3C's form; CommandError for anything else."""
    try:
        return parse_trace_id(text)
    except ValueError as error:
        raise CommandError(f"TRACE_ID: {error}.") from None


def _now() -> int:
    return time.time_ns() // 1000
