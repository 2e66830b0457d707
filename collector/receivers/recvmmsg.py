"""Reads all waiting datagrams of a socket in one system call.

`socket.recv` releases the interpreter lock every time, and beside busy insert threads gets it back
only after 5 ms: 200 datagrams a second. `recvmmsg`, called without releasing the lock (it never
blocks here), empties the receive buffer at once. Systems other than Linux use recv.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import sys
from ipaddress import ip_address
from typing import Protocol

from collector.allowed_senders import AllowedSenders

DATAGRAM = 65_536
"""The daemon's own read buffer: more than IP can carry."""
MAX_DATAGRAMS = 256
ADDRESS = 28
"""Bytes of the largest address of a sender, a sockaddr_in6."""


class DatagramReader(Protocol):
    """Reads without waiting. ``refused``: datagrams of senders that are not allowed, so far."""

    refused: int

    def read(self) -> list[bytes]:
        """Up to `MAX_DATAGRAMS` datagrams that have arrived, without waiting for more."""
        ...


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("size", ctypes.c_uint))


class RecvmmsgReader:
    """recvmmsg(2) into reused buffers. Raises OSError where it is absent."""

    def __init__(self, sock: socket.socket, allowed: AllowedSenders | None = None) -> None:
        self.refused = 0
        self._allowed = allowed
        library = ctypes.PyDLL(None, use_errno=True)  # PyDLL: the lock is not released
        try:
            self._receive = library.recvmmsg
        except AttributeError as error:
            raise OSError(errno.ENOSYS, "no recvmmsg") from error
        self._receive.argtypes = (
            ctypes.c_int, ctypes.POINTER(_Message), ctypes.c_uint, ctypes.c_int, ctypes.c_void_p,
        )  # fmt: skip
        self._receive.restype = ctypes.c_int
        self._descriptor = sock.fileno()
        self._buffer = bytearray(DATAGRAM * MAX_DATAGRAMS)
        self._view = memoryview(self._buffer)
        self._vectors = (_Vector * MAX_DATAGRAMS)()
        self._messages = (_Message * MAX_DATAGRAMS)()
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer))
        for index, (vector, message) in enumerate(zip(self._vectors, self._messages, strict=True)):
            vector.base = start + index * DATAGRAM
            vector.size = DATAGRAM
            message.header.vectors = ctypes.pointer(vector)
            message.header.vector_count = 1
        self._names = bytearray(ADDRESS * MAX_DATAGRAMS)
        if allowed is not None:
            names = ctypes.addressof(ctypes.c_char.from_buffer(self._names))
            for index, message in enumerate(self._messages):
                message.header.name = names + index * ADDRESS
                message.header.name_size = ADDRESS

    def read(self) -> list[bytes]:
        """Up to `MAX_DATAGRAMS` datagrams."""
        count = self._receive(
            self._descriptor, self._messages, MAX_DATAGRAMS, socket.MSG_DONTWAIT, None
        )
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(number, "recvmmsg failed")
        view, messages = self._view, self._messages
        places = range(count) if self._allowed is None else self._permitted(count, self._allowed)
        return [
            bytes(view[index * DATAGRAM : index * DATAGRAM + messages[index].size])
            for index in places
        ]

    def _permitted(self, count: int, allowed: AllowedSenders) -> list[int]:
        """The places of datagrams whose senders are allowed."""
        found = []
        for index in range(count):
            self._messages[index].header.name_size = ADDRESS  # the kernel has written the real size
            if allowed.allows(_packed(self._names, index * ADDRESS)):
                found.append(index)
        self.refused += count - len(found)
        return found


def _packed(names: bytearray, start: int) -> bytes:
    """The address in a sockaddr_in or sockaddr_in6."""
    family = int.from_bytes(names[start : start + 2], sys.byteorder)
    first, last = (4, 8) if family == socket.AF_INET else (8, 24)
    return bytes(names[start + first : start + last])


class RecvReader:
    """recv(2) until the buffer is empty."""

    def __init__(self, sock: socket.socket, allowed: AllowedSenders | None = None) -> None:
        self.refused = 0
        self._allowed = allowed
        self._socket = sock

    def read(self) -> list[bytes]:
        """Up to `MAX_DATAGRAMS` datagrams."""
        datagrams: list[bytes] = []
        try:
            while len(datagrams) < MAX_DATAGRAMS:
                datagram, sender = self._socket.recvfrom(DATAGRAM, socket.MSG_DONTWAIT)
                packed = ip_address(sender[0].partition("%")[0]).packed
                if self._allowed is None or self._allowed.allows(packed):
                    datagrams.append(datagram)
                else:
                    self.refused += 1
        except (BlockingIOError, InterruptedError):
            pass
        return datagrams


def create_reader(sock: socket.socket, allowed: AllowedSenders | None = None) -> DatagramReader:
    """The fastest reader of this system. ``allowed``: whose datagrams are read; those of others are
    counted."""
    if sys.platform == "linux":
        try:
            return RecvmmsgReader(sock, allowed)
        except OSError:
            pass
    return RecvReader(sock, allowed)
