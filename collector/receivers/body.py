"""The body of an HTTP request, piece by piece: bounded in bytes, in time, and once unpacked."""

from __future__ import annotations

import asyncio
import zlib

from fastapi import Request
from starlette.requests import ClientDisconnect

PIECE = 1 << 20
"""Bytes unpacked at a time."""


class BadBody(Exception):
    """A body that is not taken: the HTTP status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


async def read_body(request: Request, *, max_bytes: int, timeout: float) -> bytes:
    """The unpacked body. Raises BadBody: 413 too large, 408 too slow, 415 or 400 unreadable."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise BadBody(415, f"content-encoding: expected gzip or identity, got {encoding[:40]!r}")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    sink = _Gzip(max_bytes) if "gzip" in encoding else _Plain(max_bytes)
    try:
        async with asyncio.timeout(timeout):
            async for piece in request.stream():
                sink.add(piece)
    except TimeoutError as error:
        raise BadBody(408, f"the body did not arrive within {timeout:g} seconds") from error
    except ClientDisconnect as error:
        raise BadBody(400, "the sender went away before the body was complete") from error
    return sink.finish()


def _too_large(max_bytes: int) -> BadBody:
    return BadBody(413, f"the body is larger than {max_bytes:,} bytes")


class _Plain:
    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = bytearray()

    def add(self, piece: bytes) -> None:
        if len(self._taken) + len(piece) > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._taken += piece

    def finish(self) -> bytes:
        return bytes(self._taken)


class _Gzip(_Plain):
    """Unpacks as it reads and stops at the bound: a bomb costs no more than its bound."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._unpacker = zlib.decompressobj(wbits=31)

    def add(self, piece: bytes) -> None:
        try:
            while piece and not self._unpacker.eof:
                super().add(self._unpacker.decompress(piece, PIECE))
                piece = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise BadBody(400, f"the body is not gzip: {error}") from error

    def finish(self) -> bytes:
        if not self._unpacker.eof:
            raise BadBody(400, "the gzip body ends early")
        return super().finish()
