"""The UDP door: real sockets on the loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from collector.counters import Counters
from collector.intake import Intake
from collector.receivers.udp import RECEIVE_BUFFER, KernelDrops, UdpReceiver, parse_drops
from store.memory import MemoryStore
from tests.collector.samples import datagram, eventually, segment_bytes


@pytest.fixture
def udp(intake: Intake) -> Iterator[UdpReceiver]:
    receiver = UdpReceiver(intake, port=0)
    receiver.start()
    yield receiver
    receiver.stop()


def send(receiver: UdpReceiver, *datagrams: bytes) -> None:
    """Send to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in datagrams:
            sender.sendto(payload, receiver.address)


def test_documents_arrive(udp: UdpReceiver, memory: MemoryStore, counters: Counters) -> None:
    """Good ones are stored, bad ones counted by reason, and the door stays open."""
    send(
        udp,
        datagram(segment_bytes("00000000000000a1")),
        b"nonsense",
        datagram(b"not json"),
        b"",
        datagram(segment_bytes("00000000000000a2")),
    )
    eventually(lambda: counters.snapshot()["stored"] == 2)
    (trace,) = memory._traces.values()
    assert set(trace.documents) == {0xA1, 0xA2}
    assert counters.snapshot()["received"] == 5
    assert counters.snapshot()["rejected_by_reason"] == {
        "InvalidDatagram": 2,
        "InvalidSegmentDocument": 1,
    }


def test_largest_datagram(udp: UdpReceiver, counters: Counters) -> None:
    """All that IP can carry."""
    document = segment_bytes(note="")
    padding = 65_507 - len(datagram(document))
    send(udp, datagram(segment_bytes(note="x" * padding)))
    eventually(lambda: counters.snapshot()["stored"] == 1)


def test_a_bug_does_not_silence_the_door(
    udp: UdpReceiver, intake: Intake, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong with one batch of datagrams is over with the next."""
    with monkeypatch.context() as patch:
        patch.setattr(udp, "take", lambda datagrams: 1 / 0)
        send(udp, b"x")
        eventually(lambda: udp._thread.is_alive())
        import time

        time.sleep(0.1)
    send(udp, datagram(segment_bytes()))
    eventually(lambda: counters.snapshot()["stored"] == 1)


def test_stop_takes_what_the_kernel_holds(intake: Intake, counters: Counters) -> None:
    """Datagrams that have arrived are not lost."""
    receiver = UdpReceiver(intake, port=0)
    send(receiver, *[datagram(segment_bytes(f"{id:016x}")) for id in range(1, 201)])
    receiver.start()
    receiver.stop()
    assert counters.snapshot()["received"] == 200


def test_taken_port(udp: UdpReceiver, intake: Intake) -> None:
    """Two may share it only when both agreed."""
    with pytest.raises(OSError, match="in use"):
        UdpReceiver(intake, port=udp.address[1])
    first = UdpReceiver(intake, port=0, reuse_port=True)
    second = UdpReceiver(intake, port=first.address[1], reuse_port=True)
    assert first.address == second.address
    first.stop()
    second.stop()


def test_ipv6(intake: Intake, counters: Counters) -> None:
    """The same door on ::1, where the machine has it."""
    try:
        receiver = UdpReceiver(intake, "::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback")
    receiver.start()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram(segment_bytes()), receiver.address)
    eventually(lambda: counters.snapshot()["stored"] == 1)
    receiver.stop()


def test_kernel_drops_are_counted(intake: Intake, counters: Counters) -> None:
    """What did not fit into the receive buffer before the thread came to it."""
    receiver = UdpReceiver(intake, port=0)
    buffer = receiver._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    receiver._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    send(receiver, *[datagram(segment_bytes(f"{id:016x}")) for id in range(1, 101)])
    receiver.start()
    receiver.stop()
    snapshot = counters.snapshot()
    assert snapshot["kernel_drops"] > 0
    assert snapshot["kernel_drops"] + snapshot["received"] == 100
    assert buffer >= min(RECEIVE_BUFFER, 200_000)


def test_parse_drops() -> None:
    """The last column, of the line with our inode."""
    table = (
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
        "  timeout inode ref pointer drops\n"
        " 1234: 0100007F:07D0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
        "        0 4711 2 0000000000000000 42\n"
        " garbage\n"
    )
    assert parse_drops(table, "4711") == 42
    assert parse_drops(table, "4712") == 0
    assert parse_drops("", "4711") == 0


def test_no_table_no_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems than Linux do not tell."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        drops = KernelDrops(sock)
        drops._table = "/nowhere"
        assert drops.since_last() == 0
