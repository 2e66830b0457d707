"""Reads a journal's files: which batches the store does not have yet, and their records.

Streams: memory is one record, however large the journal. Damage is part of the result, never an
exception: a damaged or missing part costs the records in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from collector.journal.format import (
    FILE_HEADER,
    MAGIC,
    RECORD_HEADER,
    Batch,
    DamagedRecord,
    Header,
    Kind,
    parse_batch,
    parse_checkpoint,
    parse_file_header,
    parse_header,
    parse_payload,
)
from collector.journal.source import Source
from store.model import arrival_of

SUFFIX = ".log"
MARKS = (Kind.BATCH, Kind.CHECKPOINT)
_STEP = 1 << 16
"""Bytes read at a time in search of the next record."""


class Part(NamedTuple):
    """A record without its payload, or with no header a damaged or missing stretch."""

    start: int
    end: int
    header: Header | None
    path: Path


class Record(NamedTuple):
    """A record; its payload is None when it is damaged."""

    start: int
    end: int
    header: Header
    payload: bytes | None
    path: Path


class Waiting(Struct):
    """What a journal has that one cell may not have."""

    checkpoint: int = 0
    """The cell's position: everything below is there."""
    batches: list[Batch] = []
    """In order; the first `marked` of them have been marked and perhaps inserted."""
    marked: int = 0
    oldest: int = 0
    """Version of the first record in `batches`."""

    @property
    def documents(self) -> int:
        """In all batches, those of other cells included."""
        return sum(batch.documents for batch in self.batches)


class Contents(Struct):
    """What a journal has that the store may not have."""

    end: int = 0
    """Where the next record goes."""
    lost: list[Part] = []
    """Damaged and missing stretches."""
    cells: list[Waiting] = []

    @property
    def slowest(self) -> Waiting:
        """Of the cell that has least."""
        return min(self.cells, key=lambda cell: cell.checkpoint, default=Waiting())

    @property
    def documents(self) -> int:
        """That are not in every cell."""
        return self.slowest.documents

    @property
    def positions(self) -> list[int]:
        """Of the cells."""
        return [cell.checkpoint for cell in self.cells]


def files_of(folder: Path) -> list[tuple[int, Path]]:
    """The files by the offset of their first record, which is in the name."""
    paths = folder.glob(f"*{SUFFIX}")
    return sorted((int(path.stem), path) for path in paths if path.stem.isdecimal())


def file_name(start: int) -> str:
    return f"{start:020d}{SUFFIX}"


def scan(folder: Path, max_documents: int, max_bytes: int, cells: int | None = None) -> Contents:
    """Read all headers; records that no batch has yet are cut into batches within these bounds.

    ``cells``: how many the store has, else as many as the journal says. Of a journal that was written for another number,
    each has what all had.
    """
    contents = Contents()
    marks: list[Batch] = []
    positions: list[int] = []
    for part in walk(folder):
        contents.end = max(contents.end, part.end)
        if part.header is None:
            contents.lost.append(part)
        elif part.header.kind == Kind.BATCH:
            marks += map(parse_batch, _payload(part))
        elif part.header.kind == Kind.CHECKPOINT:
            for payload in _payload(part):
                positions = _later(positions, parse_checkpoint(payload))
    written_for = len(positions) or 1 + max((mark.cell for mark in marks), default=0)
    if len(positions) != (cells or written_for):
        positions = [min(positions, default=0)] * (cells or written_for)
    upto = min(positions)
    # A damaged file header costs nothing, and is damage all the same.
    contents.lost = [part for part in contents.lost if part.end > upto or part.start == part.end]
    cut = lru_cache(lambda behind: list(_cut(folder, behind, max_documents, max_bytes)))
    for place, position in enumerate(positions):
        marked = [mark for mark in marks if mark.cell == place and mark.end > position]
        behind = max((mark.end for mark in marked), default=position)
        batches = marked + [batch._replace(cell=place) for batch in cut(behind)]
        oldest = _arrival(folder, batches[0]) if batches else 0
        contents.cells.append(Waiting(position, batches, len(marked), oldest))
    return contents


def _later(positions: list[int], others: list[int]) -> list[int]:
    """The later ones, of the number of cells that was written last."""
    if len(positions) != len(others):
        positions = [min(positions, default=0)] * len(others)
    return list(map(max, positions, others))


def _arrival(folder: Path, batch: Batch) -> int:
    """Of its first record."""
    headers = (part.header for part in _records(folder, batch.start, batch.end))
    return next((arrival_of(header.version) for header in headers if header), 0)


def scan_in_use(folder: Path, max_documents: int, max_bytes: int) -> Contents:
    """The same of a journal whose process may delete files meanwhile; empty if it has gone."""
    while True:
        with suppress(FileNotFoundError):
            return scan(folder, max_documents, max_bytes)


def _cut(folder: Path, start: int, max_documents: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of the records from an offset on."""
    first = end = documents = size = 0
    for record in _records(folder, start):
        assert record.header is not None
        count, plain = record.header.documents, record.header.plain_size
        if documents and (documents + count > max_documents or size + plain > max_bytes):
            yield Batch(first, end, documents)
            documents = size = 0
        first = first if documents else record.start
        end = record.end
        documents += count
        size += plain
    if documents:
        yield Batch(first, end, documents)


def _records(folder: Path, start: int, end: int = 1 << 63) -> Iterator[Part]:
    """The records that are no marks."""
    for part in walk(folder, start, end):
        if part.header is not None and part.header.kind not in MARKS:
            yield part


def _payload(part: Part) -> list[bytes]:
    """The payload of a mark, unless it is damaged: then it is as if it had not been written."""
    payload = None if part.header is None else _read_payload(part, part.header)
    return [] if payload is None else [payload]


def read(folder: Path, start: int, end: int) -> Iterator[Record]:
    """The records between two offsets that are no marks."""
    for part in _records(folder, start, end):
        assert part.header is not None
        yield Record(part.start, part.end, part.header, _read_payload(part, part.header), part.path)


def _read_payload(part: Part, header: Header) -> bytes | None:
    with Source(part.path) as source:
        at = FILE_HEADER + part.start + RECORD_HEADER - int(part.path.stem)
        try:
            return parse_payload(header, source.read(at, header.size))
        except DamagedRecord:
            return None


def walk(folder: Path, start: int = 0, end: int = 1 << 63) -> Iterator[Part]:
    """All parts between two offsets, in order."""
    files = files_of(folder)
    position = start
    for number, (first, path) in enumerate(files):
        following = files[number + 1][0] if number + 1 < len(files) else None
        if first >= end or (following is not None and following <= start):
            continue
        if first > position:
            yield Part(position, first, None, path)  # what was between is gone
        for part in _walk_file(path, first, max(position, first), following):
            if part.start >= end:
                return
            yield part
            position = part.end
        position = max(position, first if following is None else following)


def _walk_file(path: Path, first: int, position: int, following: int | None) -> Iterator[Part]:
    """The parts of one file from an offset on. What the last file ends with incompletely was never
    acknowledged; the end of any other is where its successor begins."""
    with Source(path) as source:
        end = source.size - FILE_HEADER + first
        limit = end if following is None else following
        if parse_file_header(source.read(0, FILE_HEADER)) != first and end > first:
            yield Part(first, first, None, path)
        while position < limit:
            if position >= end:
                yield Part(position, limit, None, path)
                return
            failures = source.failures
            header = parse_header(source.read(FILE_HEADER + position - first, RECORD_HEADER))
            stop = position + RECORD_HEADER + (header.size if header else 0)
            if header is not None and stop <= min(end, limit):
                yield Part(position, stop, header, path)
            elif (
                following is None
                and _is_torn(source, header, FILE_HEADER + position - first)
                and source.failures == failures
            ):
                return
            else:
                stop = min(_next_record(source, position + 1, first, end), limit)
                yield Part(position, stop, None, path)
            position = stop


def _is_torn(source: Source, header: Header | None, at: int) -> bool:
    """Whether a write ended here: a record without its end, or bytes that never reached the disk."""
    at += RECORD_HEADER
    while header is None and (data := source.read(at, _STEP)):
        if data.strip(b"\0"):
            return False
        at += len(data)
    return True


def _next_record(source: Source, position: int, first: int, end: int) -> int:
    """The offset of the next intact header, or the end of the file."""
    while position < end:
        data = source.read(FILE_HEADER + position - first, _STEP + RECORD_HEADER)
        found = data.find(MAGIC, 0, _STEP + len(MAGIC))
        if found < 0:
            position += _STEP
        elif parse_header(data[found : found + RECORD_HEADER]) is not None:
            return position + found
        else:
            position += found + 1
    return end
