"""The UDP receiver: real sockets on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import structlog

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers import udp as udp_module
from collector.receivers.udp import RECEIVE_BUFFER, UdpReceiver
from store.memory import MemoryStore
from tests.collector.samples import datagram, segment_bytes
from tests.waiting import eventually


@pytest.fixture
def udp(pipeline: IngestPipeline) -> Iterator[UdpReceiver]:
    receiver = UdpReceiver(pipeline, port=0)
    receiver.start()
    yield receiver
    receiver.stop()


def send(receiver: UdpReceiver, *datagrams: bytes) -> None:
    """Send to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in datagrams:
            sender.sendto(payload, receiver.address)


def test_documents_arrive(udp: UdpReceiver, memory: MemoryStore, metrics: IngestMetrics) -> None:
    """Good ones are stored, bad ones counted by reason, and the receiver goes on."""
    send(
        udp,
        datagram(segment_bytes("00000000000000a1")),
        b"nonsense",
        datagram(b"not json"),
        b"",
        datagram(segment_bytes("00000000000000a2")),
    )
    eventually(lambda: metrics.snapshot()["stored"] == 2)
    (trace,) = memory._traces.values()
    assert set(trace.documents) == {0xA1, 0xA2}
    assert metrics.snapshot()["received"] == 5
    assert metrics.snapshot()["rejected_by_reason"] == {
        "InvalidDatagram": 2,
        "InvalidSegmentDocument": 1,
    }


def test_largest_datagram(udp: UdpReceiver, metrics: IngestMetrics) -> None:
    """All that IP can carry."""
    document = segment_bytes(note="")
    padding = 65_507 - len(datagram(document))
    send(udp, datagram(segment_bytes(note="x" * padding)))
    eventually(lambda: metrics.snapshot()["stored"] == 1)


def test_a_bug_does_not_end_the_receiver(
    udp: UdpReceiver,
    pipeline: IngestPipeline,
    metrics: IngestMetrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes wrong with one batch of datagrams is over with the next."""
    with monkeypatch.context() as patch:
        patch.setattr(udp, "process", lambda datagrams: 1 / 0)
        send(udp, b"x")
        eventually(lambda: udp._decoded > 0)
    send(udp, datagram(segment_bytes()))
    eventually(lambda: metrics.snapshot()["stored"] == 1)


def test_stop_reads_what_the_kernel_has(pipeline: IngestPipeline, metrics: IngestMetrics) -> None:
    """Datagrams that have arrived are not lost."""
    receiver = UdpReceiver(pipeline, port=0)
    send(receiver, *[datagram(segment_bytes(f"{id:016x}")) for id in range(1, 201)])
    receiver.start()
    receiver.stop()
    assert metrics.snapshot()["received"] == 200


def test_taken_port(udp: UdpReceiver, pipeline: IngestPipeline) -> None:
    """Two may share it only when both agreed."""
    with pytest.raises(OSError, match="in use"):
        UdpReceiver(pipeline, port=udp.address[1])
    first = UdpReceiver(pipeline, port=0, reuse_port=True)
    second = UdpReceiver(pipeline, port=first.address[1], reuse_port=True)
    assert first.address == second.address
    first.stop()
    second.stop()


def test_ipv6(pipeline: IngestPipeline, metrics: IngestMetrics) -> None:
    """The same receiver on ::1, where the machine has it."""
    try:
        receiver = UdpReceiver(pipeline, "::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback")
    receiver.start()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram(segment_bytes()), receiver.address)
    eventually(lambda: metrics.snapshot()["stored"] == 1)
    receiver.stop()


def test_kernel_drops_are_counted(pipeline: IngestPipeline, metrics: IngestMetrics) -> None:
    """What did not fit into the receive buffer before the thread came to it."""
    receiver = UdpReceiver(pipeline, port=0)
    buffer = receiver._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    receiver._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    send(receiver, *[datagram(segment_bytes(f"{id:016x}")) for id in range(1, 101)])
    receiver.start()
    receiver.stop()
    snapshot = metrics.snapshot()
    assert b'raymap_udp_kernel_drops_total{reason="buffer"}' in metrics.render()
    assert snapshot["kernel_drops"] > 0
    assert snapshot["kernel_drops"] + snapshot["received"] == 100
    assert buffer >= min(RECEIVE_BUFFER, 200_000)


def test_a_burst_waits_in_memory_while_the_decoder_is_behind(
    pipeline: IngestPipeline, metrics: IngestMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader goes on: more than fits in the kernel's buffer is received, up to the bound."""
    receiver = UdpReceiver(pipeline, port=0)
    receiver._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    monkeypatch.setattr(receiver, "_gather", 0.0)  # each is read before the next is sent
    resume = threading.Event()
    process = receiver.process
    monkeypatch.setattr(
        receiver, "process", lambda datagrams: (resume.wait(60), process(datagrams))
    )
    receiver.start()
    for id in range(1, 101):
        before = receiver._read
        send(receiver, datagram(segment_bytes(f"{id:016x}")))
        eventually(lambda before=before: receiver._read > before)  # type: ignore[misc]
    assert receiver._decoded == 0
    resume.set()
    receiver.stop()
    assert metrics.snapshot()["received"] == 100
    assert metrics.snapshot()["kernel_drops"] == 0


def test_few_at_a_time_are_left_to_become_many(
    pipeline: IngestPipeline, metrics: IngestMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is taken at once; those that come soon after it, together."""
    receiver = UdpReceiver(pipeline, port=0)
    monkeypatch.setattr(receiver, "_gather", 60.0)  # until it is stopped
    sizes: list[int] = []

    def process(datagrams: list[bytes]) -> None:
        sizes.append(len(datagrams))
        UdpReceiver.process(receiver, datagrams)

    monkeypatch.setattr(receiver, "process", process)
    receiver.start()
    send(receiver, datagram(segment_bytes(f"{1:016x}")))
    eventually(lambda: sizes == [1])
    for id in range(2, 32):
        send(receiver, datagram(segment_bytes(f"{id:016x}")))
    receiver.stop()
    assert [size for size in sizes if size] == [1, 30]
    assert metrics.snapshot()["received"] == 31


def test_no_more_is_gathered_than_fits_in_a_small_buffer(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp_module, "RECEIVE_BUFFER", 100_000)
    receiver = UdpReceiver(pipeline, port=0)
    receiver.start()
    receiver.stop()
    assert receiver._gather * 30_000 * 2304 <= 100_001
    assert receiver._gather > 0


def test_what_is_read_ahead_is_bounded(
    pipeline: IngestPipeline, metrics: IngestMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound the kernel's buffer fills up, and nothing is lost before that is full."""
    receiver = UdpReceiver(pipeline, port=0, read_ahead=20_000)
    resume = threading.Event()
    process = receiver.process
    monkeypatch.setattr(
        receiver, "process", lambda datagrams: (resume.wait(60), process(datagrams))
    )
    receiver.start()
    payload = datagram(segment_bytes(note="x" * 5_000))
    send(receiver, payload)
    eventually(lambda: receiver._read > 0)  # what is read in one go may be more than the bound
    for _ in range(39):
        send(receiver, payload)
        assert receiver._read - receiver._decoded <= 20_000
    resume.set()
    receiver.stop()
    assert metrics.snapshot()["received"] == 40


def test_a_granted_buffer_that_is_small_is_said(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, with the remedy."""
    receiver = UdpReceiver(pipeline, port=0)
    receiver._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    with structlog.testing.capture_logs() as logs:
        receiver.start()
        receiver.stop()
    (said,) = [entry for entry in logs if entry["event"] == "udp_buffer_small"]
    assert said["remedy"] == f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER}"
