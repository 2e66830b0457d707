"""The collector process: every receiver, signals, and what is left on disk."""

from __future__ import annotations

import errno
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

import grpc
import httpx
import pytest
from prometheus_client import CollectorRegistry

from collector import app, net
from collector._pb import segments_pb2
from collector.app import run_collector
from collector.batches import Limits
from collector.journal.adopt import folders
from collector.journal.format import Kind, encode, pack, unpack
from collector.journal.quarantine import Quarantine
from collector.journal.reader import read, scan
from collector.journal.writer import Journal
from collector.metrics import IngestMetrics
from collector.net import PortInUseError
from collector.settings import CollectorSettings
from store.memory import MemoryStore
from store.protocol import SegmentWriter
from tests.collector.samples import datagram, segment_bytes, segment_service
from tests.waiting import SECONDS, eventually

ROOT = Path(__file__).parents[2]

UNAVAILABLE_STORE = """
import json, sys
from pathlib import Path
from collector.app import run_collector
from collector.settings import CollectorSettings
from store.errors import StoreUnavailable

class UnavailableStore:
    def check(self):
        raise StoreUnavailable("connection refused")

    def put(self, documents, token):
        self.check()

    def close(self):
        pass

def ready(addresses):
    # Not where threads log: a line of theirs may begin in the middle of this one.
    print(json.dumps(addresses), file=sys.stderr, flush=True)

sys.exit(run_collector(CollectorSettings(
    writer=UnavailableStore, data_dir=Path(sys.argv[1]), port=0, grpc_port=0, on_ready=ready)))
"""


class Running:
    """A collector in a thread."""

    def __init__(self, store: SegmentWriter, path: Path, **settings: object) -> None:
        self.addresses: Mapping[str, str] = {}
        self.code: int | None = None
        ready, self._stop = threading.Event(), threading.Event()

        def on_ready(addresses: Mapping[str, str]) -> None:
            self.addresses = addresses
            ready.set()

        fields = {
            "writer": lambda: store,
            "data_dir": path,
            "port": 0,
            "grpc_port": 0,
            "on_ready": on_ready,
            "limits": Limits(linger=0.02),
            "metrics": IngestMetrics(CollectorRegistry()),
            **settings,
        }
        self.settings = CollectorSettings(**fields)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert ready.wait(SECONDS)

    def _run(self) -> None:
        self.code = run_collector(self.settings, self._stop)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)


def port_of(address: str) -> int:
    """The port in host:port."""
    return int(address.rpartition(":")[2])


def send(address: str, payload: bytes) -> None:
    """One datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, ("127.0.0.1", port_of(address)))


def stored(memory: MemoryStore) -> int:
    """Stored documents."""
    return sum(len(trace.documents) for trace in memory._traces.values())


@pytest.mark.slow
def test_every_receiver(memory: MemoryStore, tmp_path: Path) -> None:
    """UDP and HTTP on one number, gRPC beside them; nothing is left behind at the end."""
    running = Running(memory, tmp_path, http=True)
    addresses = running.addresses
    assert port_of(addresses["udp"]) == port_of(addresses["http"])
    send(addresses["udp"], datagram(segment_bytes("00000000000000a1")))
    body = {"TraceSegmentDocuments": [segment_bytes("00000000000000a2").decode()]}
    base = "http://" + addresses["http"]
    assert httpx.post(base + "/TraceSegments", json=body).status_code == 200
    with grpc.insecure_channel(addresses["grpc"]) as channel:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=[segment_bytes("00000000000000a3")])
        assert stub.PutSegments(request).stored == 1
    eventually(lambda: "raymap_documents_stored_total 3.0" in httpx.get(base + "/metrics").text)
    assert stored(memory) == 3
    assert httpx.get(base + "/healthz").json() == {"status": "ok"}
    for path in ("/readyz", "/readyz?role=receive"):
        assert httpx.get(base + path).status_code == 200
    reading = httpx.get(base + "/readyz?role=read")
    assert (reading.status_code, reading.json()["ready"]) == (503, False)
    assert reading.json()["problems"] == ["this process answers no queries"]
    running.stop()
    assert running.code == 0
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_port_for_two_receivers(
    memory: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system chose it for UDP alone: when TCP of that number is taken, it is another."""
    real = net.listen
    refused: list[int] = []

    def listen(host: str, port: int, *, reuse_port: bool) -> socket.socket:
        if len(refused) < 2:
            refused.append(port)
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(host, port, reuse_port=reuse_port)

    monkeypatch.setattr(app, "listen", listen)
    running = Running(memory, tmp_path, http=True)
    assert port_of(running.addresses["udp"]) == port_of(running.addresses["http"])
    assert len(refused) == 2
    for port in refused:  # nothing stays open
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
    running.stop()


def test_ports_in_use(memory: MemoryStore, tmp_path: Path) -> None:
    """Which port and which kind, and nothing stays open."""
    running = Running(memory, tmp_path, http=True)
    taken = {kind: port_of(address) for kind, address in running.addresses.items()}
    for kind, change in (
        ("UDP", {"port": taken["udp"]}),
        ("gRPC", {"grpc_port": taken["grpc"]}),
    ):
        settings = CollectorSettings(
            writer=MemoryStore,
            data_dir=tmp_path,
            metrics=IngestMetrics(CollectorRegistry()),
            **{"port": 0, "grpc_port": 0, **change},  # type: ignore[arg-type]
        )
        with pytest.raises(PortInUseError) as caught:
            run_collector(settings, threading.Event())
        assert (caught.value.port, caught.value.kind) == (next(iter(change.values())), kind)
    running.stop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = CollectorSettings(
            writer=MemoryStore,
            data_dir=tmp_path,
            metrics=IngestMetrics(CollectorRegistry()),
            port=port,
            grpc_port=None,
            http=True,
        )
        with pytest.raises(PortInUseError, match="HTTP"):
            run_collector(settings, threading.Event())


@pytest.mark.slow
def test_two_share_the_ports(memory: MemoryStore, tmp_path: Path) -> None:
    """With SO_REUSEPORT the kernel spreads senders; each keeps what it got."""
    first = Running(memory, tmp_path, reuse_port=True, http=True)
    ports = {kind: port_of(address) for kind, address in first.addresses.items()}
    second = Running(
        memory, tmp_path, reuse_port=True, http=True, port=ports["udp"], grpc_port=ports["grpc"]
    )
    for id in range(1, 101):
        send(first.addresses["udp"], datagram(segment_bytes(f"{id:016x}")))
    eventually(lambda: stored(memory) == 100)
    received = [r.settings.metrics.snapshot()["received"] for r in (first, second)]  # type: ignore[union-attr]
    assert sum(received) == 100
    first.stop()
    second.stop()


def start_unavailable(path: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """A collector process whose store is unavailable, and its addresses."""
    process = subprocess.Popen(
        [sys.executable, "-c", UNAVAILABLE_STORE, str(path)],
        cwd=ROOT,
        stdout=DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:  # warnings may come before
        if line.startswith("{"):
            return process, json.loads(line)
    raise AssertionError("it did not come up")


def put_two(addresses: dict[str, str]) -> None:
    """An acknowledged put of two documents."""
    with grpc.insecure_channel(addresses["grpc"]) as channel:
        stub = segment_service(channel)
        documents = [segment_bytes("00000000000000a1"), segment_bytes("00000000000000a2")]
        assert stub.PutSegments(segments_pb2.PutSegmentsRequest(documents=documents)).stored == 2


@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_terminated(tmp_path: Path, number: int) -> None:
    """What UDP had delivered and what was acknowledged is on disk; the exit code is 0."""
    process, addresses = start_unavailable(tmp_path)
    put_two(addresses)
    send(addresses["udp"], datagram(segment_bytes("00000000000000a3")))
    process.send_signal(number)
    assert process.wait(SECONDS) == 0
    assert process.stderr is not None
    process.stderr.close()
    assert _ids_on_disk(tmp_path) == {"00000000000000a1", "00000000000000a2", "00000000000000a3"}


@pytest.mark.server
def test_killed(tmp_path: Path) -> None:
    """After SIGKILL what was acknowledged is there for the next process."""
    process, addresses = start_unavailable(tmp_path)
    put_two(addresses)
    process.kill()
    process.wait(SECONDS)
    assert process.stderr is not None
    process.stderr.close()
    assert _ids_on_disk(tmp_path) == {"00000000000000a1", "00000000000000a2"}
    memory = MemoryStore()
    running = Running(memory, tmp_path)
    eventually(lambda: stored(memory) == 2)
    running.stop()


def _ids_on_disk(path: Path) -> set[str]:
    records = [
        record
        for folder in folders(path / "journal")
        for batch in scan(folder, 1000, 1 << 30).slowest.batches
        for record in read(folder, batch.start, batch.end)
        if record.payload is not None
    ]
    return {json.loads(raw)["id"] for record in records for raw in unpack(record.payload or b"")}


POISONED_STORE = """
import os, signal, sys
from pathlib import Path
from collector import replay
from collector.app import run_collector
from collector.batches import Limits
from collector.settings import CollectorSettings
from store.memory import MemoryStore

real = replay.decode_again

def decode_again(kind, version, content):
    if b"poison" in content:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(kind, version, content)

class Store(MemoryStore):
    def put(self, documents, token):
        super().put(documents, token)
        with open(sys.argv[2], "a") as file:
            file.writelines(f"{document.id}\\n" for document in documents)

def ready(addresses):
    Path(sys.argv[3]).touch()

replay.decode_again = decode_again
sys.exit(run_collector(CollectorSettings(
    writer=Store, data_dir=Path(sys.argv[1]), port=0, grpc_port=None, on_ready=ready)))
"""


@pytest.mark.server
def test_a_record_that_kills_its_adopter(tmp_path: Path) -> None:
    """Three processes die of it; the fourth sets it aside, and stores what is around it."""
    journal = Journal.create(tmp_path / "journal", "test")
    for id, name in ((1, "good"), (2, "poison"), (3, "good")):
        payload = pack([segment_bytes(f"{id:016x}", name=name)])
        journal.write([encode(Kind.DOCUMENTS, id, 1, payload)])
    journal.release()
    stored, ready = tmp_path / "stored", tmp_path / "ready"

    @contextmanager
    def start() -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-c", POISONED_STORE, *map(str, (tmp_path, stored, ready))]
        with subprocess.Popen(command, cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()  # after a failure it would be waited for without end

    for _ in range(3):
        with start() as victim:
            assert victim.wait(SECONDS) == -signal.SIGKILL
        assert not stored.exists()
    with start() as survivor:
        eventually(ready.exists, "signals are caught")
        eventually(stored.exists)
        survivor.terminate()
        assert survivor.wait(SECONDS) == 0
    assert sorted(stored.read_text().split()) == ["1", "3"]
    (entry,) = Quarantine(tmp_path / "journal").read()
    assert (entry.version, entry.reason) == (2, "processes died while they decoded it")
    assert folders(tmp_path / "journal") == []
