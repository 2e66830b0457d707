"""The UDP receiver that every X-Ray SDK knows, usually port 2000. UDP has no acknowledgements.

One thread only reads, another decodes: while it is behind, datagrams move from the kernel's buffer,
small on most systems, into our memory. Both are bounded, and the kernel's drops are counted.
"""

from __future__ import annotations

import logging
import select
import socket
import sys
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue

import structlog

from collector.allowed_senders import AllowedSenders
from collector.decode.daemon import split_datagram
from collector.decode.rejected import Rejected
from collector.net import bind
from collector.pipeline import IngestPipeline
from collector.receivers.kernel_drops import KernelDrops
from collector.receivers.recvmmsg import MAX_DATAGRAMS, create_reader

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 64 << 20
"""The requested size. The kernel doubles it and charges 2304 bytes for a datagram up to 1.6 kB and 4352
up to 3.7 kB (measured): a second of 30,000 datagrams of either."""
SMALL_BUFFER = 8 << 20
"""A granted buffer below this is logged as a warning: less than 0.1 s of 30,000 datagrams."""
IDLE_ROUNDS = 25
"""Rounds of 0.2 s without a datagram of which one counts what the kernel dropped: the first, then one in five seconds."""
GATHER = 0.05
"""Seconds between two reads when the first found few datagrams: of a steady stream many are then read,
decoded and written together: at 3,000 a second in 41 µs of CPU each, in 51 after 0.02 s (measured)."""
_HALF_SECOND = 2304 * 2 * 30_000
"""Bytes that 30,000 datagrams a second fill in half a second: the buffer must last while we gather."""
READ_AHEAD = 48 << 20
"""Bytes of datagrams read but not yet decoded: a second of 30,000."""
_OVERHEAD = 120
"""Bytes in memory of a datagram beside its own."""
_SO_RCVBUFFORCE = 33
_ROOM_WAIT = 5.0
"""Seconds that the receiver pauses while the store does not keep up: meanwhile later datagrams stay in
the kernel's buffer."""


class UdpReceiver:
    """One socket, two threads."""

    def __init__(
        self,
        pipeline: IngestPipeline,
        host: str = "127.0.0.1",
        port: int = 2000,
        *,
        reuse_port: bool = False,
        read_ahead: int = READ_AHEAD,
        allowed: AllowedSenders | None = None,
    ) -> None:
        """Bind. Raises OSError when the port is in use. ``allowed``: who may send, if not everyone."""
        self._pipeline = pipeline
        self._socket = bind(socket.SOCK_DGRAM, host, port, reuse_port=reuse_port)
        _request_buffer(self._socket)
        self._datagrams = create_reader(self._socket, allowed)
        self._refused = 0
        buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._gather = min(GATHER, buffer / _HALF_SECOND)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._stopping = threading.Event()
        self._kernel_drops = KernelDrops(self._socket)
        self._read_ahead = read_ahead
        self._waiting: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._read = self._decoded = 0  # bytes; each is written by one thread only
        self._room = threading.Event()
        self._reader = threading.Thread(target=self._read_loop, name="udp-read", daemon=True)
        self._decoder = threading.Thread(target=self._decode_loop, name="udp-decode", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """The address it is bound to."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Start reading."""
        buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        if buffer < 2 * RECEIVE_BUFFER:
            log.log(
                logging.WARNING if buffer < SMALL_BUFFER else logging.INFO,
                "udp_buffer_small",
                bytes=buffer,
                wanted=2 * RECEIVE_BUFFER,
                remedy=f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER}",
            )
        self._reader.start()
        self._decoder.start()

    def stop(self) -> None:
        """Read and decode what the kernel has received, and close."""
        self._stopping.set()
        for thread in (self._reader, self._decoder):
            if thread.is_alive():
                thread.join(5.0)
        if not self._reader.is_alive():
            self._socket.close()

    def _read_loop(self) -> None:
        busy = idle = 0
        try:
            while True:
                datagrams = self._receive()
                if datagrams:
                    self._enqueue(datagrams)
                    if len(datagrams) < MAX_DATAGRAMS:
                        self._stopping.wait(self._gather)
                elif self._stopping.is_set():
                    break
                busy, idle = (busy + 1, 0) if datagrams else (0, idle + 1)
                if busy % 16 == 15 or idle % IDLE_ROUNDS == 1:
                    self._count_kernel_drops()
            self._count_kernel_drops()
        finally:
            self._waiting.put(None)

    def _receive(self) -> list[bytes]:
        """Wait up to 0.2 s for datagrams and read those that have arrived."""
        try:
            return self._datagrams.read() if self._poll.poll(200) else []
        except OSError as error:
            log.warning("udp_receive_failed", error=str(error))
            self._stopping.wait(0.2)
            return []

    def _enqueue(self, datagrams: list[bytes]) -> None:
        """Hand over to the decoder; wait while it is `READ_AHEAD` bytes behind."""
        size = _size(datagrams)
        while 0 < self._read - self._decoded > self._read_ahead - size:
            self._room.clear()
            if self._read - self._decoded > self._read_ahead - size:
                self._room.wait(0.2)
        self._read += size
        self._waiting.put(datagrams)

    def _decode_loop(self) -> None:
        more = True
        while more:
            datagrams, more = self._next()
            try:
                self.process(datagrams)
            except Exception:
                log.exception("udp_failed")  # a bug must not end the receiver
            self._decoded += _size(datagrams)
            self._room.set()

    def _next(self) -> tuple[list[bytes], bool]:
        """About `MAX_DATAGRAMS` undecoded datagrams; False once the reader has ended."""
        datagrams: list[bytes] = []
        with suppress(Empty):
            while len(datagrams) < MAX_DATAGRAMS:
                few = self._waiting.get(block=not datagrams)
                if few is None:
                    return datagrams, False
                datagrams += few
        return datagrams, True

    def process(self, datagrams: list[bytes]) -> None:
        """Split, decode and journal datagrams."""
        raws: list[bytes] = []
        bad: list[Rejected] = []
        for datagram in datagrams:
            try:
                raws.append(split_datagram(datagram))
            except Rejected as rejected:
                bad.append(rejected)
        if bad:
            self._pipeline.reject_received("udp", bad)
        self._pipeline.offer(self._pipeline.decode(raws, "udp"), _ROOM_WAIT)

    def _count_kernel_drops(self) -> None:
        refused = self._datagrams.refused - self._refused
        if refused:
            self._refused += refused
            self._pipeline.metrics.udp_refused.inc(refused)
            log.warning("udp_sender_not_allowed", datagrams=refused)
        dropped = self._kernel_drops.since_last()
        for reason, count in dropped.items():
            self._pipeline.metrics.kernel_drops.labels(reason).inc(count)
        if dropped:
            log.warning("udp_kernel_drops", **dropped)


def _size(datagrams: list[bytes]) -> int:
    return sum(map(len, datagrams)) + _OVERHEAD * len(datagrams)


def _request_buffer(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if sys.platform == "linux":
        with suppress(OSError):  # beyond net.core.rmem_max, where privileges allow it
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
