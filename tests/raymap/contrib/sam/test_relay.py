"""The relay: where it listens, and that datagrams arrive as they were."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from raymap.contrib.sam.relay import Relay, bridge_address
from tests.waiting import eventually


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        yield receiver


def test_datagrams_arrive_unchanged_and_are_counted(receiver: socket.socket) -> None:
    relay = Relay("127.0.0.1", f"127.0.0.1:{receiver.getsockname()[1]}")
    sent = [b'{"format": "json", "version": 1}\n{}', b"\x00" * 60_000, b"", b"last"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in sent:
            sender.sendto(datagram, ("127.0.0.1", relay.port))
            assert receiver.recv(65_535) == datagram
    assert relay.datagrams == len(sent)
    relay.close()


def test_a_receiver_that_is_gone_ends_nothing(receiver: socket.socket) -> None:
    """The kernel reports the refusal of an earlier datagram at the next one."""
    relay = Relay("127.0.0.1", f"127.0.0.1:{receiver.getsockname()[1]}")
    address = receiver.getsockname()
    receiver.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(5):
            sender.sendto(b"x", ("127.0.0.1", relay.port))
        eventually(lambda: relay.datagrams == 5, "all are counted")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(address)
            again.settimeout(60)
            sender.sendto(b"back", ("127.0.0.1", relay.port))
            assert again.recv(100) == b"back"
    relay.close()


def test_it_listens_on_dockers_bridge_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = [
        SimpleNamespace(family=socket.AF_INET6, address="fe80::1"),
        SimpleNamespace(family=socket.AF_INET, address="172.17.0.1"),
    ]
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"lo": [], "docker0": bridge})
    assert bridge_address() == "172.17.0.1"
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"lo": []})
    assert bridge_address() == "127.0.0.1"
