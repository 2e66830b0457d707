"""What one HTTP/2 connection to the gRPC receiver may cost, seen on the wire."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from collector.pipeline import IngestPipeline
from collector.receivers.grpc import CONNECTION_LIMITS, GrpcReceiver
from tests.waiting import SECONDS

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING, GOAWAY = 4, 6, 7
MAX_STREAMS, MAX_HEADER_LIST = 3, 6
"""Parameters of a SETTINGS frame."""
ENHANCE_YOUR_CALM = 11
"""The reason of a GOAWAY to an abusive peer."""


class Connection:
    """A client that speaks frames (RFC 9113, section 4.1)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.write(PREFACE)
        self.send(SETTINGS, b"")

    def send(self, kind: int, payload: bytes) -> None:
        self._writer.write(
            struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + bytes(4) + payload
        )

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """What the server sends, by type, until it closes the connection."""
        try:
            while header := await self._reader.readexactly(9):
                size = int.from_bytes(header[:3], "big")
                yield header[3], await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def first(self, kind: int) -> bytes:
        """The payload of the next frame of a type."""
        async for found, payload in self.frames():
            if found == kind:
                return payload
        raise AssertionError(f"closed without a frame of type {kind}")


def talk(
    pipeline: IngestPipeline,
    scenario: Callable[[Connection], Awaitable[None]],
    limits: Mapping[str, int] = CONNECTION_LIMITS,
) -> None:
    async def whole() -> None:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0, limits=limits)
        host, _, port = (await receiver.start()).rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.timeout(SECONDS):
                await scenario(Connection(reader, writer))
        finally:
            writer.close()
            await receiver.stop(0.1)

    asyncio.run(whole())


def test_streams_and_metadata_are_limited(pipeline: IngestPipeline) -> None:
    """The server announces it; a client that ignores it is reset."""

    async def scenario(connection: Connection) -> None:
        payload = await connection.first(SETTINGS)
        settings = dict(struct.iter_unpack(">HI", payload))
        assert settings[MAX_STREAMS] == CONNECTION_LIMITS["grpc.max_concurrent_streams"] == 100
        most = CONNECTION_LIMITS["grpc.absolute_max_metadata_size"]
        assert settings[MAX_HEADER_LIST] == most == 65_536

    talk(pipeline, scenario)


def test_a_peer_that_pings_all_the_time_is_disconnected(pipeline: IngestPipeline) -> None:
    async def scenario(connection: Connection) -> None:
        for number in range(10):
            connection.send(PING, number.to_bytes(8, "big"))
        found = [frame async for frame in connection.frames()]  # ends when the server closes
        # A GOAWAY may be lost: the server closes while our pings are still arriving.
        reasons = [payload[4:8] for kind, payload in found if kind == GOAWAY]
        assert reasons in ([], [ENHANCE_YOUR_CALM.to_bytes(4, "big")])

    talk(pipeline, scenario)


@pytest.mark.parametrize("limit", ["grpc.max_connection_age_ms", "grpc.max_connection_idle_ms"])
def test_a_connection_is_renewed(pipeline: IngestPipeline, limit: str) -> None:
    """GOAWAY: the client opens another one, perhaps to another collector."""
    assert CONNECTION_LIMITS[limit] == 30 * 60_000

    async def scenario(connection: Connection) -> None:
        _, reason = struct.unpack(">II", (await connection.first(GOAWAY))[:8])
        assert reason != ENHANCE_YOUR_CALM

    talk(pipeline, scenario, {**CONNECTION_LIMITS, limit: 200})
