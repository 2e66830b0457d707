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
from typing import Protocol

DATAGRAM = 65_536
"""The daemon's own read buffer: more than IP can carry."""
MAX_DATAGRAMS = 256


class DatagramReader(Protocol):
    """Reads without waiting."""

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

    def __init__(self, sock: socket.socket) -> None:
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
        return [
            bytes(view[start : start + messages[index].size])
            for index, start in enumerate(range(0, count * DATAGRAM, DATAGRAM))
        ]


class RecvReader:
    """recv(2) until the buffer is empty."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def read(self) -> list[bytes]:
        """Up to `MAX_DATAGRAMS` datagrams."""
        datagrams: list[bytes] = []
        try:
            while len(datagrams) < MAX_DATAGRAMS:
                datagrams.append(self._socket.recv(DATAGRAM, socket.MSG_DONTWAIT))
        except (BlockingIOError, InterruptedError):
            pass
        return datagrams


def create_reader(sock: socket.socket) -> DatagramReader:
    """The fastest reader of this system."""
    if sys.platform == "linux":
        try:
            return RecvmmsgReader(sock)
        except OSError:
            pass
    return RecvReader(sock)
