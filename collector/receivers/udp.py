"""The door every X-Ray SDK knows: UDP, usually port 2000. No answers are given here.

A thread of its own loses nothing where asyncio's protocol lost half of a flood (measured), and a
large receive buffer carries over pauses. What the kernel still drops is counted.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from contextlib import suppress

import structlog

from collector.decode.daemon import split_datagram
from collector.decode.rejected import Rejected
from collector.intake import Intake
from collector.receivers.drain import create_drain

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 32 << 20
"""A second of 20,000 datagrams; the kernel grants less to unprivileged processes."""
_SO_RCVBUFFORCE = 33


class UdpReceiver:
    """One socket, one thread."""

    def __init__(
        self, intake: Intake, host: str = "127.0.0.1", port: int = 2000, *, reuse_port: bool = False
    ) -> None:
        """Bind. Raises OSError when the port is taken."""
        self._intake = intake
        self._socket = _bind(host, port, reuse_port)
        self._drain = create_drain(self._socket)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._stopping = threading.Event()
        self._kernel_drops = KernelDrops(self._socket)
        self._thread = threading.Thread(target=self._run, name="udp", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Take what the kernel already holds, and close."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        if not self._thread.is_alive():
            self._socket.close()

    def _run(self) -> None:
        busy_rounds = 0
        while True:
            datagrams = self._receive()
            if datagrams:
                try:
                    self.take(datagrams)
                except Exception:
                    log.exception("udp_failed")  # a bug must not silence the door
            elif self._stopping.is_set():
                break
            busy_rounds = 0 if not datagrams else busy_rounds + 1
            if busy_rounds % 16 == 0:
                self._count_kernel_drops()
        self._count_kernel_drops()

    def _receive(self) -> list[bytes]:
        """The next datagrams: waits for the first, and takes those that are there by then."""
        try:
            return self._drain.take() if self._poll.poll(200) else []
        except OSError as error:
            log.warning("udp_receive_failed", error=str(error))
            self._stopping.wait(0.2)
            return []

    def take(self, datagrams: list[bytes]) -> None:
        """Unwrap, decode and queue datagrams."""
        raws: list[bytes] = []
        bad: list[Rejected] = []
        for datagram in datagrams:
            try:
                raws.append(split_datagram(datagram))
            except Rejected as rejected:
                bad.append(rejected)
        if bad:
            self._intake.counters.received.labels("udp").inc(len(bad))
            self._intake.reject(bad)
        self._intake.offer(self._intake.decode(raws, "udp").documents)

    def _count_kernel_drops(self) -> None:
        dropped = self._kernel_drops.since_last()
        if dropped:
            self._intake.counters.kernel_drops.inc(dropped)
            log.warning("udp_kernel_drops", datagrams=dropped)


class KernelDrops:
    """The kernel's own count of datagrams it had no room for (/proc/net/udp, Linux only)."""

    def __init__(self, sock: socket.socket) -> None:
        self._inode = str(os.fstat(sock.fileno()).st_ino)
        self._table = "/proc/net/udp6" if sock.family == socket.AF_INET6 else "/proc/net/udp"
        self._seen = 0

    def since_last(self) -> int:
        """Drops since the last call."""
        try:
            with open(self._table) as table:
                drops = parse_drops(table.read(), self._inode)
        except OSError:
            return 0
        new, self._seen = drops - self._seen, drops
        return max(0, new)


def parse_drops(table: str, inode: str) -> int:
    """The drops column of the socket with this inode; 0 when it is not listed."""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 13 and columns[9] == inode:
            return int(columns[12])
    return 0


def _bind(host: str, port: int, reuse_port: bool) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if sys.platform == "linux":
            with suppress(OSError):  # beyond net.core.rmem_max, where privileges allow it
                sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
