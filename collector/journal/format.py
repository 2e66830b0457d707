"""The bytes of a journal file: a header, then records. Little-endian.

An offset counts the bytes of all records of a journal from its beginning, file headers excluded. A
file's header names the offset of its first record, which is where the file before ends: when those
two differ, a file is missing. After a damaged record header the reader looks for the next `MAGIC`;
a damaged payload costs its own record.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import zstandard

FILE_MAGIC = b"raymap journal 1\n"
_FILE = struct.Struct("<17sxxxxxxxQ")
_CRC = struct.Struct("<I")
FILE_HEADER = _FILE.size + _CRC.size
MAGIC = b"\xf5RJ1"
"""Not UTF-8, so that it does not occur in JSON."""
_RECORD = struct.Struct("<4sBBxxIIIqI")
RECORD_HEADER = _RECORD.size + _CRC.size
MAX_PAYLOAD = 256 << 20
"""Bytes of a payload. A larger length in a header is damage that the checksum did not show."""
_COMPRESSED = 1
_MIN_COMPRESSED = 256
"""Bytes from which compressing pays."""
_BATCH = struct.Struct("<QQI")
_CELL = struct.Struct("<H")
_POSITION = struct.Struct("<Q")


class Kind(IntEnum):
    """What a record contains: a payload as a receiver accepted it, or a mark of the inserter."""

    DOCUMENTS = 1
    """X-Ray documents and whatever else may stand in a datagram, as `pack` joins them. The first one
    has the record's version, the next one that plus one."""
    OTLP = 2
    OTLP_JSON = 3
    ZIPKIN_JSON = 4
    ZIPKIN_PROTOBUF = 5
    STORED = 6
    """Documents in the store's form, joined and numbered in the same way."""
    LOG_LINES = 7
    """`collector.records`."""
    METRIC_POINTS = 8
    BATCH = 254
    """A `Batch`, written before it is inserted: a repetition has the same token and documents."""
    CHECKPOINT = 255
    """Positions: everything below an offset is in the store, for each of its cells."""


class Batch(NamedTuple):
    """The records that are inserted together into a cell: the offsets where they start and end."""

    start: int
    end: int
    documents: int
    """Those of other cells included."""
    cell: int = 0
    """The place of the cell. The first one's is not written, as a store has one at least."""

    def encode(self) -> bytes:
        """A complete record."""
        cell = _CELL.pack(self.cell) if self.cell else b""
        return encode(Kind.BATCH, 0, 0, _BATCH.pack(*self[:3]) + cell)


class Header(NamedTuple):
    """A record without its payload."""

    kind: int
    compressed: bool
    size: int
    """Bytes of the payload on disk."""
    plain_size: int
    """Bytes of the payload as accepted."""
    documents: int
    version: int
    """Of its first document, in microseconds of arrival."""
    crc: int


class DamagedRecord(Exception):
    """A payload that is not what was written."""


def file_header(start: int) -> bytes:
    """The header of a file whose first record has this offset."""
    fields = _FILE.pack(FILE_MAGIC, start)
    return fields + _CRC.pack(zlib.crc32(fields))


def parse_file_header(data: bytes) -> int | None:
    """The offset of the first record; None when this is no header."""
    fields = data[: _FILE.size]
    if len(data) < FILE_HEADER or _CRC.unpack_from(data, _FILE.size)[0] != zlib.crc32(fields):
        return None
    magic, start = _FILE.unpack(fields)
    return int(start) if magic == FILE_MAGIC else None


class _Compressors(threading.local):
    """One for each thread: making it takes as long as compressing a payload of 3 kB."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)


_compressors = _Compressors()


def encode(kind: Kind, version: int, documents: int, payload: bytes) -> bytes:
    """A complete record; large payloads are compressed."""
    stored, flags = payload, 0
    if len(payload) >= _MIN_COMPRESSED:
        # Level 1 is faster than the disk, and a bound in bytes lasts six times as long.
        stored, flags = _compressors.compressor.compress(payload), _COMPRESSED
    fields = _RECORD.pack(
        MAGIC, kind, flags, len(stored), len(payload), documents, version, zlib.crc32(stored)
    )
    return b"".join((fields, _CRC.pack(zlib.crc32(fields)), stored))


def checkpoint(positions: Sequence[int]) -> bytes:
    """The record of positions: everything below them is in each cell of the store."""
    return encode(Kind.CHECKPOINT, 0, 0, b"".join(map(_POSITION.pack, positions)))


def parse_header(data: bytes) -> Header | None:
    """The header at the beginning of these bytes; None when it is damaged."""
    if len(data) < RECORD_HEADER or data[:4] != MAGIC:
        return None
    fields = data[: _RECORD.size]
    if _CRC.unpack_from(data, _RECORD.size)[0] != zlib.crc32(fields):
        return None
    _, kind, flags, size, plain, documents, version, crc = _RECORD.unpack(fields)
    if max(size, plain) > MAX_PAYLOAD:
        return None
    return Header(kind, bool(flags & _COMPRESSED), size, plain, documents, version, crc)


def parse_payload(header: Header, stored: bytes) -> bytes:
    """The payload as it was accepted. Raises DamagedRecord."""
    if len(stored) != header.size or zlib.crc32(stored) != header.crc:
        raise DamagedRecord("the checksum differs")
    if not header.compressed:
        return stored
    try:
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=header.plain_size)
    except zstandard.ZstdError as error:
        raise DamagedRecord(str(error)) from error


def parse_batch(payload: bytes) -> Batch:
    """The batch in a record of that kind."""
    cell = payload[_BATCH.size :]
    return Batch(*_BATCH.unpack_from(payload), *(_CELL.unpack(cell) if cell else ()))


def parse_checkpoint(payload: bytes) -> list[int]:
    """The positions in a checkpoint."""
    return [position for (position,) in _POSITION.iter_unpack(payload)]


def pack(raws: Sequence[bytes]) -> bytes:
    """Documents as one payload: their number, their lengths, and they."""
    lengths = struct.pack(f"<I{len(raws)}I", len(raws), *map(len, raws))
    return b"".join((lengths, *raws))


def unpack(payload: bytes) -> list[bytes]:
    """The inverse of `pack`. Raises DamagedRecord for other bytes."""
    try:
        (count,) = struct.unpack_from("<I", payload)
        lengths = struct.unpack_from(f"<{count}I", payload, 4)
    except struct.error as error:
        raise DamagedRecord(f"not a list of documents: {error}") from error
    if 4 + 4 * count + sum(lengths) != len(payload):
        raise DamagedRecord("not a list of documents: the lengths do not add up")
    raws, position = [], 4 + 4 * count
    for length in lengths:
        raws.append(payload[position : position + length])
        position += length
    return raws
