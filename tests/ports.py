"""Ports for processes that cannot choose one themselves."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress


def free_port() -> int:
    """Free for TCP and UDP, and below those that are given out for port 0: no test gets it meanwhile."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(10_000)
        with suppress(OSError), socket.socket() as tcp, _udp() as udp:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
