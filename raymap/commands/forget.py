"""`raymap forget`: removes the traces of a subject from every table, the journals and the quarantine.

In this order: what was acknowledged before reaches the tables, the tables lose the traces, the journals
delete what they have inserted. So nothing comes back, and no backup made afterwards contains it. The log
of the engine comes last: failed queries of this command are in it, too. Of several cells each is searched before any
loses a row: one that is unavailable has the command refused.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from clickhouse_driver import Client

from collector.decode.item_size import ITEM, LARGEST
from collector.decode.rejected import Rejected
from collector.journal.adopt import damaged_files, folders
from collector.journal.format import FILE_HEADER, DamagedRecord, Kind, pack
from collector.journal.purge import request
from collector.journal.quarantine import Quarantine, Quarantined
from collector.journal.reader import files_of, scan_in_use
from collector.payloads import decode_again
from raymap.auth.audit import record_command
from raymap.auth.secret import server_secret
from raymap.cells import require_cells
from raymap.commands.open_store import long_connection, open_store
from raymap.commands.pins import parse_id
from raymap.errors import CommandError, print_status
from raymap.processes import journal_dir, prepare_command_cells
from raymap.settings import StoreSettings
from store.clickhouse import forget as tables
from store.clickhouse.connection.address import Address
from store.clickhouse.embedded.logs import empty_logs
from store.forget import Subject, of_annotation, of_user
from store.times import SECOND
from store.trace_id import format_trace_id

ROUNDS = 5
"""Traces go on arriving; after so many rounds that is said."""
_PAUSE = 0.25


def subject_of(user: str, annotation: str, trace: str, text: str) -> Subject:
    """The subject that a command line means. CommandError unless it is one."""
    if sum(map(bool, (user, annotation, trace, text))) != 1:
        raise CommandError("Whom? Give one of --user, --annotation, --trace and --text.")
    if user:
        return of_user(user)
    if annotation:
        key, equals, value = annotation.partition("=")
        if not key or not equals:
            raise CommandError(f"--annotation: expected KEY=VALUE, got {annotation!r}.")
        return of_annotation(key, value)
    return Subject(trace_id=parse_id(trace)) if trace else Subject(text=text)


def forget(settings: StoreSettings, subject: Subject, *, wait: float, dry_run: bool) -> None:
    """Remove the traces of a subject; prints how many rows of which table.

    ``wait``: seconds for the journals. CommandError when they take longer.
    """
    cells = prepare_command_cells(settings)
    require_cells(cells)
    root = journal_dir(settings)
    with ExitStack() as connected:
        clients = [connected.enter_context(long_connection(cell)) for cell in cells]
        if dry_run:
            print_status(f"{len(_find(clients, subject)):,} traces would be removed")
            return
        _wait_until_inserted(root, wait)
        traces, rows = remove(clients, subject)
    with open_store(cells[0]) as store:
        record_command(
            store, "forget", f"{traces:,} traces of {_fingerprint(subject, settings.data_dir)}"
        )
    quarantined = _remove_quarantined(root, subject)
    _purge_journals(root, wait)
    total = ", ".join(f"{count:,} rows of {name}" for name, count in sorted(rows.items()))
    print_status(f"removed {traces:,} traces" + (f": {total}" if total else ""))
    if quarantined:
        print_status(f"removed {quarantined:,} documents from the quarantine")
    if damaged := damaged_files(root):
        print_status(
            f"{damaged} damaged files of journals may contain more, and cannot be read: delete "
            f"{root / 'damaged'} if that matters"
        )
    for cell in cells:
        _empty_logs(settings, cell)


def _empty_logs(settings: StoreSettings, address: Address) -> None:
    """Of the embedded engine; of another it is said that they are not reached."""
    if settings.clickhouse:
        print_status(
            f"not reached: the server log, query_log and text_log of ClickHouse at {address.host} have "
            "the text of queries, also of those that searched for this"
        )
    elif files := empty_logs(settings.data_dir):
        print_status(f"emptied {files} log files of ClickHouse")


def _fingerprint(subject: Subject, data_dir: Path) -> str:
    """What the audit log says of a subject: it can be verified with the secret."""
    if subject.trace_id:
        return format_trace_id(subject.trace_id)
    text = repr((subject.user, subject.items, subject.text)).encode()
    return "hash:" + hmac.digest(server_secret(data_dir), b"forget " + text, "sha256").hex()[:16]


def _find(clients: Sequence[Client], subject: Subject) -> list[bytes]:
    """The traces of a subject that any cell has."""
    return sorted({trace for client in clients for trace in tables.find(client, subject)})


def remove(clients: Sequence[Client], subject: Subject) -> tuple[int, dict[str, int]]:
    """Delete a subject's traces from each cell, the home cell first; how many, and rows by table.

    The home cell has log lines of all traces: what a run that breaks off has left elsewhere is found by the next one, and
    with it what belongs to it.
    """
    traces, removed = set[bytes](), dict[str, int]()
    for _ in range(ROUNDS):
        found = _find(clients, subject)
        if not found:
            return len(traces), removed
        traces.update(found)
        for client in clients:
            for name, count in tables.forget(client, found).items():
                removed[name] = removed.get(name, 0) + count
    raise CommandError(
        f"Removed {len(traces):,} traces, but more of them keep arriving: stop what sends them, and "
        "run this again."
    )


def _wait_until_inserted(root: Path, seconds: float) -> None:
    """Until ClickHouse has what was acknowledged before now."""
    now = time.time() * SECOND

    def waiting() -> list[str]:
        return [
            folder.name
            for folder in folders(root)
            if 0 < scan_in_use(folder, 1 << 20, 1 << 30).slowest.oldest <= now
        ]

    if left := _wait(waiting, seconds):
        raise CommandError(
            f"Documents wait in {len(left)} journals, as {left[0]}; nothing was removed. Start "
            "raymap serve, or look at raymap journal list, and run this again."
        )


def _purge_journals(root: Path, seconds: float) -> None:
    """Have processes delete the files whose records ClickHouse has."""
    if not root.is_dir():
        return
    before = {
        path: found.st_ino
        for folder in folders(root)
        for _, path in files_of(folder)
        if (found := _stat(path)) is not None and found.st_size > FILE_HEADER
    }
    request(root)

    def remaining() -> list[str]:
        return [
            str(path)
            for path, number in before.items()
            if (found := _stat(path)) is not None and found.st_ino == number
        ]

    if left := _wait(remaining, seconds):
        raise CommandError(
            f"The tables are clean, but {len(left)} files of journals still contain what was inserted, "
            f"as {left[0]}. Is raymap serve running? Run this again."
        )


def _stat(path: Path) -> os.stat_result | None:
    """None once the file is deleted."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _wait(left: Callable[[], list[str]], seconds: float) -> list[str]:
    """What is left when nothing is, or when time is up."""
    deadline = time.monotonic() + seconds
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return found


def _remove_quarantined(root: Path, subject: Subject) -> int:
    """Remove matching documents from the quarantine, however large they were allowed to be; how many."""
    removed = 0

    def change(entry: Quarantined) -> list[Quarantined]:
        nonlocal removed
        try:
            documents = decode_again(entry.kind, entry.version, entry.payload)
        except (Rejected, ValueError, DamagedRecord):
            return [entry]
        staying = [document for document in documents if not subject.matches(document)]
        if len(staying) == len(documents):
            return [entry]
        removed += len(documents) - len(staying)
        return [
            Quarantined(entry.at, entry.reason, Kind.STORED, d.version, 1, pack([d.raw]))
            for d in staying
        ]

    with ITEM.at_most(LARGEST):
        Quarantine(root).rewrite(change)
    return removed
