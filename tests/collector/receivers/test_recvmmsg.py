"""Both ways of emptying a socket give the same."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from collector.receivers.recvmmsg import (
    DATAGRAM,
    MAX_DATAGRAMS,
    DatagramReader,
    RecvmmsgReader,
    RecvReader,
    create_reader,
)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture(params=[RecvmmsgReader, RecvReader])
def reader(request: pytest.FixtureRequest, receiver: socket.socket) -> DatagramReader:
    if request.param is RecvmmsgReader and sys.platform != "linux":
        pytest.skip("Linux only")
    made: DatagramReader = request.param(receiver)
    return made


def send(receiver: socket.socket, *payloads: bytes) -> None:
    """Send to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads:
            sender.sendto(payload, receiver.getsockname())


def test_datagrams_whole_and_in_order(receiver: socket.socket, reader: DatagramReader) -> None:
    """Short, empty and the largest there are, again and again from the same buffers."""
    assert reader.read() == []
    payloads = [b"first", b"", bytes(range(256)) * 255, b"x" * 65_507, b"last"]
    for _ in range(3):
        send(receiver, *payloads)
        assert reader.read() == payloads
    assert reader.read() == []


def test_so_many_at_once(receiver: socket.socket, reader: DatagramReader) -> None:
    """The rest waits for the next call."""
    send(receiver, *[str(number).encode() for number in range(MAX_DATAGRAMS + 10)])
    first, rest = reader.read(), reader.read()
    assert len(first) == MAX_DATAGRAMS
    assert [int(text) for text in first + rest] == list(range(MAX_DATAGRAMS + 10))
    assert DATAGRAM > 65_507


def test_closed_socket(receiver: socket.socket, reader: DatagramReader) -> None:
    """An error, not silence."""
    receiver.close()
    with pytest.raises(OSError):  # noqa: PT011
        reader.read()


def test_the_fastest_there_is(receiver: socket.socket) -> None:
    """On Linux one system call for many."""
    expected = RecvmmsgReader if sys.platform == "linux" else RecvReader
    assert isinstance(create_reader(receiver), expected)
