"""The format of a spool file: chunks that each carry their own checksum.

File: `MAGIC`, then chunks. Chunk: `SYNC`, number of documents, number of payload bytes (both u32,
big-endian), BLAKE2b-128 of the two numbers and the payload, payload: zstd of MessagePack
``[[version, raw], ...]``. After a damaged chunk the reader resynchronises at the next `SYNC`, so one
bad block of the disk costs one chunk. The number of documents in the file is in its name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec
import zstandard

MAGIC = b"raymap spool 1\n"
SYNC = b"\xf5chunk\x0d\x0a"
"""Not UTF-8, and with a line end that a text-mode copy would change."""
CHUNK_BYTES = 256 << 10
"""Raw bytes of the documents in one chunk; one larger document is a chunk of its own."""
_NUMBERS = struct.Struct(">II")
_DIGEST = 16
_HEADER = len(SYNC) + _NUMBERS.size + _DIGEST
_MAX_PAYLOAD = 64 << 20


class Spoolable(Protocol):
    """What a document can be decoded from again."""

    @property
    def version(self) -> int: ...
    @property
    def raw(self) -> bytes: ...


class Spooled(NamedTuple):
    """The intact documents of a file as version and bytes, and the number of lost ones."""

    documents: list[tuple[int, bytes]]
    lost: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[int, bytes]])


def encode_file(documents: Sequence[Spoolable]) -> list[bytes]:
    """The file's bytes, in parts."""
    # Level 1 is as fast as the disk, and the same bytes last five times as long in an outage.
    compressor = zstandard.ZstdCompressor(level=1)
    return [MAGIC, *(_encode_chunk(compressor, chunk) for chunk in _chunks(documents))]


def _chunks(documents: Sequence[Spoolable]) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    size = 0
    for document in documents:
        if chunk and size + len(document.raw) > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append((document.version, document.raw))
        size += len(document.raw)
    if chunk:
        yield chunk


def _encode_chunk(
    compressor: zstandard.ZstdCompressor, documents: list[tuple[int, bytes]]
) -> bytes:
    payload = compressor.compress(_encoder.encode(documents))
    numbers = _NUMBERS.pack(len(documents), len(payload))
    return SYNC + numbers + _digest(numbers, payload) + payload


def decode_file(data: bytes, expected: int) -> Spooled:
    """The intact documents; those missing of the ``expected`` number are lost, one at least when
    there are none at all."""
    documents: list[tuple[int, bytes]] = []
    position = data.find(SYNC)
    while position >= 0:
        chunk, end = _decode_chunk(data, position)
        documents += chunk
        position = data.find(SYNC, end)
    return Spooled(documents, max(expected - len(documents), 0 if documents else 1))


def _decode_chunk(data: bytes, start: int) -> tuple[list[tuple[int, bytes]], int]:
    """The documents of the chunk at ``start`` and its end; none, and the end of `SYNC`, if damaged."""
    header = memoryview(data)[start + len(SYNC) : start + _HEADER]
    if len(header) == _HEADER - len(SYNC):
        numbers, digest = bytes(header[: _NUMBERS.size]), header[_NUMBERS.size :]
        count, size = _NUMBERS.unpack(numbers)
        payload = memoryview(data)[start + _HEADER : start + _HEADER + size]
        if size <= _MAX_PAYLOAD and len(payload) == size and _digest(numbers, payload) == digest:
            documents = _decoder.decode(zstandard.ZstdDecompressor().decompress(payload))
            if len(documents) == count:
                return documents, start + _HEADER + size
    return [], start + len(SYNC)


def _digest(numbers: bytes, payload: bytes | memoryview) -> bytes:
    digest = blake2b(numbers, digest_size=_DIGEST)
    digest.update(payload)
    return digest.digest()
