"""Opens listening sockets, and names the port when another process has it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

BACKLOG = 2048


class PortInUseError(Exception):
    """Another process listens on the port. ``kind`` is UDP, gRPC, OTLP or HTTP."""

    def __init__(self, port: int, kind: str) -> None:
        super().__init__(f"{kind} port {port} is in use")
        self.port = port
        self.kind = kind


def bind(
    kind: socket.SocketKind, host: str, port: int, *, reuse_port: bool = False
) -> socket.socket:
    """A bound socket; port 0 lets the system choose. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    sock = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A listening TCP socket. Raises OSError."""
    sock = bind(socket.SOCK_STREAM, host, port, reuse_port=reuse_port)
    try:
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


@contextmanager
def naming_port(port: int, kind: str) -> Iterator[None]:
    """Raises PortInUseError instead of the OSError of a port that is in use."""
    try:
        yield
    except OSError as error:
        # gRPC reports the reason in its message only, without an errno.
        if error.errno in (errno.EADDRINUSE, None):
            raise PortInUseError(port, kind) from error
        raise


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a socket bound to ``host``."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def format_address(host: str, port: int) -> str:
    """``host:port``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
