"""`raymap retention`: shows and changes for how many days each kind of data is retained.

It connects to ClickHouse itself, so it works with and without a running `raymap serve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from raymap.auth.audit import record_command
from raymap.cells import require_cells
from raymap.commands.open_store import open_store
from raymap.commands.tables import print_table
from raymap.errors import CommandError, print_status
from raymap.units import format_days, format_minute, format_size
from store.cells.topology import cell_names
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.pins import reconcile
from store.clickhouse.schema import retention
from store.times import SECONDS, parse_duration

if TYPE_CHECKING:
    from clickhouse_driver import Client


def show_retention(cells: Sequence[Address], wanted: Mapping[str, str], *, yes: bool) -> None:
    """Apply the wanted durations (text by kind) to every cell and print what is retained for how long.

    CommandError, and no change, when a shorter duration would delete rows and ``yes`` is not given.
    """
    days = {kind: parse_days(text, f"--{kind}") for kind, text in wanted.items() if text}
    require_cells(cells)
    with ExitStack() as stack:
        clients = [stack.enter_context(_connected(cell)) for cell in cells]
        by_name = dict(zip(cell_names(cells), clients, strict=True))
        if days:
            _apply(by_name, days, yes)
            with open_store(cells[0]) as store:
                changed = " ".join(f"--{kind} {number}" for kind, number in days.items())
                record_command(store, f"retention {changed}")
        for name, client in by_name.items():
            if name:
                print(name)
            _print(*retention.status(client))


def _print(kinds: Sequence[retention.RetentionStatus], pinned: retention.Pinned) -> None:
    rows = [("", "from (UTC)", "to (UTC)", "rows", "on disk", "retained", "next expires")]
    for each in kinds:
        words = retention.KINDS[each.kind].label
        span = format_minute(each.oldest), format_minute(each.newest)
        size = f"{each.rows:,}", format_size(each.bytes)
        rows.append((words, *span, *size, format_days(each.days), format_minute(each.expires)))
    if pinned.traces:
        words = f"{pinned.traces:,} pinned traces" if pinned.traces > 1 else "1 pinned trace"
        size = f"{pinned.rows:,}", format_size(pinned.bytes)
        rows.append((words, "", "", *size, "for ever", "never"))
    print_table(rows, right={3, 4})


def _apply(by_name: Mapping[str, Client], days: Mapping[str, int], yes: bool) -> None:
    deletes = [_announce(name, client, days, yes) for name, client in by_name.items()]
    if any(deletes) and not yes:
        raise CommandError("Nothing was changed. To delete it, repeat the command with --yes.")
    for client in by_name.values():
        reconcile(client)  # pinned rows are copied before anything expires
        retention.apply(client, days, wait=True)


def _announce(name: str, client: Client, days: Mapping[str, int], yes: bool) -> bool:
    """Print which rows of a cell would expire; whether there are any."""
    current = retention.effective(client)
    if absent := [kind for kind in days if kind not in current]:
        raise CommandError(f"This database has no data to which --{absent[0]} applies.")
    deletions = retention.preview_deletions(client, days)
    for each in deletions:
        words = retention.KINDS[each.kind].label
        change = f"{format_days(days[each.kind])} instead of {format_days(current[each.kind])}"
        span = f"{format_minute(each.oldest)} to {format_minute(each.newest)} UTC"
        verb = "deletes" if yes else "would delete"
        where = f"{name}: " if name else ""
        print_status(f"{where}{change} {verb} {each.rows:,} rows: {words}, {span}")
    return bool(deletions)


@contextmanager
def _connected(cell: Address) -> Iterator[Client]:
    client = connect(cell)
    try:
        yield client
    finally:
        client.disconnect()


def parse_days(text: str, flag: str) -> int:
    """Days of ``14d``, ``14``, ``2w`` or ``1y``; CommandError unless they are whole and in range."""
    try:
        seconds = parse_duration(text, default_unit="d")
    except ValueError:
        seconds = 0
    days, rest = divmod(seconds, SECONDS["d"])
    if rest or not 1 <= days <= retention.MOST_DAYS:
        raise CommandError(
            f"{flag}: {text!r} is not a valid duration; expected days like 14d "
            f"(or weeks, 2w, or years, 1y), from 1d to {retention.MOST_DAYS}d."
        )
    return days
