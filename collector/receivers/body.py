"""HTTP request bodies, read in pieces: bounded in bytes, in time, and after decompression."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import zstandard
from fastapi import Request
from starlette.requests import ClientDisconnect

from collector.budget import Budget, NoRoom
from collector.charges import SENDER
from collector.settings import HttpLimits

PIECE = 1 << 20
"""Bytes decompressed at a time."""
ZSTD_PIECE = 128
"""Bytes of zstd input at a time: the smallest block is 4 bytes and decompresses to 128 KiB."""
ZSTD_WINDOW = 8 << 20
"""The window that RFC 8878 recommends decoders to support."""


class BodyError(Exception):
    """A body that is not accepted: the HTTP status and the reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Bodies:
    """Reads bodies, whose bytes are reserved, including slow senders'."""

    def __init__(self, *, max_bytes: int, timeout: float, budget: Budget) -> None:
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._budget = budget

    @classmethod
    def within(cls, limits: HttpLimits) -> Bodies:
        """A reader with a process's limits."""
        return cls(max_bytes=limits.max_body, timeout=limits.read_timeout, budget=limits.budget)

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The decompressed body; its bytes are reserved until the request is answered.

        Raises BodyError: 413 too large, 408 too slow, 415 or 400 unreadable, 503 too many bodies.
        """
        buffer = self._buffer(request)
        try:
            await self._fill(buffer, request)
            yield buffer.finish()
        finally:
            buffer.release()

    def _buffer(self, request: Request) -> _BodyBuffer:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        kind = _BUFFERS.get(encoding)
        if kind is None:
            what = f"content-encoding: expected gzip, zstd or identity, got {encoding[:40]!r}"
            raise BodyError(415, what)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise _too_large(self._max_bytes)
        return kind(self._budget, self._max_bytes)

    async def _fill(self, buffer: _BodyBuffer, request: Request) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                async for piece in request.stream():
                    buffer.add(piece)
        except TimeoutError as error:
            message = f"the body did not arrive within {self._timeout:g} seconds"
            raise BodyError(408, message) from error
        except ClientDisconnect as error:
            raise BodyError(400, "the sender disconnected before the body was complete") from error
        except NoRoom as error:
            raise BodyError(503, str(error)) from error


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(413, f"the body is larger than {max_bytes:,} bytes")


class _BodyBuffer:
    """Collects the pieces of one body, and reserves them."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        self._budget = budget
        self._sender = SENDER.get()
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        if self.size + len(piece) > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._budget.reserve(len(piece), self._sender)
        self.size += len(piece)
        self._pieces.append(piece)

    def finish(self) -> bytes:
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def release(self) -> None:
        self._pieces.clear()
        self._budget.release(self.size, self._sender)
        self._budget.note(self.size)


class _GzipBuffer(_BodyBuffer):
    """Decompresses while reading: a bomb costs no more than the bound."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        super().__init__(budget, max_bytes)
        self._decompressor = zlib.decompressobj(wbits=31)

    def add(self, piece: bytes) -> None:
        try:
            while piece and not self._decompressor.eof:
                super().add(self._decompressor.decompress(piece, PIECE))
                piece = self._decompressor.unconsumed_tail
        except zlib.error as error:
            raise BodyError(400, f"the body is not gzip: {error}") from error

    def finish(self) -> bytes:
        if not self._decompressor.eof:
            raise BodyError(400, "the gzip body ends early")
        return super().finish()


class _ZstdBuffer(_BodyBuffer):
    """The same for zstd, in pieces that decompress to a few megabytes at most."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        super().__init__(budget, max_bytes)
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    def add(self, piece: bytes) -> None:
        try:
            for start in range(0, len(piece), ZSTD_PIECE):
                if self._decompressor.eof:
                    return
                super().add(self._decompressor.decompress(piece[start : start + ZSTD_PIECE]))
        except zstandard.ZstdError as error:
            raise BodyError(400, f"the body is not zstd: {error}") from error

    def finish(self) -> bytes:
        if not self._decompressor.eof:
            raise BodyError(400, "the zstd body ends early")
        return super().finish()


_BUFFERS: dict[str, type[_BodyBuffer]] = {
    "": _BodyBuffer,
    "identity": _BodyBuffer,
    "gzip": _GzipBuffer,
    "x-gzip": _GzipBuffer,
    "zstd": _ZstdBuffer,
}
