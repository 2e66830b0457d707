"""Datagrams of functions in containers → Raymap, which listens where containers cannot reach it.

On Linux a container reaches the host at the address of Docker's bridge, which also is what Docker
makes of ``host-gateway``; Docker Desktop lets ``host.docker.internal`` reach 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import psutil

from raymap.errors import CommandError

BRIDGE = "docker0"
HOST = "host.docker.internal"
MAX_DATAGRAM = 65_535


def bridge_address() -> str:
    """Where containers reach this machine: the bridge's address, else loopback."""
    for address in psutil.net_if_addrs().get(BRIDGE, ()):
        if address.family == socket.AF_INET:
            return str(address.address)
    return "127.0.0.1"


class Relay:
    """Forwards datagrams from ``listen`` (an address, any free port) to ``to`` (host:port)."""

    def __init__(self, listen: str, to: str) -> None:
        host, _, port = to.rpartition(":")
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        self._to: Any
        family, kind, _, _, self._to = found[0]
        try:
            self._in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._in.bind((listen, 0))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {listen}: {error.strerror}. Name another address with --listen."
            ) from None
        self._out = socket.socket(family, kind)
        self.port: int = self._in.getsockname()[1]
        self.datagrams = 0
        self._closed = False
        threading.Thread(target=self._run, name="sam-relay", daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                datagram = self._in.recv(MAX_DATAGRAM)
                if self._closed:
                    return
                self.datagrams += 1
                with contextlib.suppress(ConnectionRefusedError):
                    self._out.sendto(datagram, self._to)

    def close(self) -> None:
        """Stop; what has not been read is lost."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._in.shutdown(socket.SHUT_RDWR)  # recv returns
        self._in.close()
        self._out.close()
