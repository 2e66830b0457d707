"""`raymap journal`: documents that wait on a disk, looked at, moved to another host, tried again.

Works on the data directory alone, with or without a running `raymap serve`: journals in use are listed
and left alone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.durable import try_lock
from collector.ingest import FOLDER
from collector.journal.adopt import damaged_files, folders
from collector.journal.format import Kind, encode, unpack
from collector.journal.quarantine import Quarantine
from collector.journal.reader import Contents, Record, Waiting, files_of, read, scan_in_use
from collector.journal.writer import Journal
from collector.records import records_in
from raymap.auth.tenants import FOLDER as TENANTS
from raymap.commands.export_lines import export_request
from raymap.commands.server import JSON, post
from raymap.commands.tables import print_table
from raymap.data_dir import require_owner
from raymap.errors import CommandError, print_status
from raymap.units import format_minute, format_size
from store.otel.stored_span import is_span, read_span
from store.times import SECOND

QUARANTINE = "quarantine"
_MAX_DOCUMENTS, _MAX_BYTES = 20_000, 48 << 20
POLL = 1.0
"""Seconds between two looks at the journals."""
_SHOWN = 300
"""Characters of a payload in quarantine."""
PROTOBUF = "application/x-protobuf"
_PATHS = {
    Kind.OTLP: ("/v1/traces", PROTOBUF),
    Kind.OTLP_JSON: ("/v1/traces", JSON),
    Kind.ZIPKIN_JSON: ("/api/v2/spans", JSON),
    Kind.ZIPKIN_PROTOBUF: ("/api/v2/spans", PROTOBUF),
}


def list_journals(data_dir: Path) -> None:
    """Print the journals, what each cell lacks of them, the quarantine and damaged files."""
    root = data_dir / FOLDER
    rows = [("journal", "state", "documents waiting", "since (UTC)", "on disk")]
    for folder in folders(root):
        contents = _scan(folder)
        size = sum(map(_size, (path for _, path in files_of(folder))))
        state = "damaged" if contents.lost else "waits for a process"
        rows.append(
            (
                folder.name,
                "in use" if _is_in_use(folder) else state,
                f"{contents.documents:,}",
                _since(contents.slowest),
                format_size(size),
            )
        )
        if len(contents.cells) > 1:
            for place, cell in enumerate(contents.cells, 1):
                rows.append((f"  cell {place}", "", f"{cell.documents:,}", _since(cell), ""))
    quarantine = Quarantine(root)
    if documents := quarantine.documents():
        size = quarantine.path.stat().st_size
        rows.append((QUARANTINE, "set aside", f"{documents:,}", "", format_size(size)))
    if damaged := damaged_files(root):
        print_status(f"{damaged} damaged files are in {root / 'damaged'}")
    if len(rows) == 1:
        print_status(f"there is no journal in {root}")
        return
    print_table(rows, right=(2, 4))


def inspect(data_dir: Path, name: str) -> None:
    """Print the records of a journal that the store may not have, or what is in quarantine and why."""
    if name == QUARANTINE:
        for entry in Quarantine(data_dir / FOLDER).read():
            text = entry.payload.decode(errors="backslashreplace")
            print(f"{format_minute(entry.at)} UTC  {entry.documents} documents: {entry.reason}")
            print(f"  {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
        return
    folder = _folder(data_dir, name)
    contents = _scan(folder)
    rows = [("offset", "accepted (UTC)", "kind", "documents", "bytes")]
    for record in _records(folder, contents):
        header = record.header
        kind = _name_of(header.kind) + ("" if record.payload is not None else " (damaged)")
        at = format_minute(header.version / SECOND)
        size = f"{header.plain_size:,}"
        rows.append((str(record.start), at, kind, f"{header.documents:,}", size))
    print_table(rows, right=(0, 3, 4))
    for part in contents.lost:
        print_status(f"{part.path.name}: {part.end - part.start:,} bytes are damaged or missing")


def send(data_dir: Path, name: str, to: str) -> None:
    """Send a journal's documents to another Raymap, and delete it. CommandError when it refuses."""
    require_owner(data_dir)
    folder = _folder(data_dir, name)
    lock = try_lock(folder)
    if lock is None:
        raise CommandError(f"{name} is in use: its process sends its documents itself.")
    contents = _scan(folder)
    journal = Journal(folder, lock, contents.end, [contents.slowest.checkpoint])
    sent = damaged = 0
    try:
        for record in _records(folder, contents):
            if record.payload is None:
                damaged += record.header.documents
                continue
            for path, media, body in _requests(record.header.kind, record.payload):
                post(to, path, body, media)
            sent += record.header.documents
            journal.checkpoint(record.end)
        if not damaged and not contents.lost:
            journal.remove()
    finally:
        journal.release()
    left = f"; {damaged} damaged documents stay in {folder}" if damaged or contents.lost else ""
    print_status(f"{sent:,} documents sent to {to}{left}")


def wait(data_dir: Path, seconds: float) -> None:
    """Wait until ClickHouse has all documents of the journals, of tenants too. CommandError when it has not in time."""
    deadline = time.monotonic() + seconds
    roots = [data_dir / FOLDER, *(data_dir / TENANTS).glob(f"*/{FOLDER}")]
    while documents := sum([_scan(each).documents for root in roots for each in folders(root)]):
        if time.monotonic() > deadline:
            raise CommandError(
                f"{documents:,} documents wait in {data_dir} after {seconds:g} s: leave its processes running until "
                "ClickHouse has them, or send them with  raymap journal send."
            )
        time.sleep(POLL)
    print_status("no documents wait")


def retry(data_dir: Path) -> None:
    """Empty the quarantine into a journal, which the next process or a running one adopts."""
    require_owner(data_dir)
    root = data_dir / FOLDER
    quarantine = Quarantine(root)
    if not quarantine.path.exists():
        print_status("nothing is in quarantine")
        return
    with quarantine.emptying() as entries:
        records = [encode(Kind(e.kind), e.version, e.documents, e.payload) for e in entries]
        journal = Journal.create(root, "retry")
        for record in records:
            journal.write([record])
        journal.release()
    documents = sum(entry.documents for entry in entries)
    print_status(f"{documents:,} documents are in the journal {journal.id} and are tried again")


def _since(waiting: Waiting) -> str:
    return format_minute(waiting.oldest / SECOND) if waiting.oldest else ""


def _size(path: Path) -> int:
    """Bytes; none once the file is deleted, as it is when a running process has inserted all of it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _scan(folder: Path) -> Contents:
    return scan_in_use(folder, _MAX_DOCUMENTS, _MAX_BYTES)


def _records(folder: Path, contents: Contents) -> Iterator[Record]:
    for batch in contents.slowest.batches:
        yield from read(folder, batch.start, batch.end)


def _folder(data_dir: Path, name: str) -> Path:
    """A journal by name; CommandError if there is none."""
    for folder in folders(data_dir / FOLDER):
        if folder.name == name:
            return folder
    raise CommandError(f"There is no journal {name}: see  raymap journal list.")


def _is_in_use(folder: Path) -> bool:
    lock = try_lock(folder)
    if lock is None:
        return True
    os.close(lock)
    return False


def _name_of(kind: int) -> str:
    try:
        return Kind(kind).name.lower().replace("_", " ")
    except ValueError:
        return f"kind {kind} of another release"


def _requests(kind: int, payload: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Path, media type and body of the requests that bring the same documents."""
    if kind in _PATHS:
        path, media = _PATHS[Kind(kind)]
        yield path, media, payload
        return
    records = records_in(kind, payload)
    if kind == Kind.METRIC_POINTS:
        raise CommandError(
            "The journal has points of metrics, which only a process on its own data directory stores: "
            "start  raymap serve  there."
        )
    if records is not None:
        yield "/v1/logs", PROTOBUF, export_request(records.decode()).SerializeToString()
        return
    raws = unpack(payload)
    spans = [read_span(raw) for raw in raws if is_span(raw)]
    if spans:
        yield (
            *_PATHS[Kind.OTLP],
            ExportTraceServiceRequest(resource_spans=spans).SerializeToString(),
        )
    texts = [raw.decode(errors="replace") for raw in raws if not is_span(raw)]
    if texts:
        yield "/TraceSegments", JSON, json.dumps({"TraceSegmentDocuments": texts}).encode()
