"""The body of an HTTP request, piece by piece: bounded in bytes, in time, and once unpacked."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import zstandard
from fastapi import Request
from starlette.requests import ClientDisconnect

PIECE = 1 << 20
"""Bytes unpacked at a time."""
ZSTD_PIECE = 128
"""Bytes of zstd given at a time: its least block is 4 bytes and unpacks to 128 KiB."""
ZSTD_WINDOW = 8 << 20
"""What decoders should support, by the format's own advice (RFC 8878)."""


class BodyError(Exception):
    """A body that is not taken: the HTTP status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Bodies:
    """Reads bodies, and bounds what all of them take together, slow senders' included."""

    def __init__(self, *, max_bytes: int, timeout: float, max_held: int) -> None:
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._max_held = max_held
        self.held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The unpacked body, counted as held until its request is answered.

        Raises BadBody: 413 too large, 408 too slow, 415 or 400 unreadable, 503 no room now.
        """
        sink = self._sink(request)
        try:
            await self._fill(sink, request)
            yield sink.finish()
        finally:
            self.held -= sink.size

    def hold(self, size: int) -> None:
        """Count bytes of a body; raises BadBody when there are too many of all bodies."""
        if self.held + size > self._max_held:
            raise BodyError(503, "too many large bodies at once")
        self.held += size

    def _sink(self, request: Request) -> _BodyBuffer:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        kind = _SINKS.get(encoding)
        if kind is None:
            what = f"content-encoding: expected gzip, zstd or identity, got {encoding[:40]!r}"
            raise BodyError(415, what)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise _too_large(self._max_bytes)
        return kind(self, self._max_bytes)

    async def _fill(self, sink: _BodyBuffer, request: Request) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                async for piece in request.stream():
                    sink.add(piece)
        except TimeoutError as error:
            message = f"the body did not arrive within {self._timeout:g} seconds"
            raise BodyError(408, message) from error
        except ClientDisconnect as error:
            raise BodyError(400, "the sender went away before the body was complete") from error


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(413, f"the body is larger than {max_bytes:,} bytes")


class _BodyBuffer:
    """Takes the pieces of one body."""

    def __init__(self, bodies: Bodies, max_bytes: int) -> None:
        self._bodies = bodies
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        if self.size + len(piece) > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._bodies.hold(len(piece))
        self.size += len(piece)
        self._pieces.append(piece)

    def finish(self) -> bytes:
        return b"".join(self._pieces)


class _GzipSink(_BodyBuffer):
    """Unpacks as it reads and stops at the bound: a bomb costs no more than its bound."""

    def __init__(self, bodies: Bodies, max_bytes: int) -> None:
        super().__init__(bodies, max_bytes)
        self._unpacker = zlib.decompressobj(wbits=31)

    def add(self, piece: bytes) -> None:
        try:
            while piece and not self._unpacker.eof:
                super().add(self._unpacker.decompress(piece, PIECE))
                piece = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise BodyError(400, f"the body is not gzip: {error}") from error

    def finish(self) -> bytes:
        if not self._unpacker.eof:
            raise BodyError(400, "the gzip body ends early")
        return super().finish()


class _ZstdSink(_BodyBuffer):
    """The same for zstd, in pieces so small that each unpacks to a few megabytes at most."""

    def __init__(self, bodies: Bodies, max_bytes: int) -> None:
        super().__init__(bodies, max_bytes)
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    def add(self, piece: bytes) -> None:
        try:
            for start in range(0, len(piece), ZSTD_PIECE):
                if self._unpacker.eof:
                    return
                super().add(self._unpacker.decompress(piece[start : start + ZSTD_PIECE]))
        except zstandard.ZstdError as error:
            raise BodyError(400, f"the body is not zstd: {error}") from error

    def finish(self) -> bytes:
        if not self._unpacker.eof:
            raise BodyError(400, "the zstd body ends early")
        return super().finish()


_SINKS: dict[str, type[_BodyBuffer]] = {
    "": _BodyBuffer,
    "identity": _BodyBuffer,
    "gzip": _GzipSink,
    "x-gzip": _GzipSink,
    "zstd": _ZstdSink,
}
