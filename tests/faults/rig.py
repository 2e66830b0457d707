"""Real processes to break: a ClickHouse, collectors and APIs, senders that remember what was
acknowledged, and a look for all of it afterwards."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psutil

from collector.journal.adopt import folders
from collector.journal.reader import scan
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.faults.child import Plan, be
from tests.faults.gate import Gate
from tests.waiting import SECONDS, eventually

_forks = multiprocessing.get_context("forkserver")
# A start is a fork, not a second of imports: also of what a collector imports once it opens its ports.
_forks.set_forkserver_preload(["tests.faults.child", "collector.http_ports", "uvicorn.loops.auto"])


@dataclass(frozen=True)
class Load:
    """How much is sent, and for how long at each stage. Tests send little, the bench much."""

    connections: int = 2
    documents_per_call: int = 20
    pause: float = 0.02
    """Seconds between two calls of a connection."""
    some: int = 60
    """Documents to be acknowledged before the next step."""
    seconds: float = 0.4
    """Before, and after, a fault."""
    away: float = 1.0
    """Seconds that a fault lasts."""
    slow_insert: float = 0.5


@dataclass
class Row:
    """One line of the fault table."""

    fault: str
    sent: int = 0
    acknowledged: int = 0
    found: int = 0
    missing: int = 0
    """Acknowledged and not found."""
    counted: int = 0
    """Requests of the senders' node in the service graph; one for each document found."""
    called: int = 0
    """Requests of the node they call; the same number."""
    received_twice: int = 0
    """Documents acknowledged at the first try whose trace counts more than one arrival."""
    deferred: int = 0
    """Calls that were answered with an error, or not at all."""
    back_after: float | None = None
    """Seconds from the end of the fault until everything was in the store."""
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def twice(self) -> int:
        """Counted, though there only once."""
        return max(self.counted, self.called) - self.found

    @property
    def passed(self) -> bool:
        return (
            self.acknowledged > 0
            and self.missing == 0
            and self.counted == self.called == self.found
            and self.received_twice == 0
        )


class Process:
    """A collector or an API."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        ours, theirs = _forks.Pipe(duplex=False)
        self._process: ForkServerProcess = _forks.Process(target=be, args=(plan, theirs))
        self._process.start()
        theirs.close()
        if not ours.poll(SECONDS):
            raise AssertionError(f"the {plan.role} was not ready in time: {self.log()[-2000:]}")
        self.addresses: dict[str, str] = ours.recv()
        ours.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def http(self) -> str:
        return self.addresses["http"].removeprefix("http://")

    def get(self, path: str) -> tuple[int, str]:
        """Status and text."""
        connection = http.client.HTTPConnection(self.http, timeout=SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        """What /readyz says, with its status."""
        status, text = self.get("/readyz")
        return {"status": status, **json.loads(text)}

    def metric(self, name: str) -> float:
        """A metric's value, by its name with labels."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.split(" ")[1]) for line in lines if line.startswith(name + " "))

    def rss(self) -> int:
        """Resident bytes."""
        size: int = psutil.Process(self.pid).memory_info().rss
        return size

    def log(self) -> str:
        return (self.plan.data_dir / f"{self.plan.role}.log").read_text()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.join()

    def died(self, seconds: float = SECONDS) -> bool:
        """Whether it was killed by SIGKILL, waiting for it."""
        self._process.join(seconds)
        return self._process.exitcode == -9

    def stop(self) -> None:
        """SIGTERM, and the end."""
        if self._process.exitcode is None:
            self._process.terminate()
            self._process.join(SECONDS)
        if self._process.exitcode is None:
            self.kill()


class Sender:
    """Posts documents; what is not acknowledged it sends again, like any client that cares."""

    def __init__(self, service: str, load: Load, addresses: Callable[[], list[str]]) -> None:
        self.service = service
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.at_once: set[str] = set()
        """Acknowledged at the first try."""
        self.deferred = 0
        self._load = load
        self._addresses = addresses
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(load.connections)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, acknowledged: int, seconds: float = SECONDS) -> None:
        """Until so many more have been acknowledged."""
        wanted = len(self.acknowledged) + acknowledged
        eventually(lambda: len(self.acknowledged) >= wanted, seconds=seconds)

    def stop(self, seconds: float = SECONDS) -> None:
        """No new documents; waits until those that were sent are acknowledged."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(seconds)
        if any(thread.is_alive() for thread in self._threads):
            raise AssertionError("documents could not be delivered")

    def _run(self, number: int) -> None:
        while not self._stopping.wait(self._load.pause):
            now = time.time()
            ids = [
                f"1-{int(now):08x}-{secrets.token_hex(12)}"
                for _ in range(self._load.documents_per_call)
            ]
            body = json.dumps({"TraceSegmentDocuments": [self._document(id, now) for id in ids]})
            with self._lock:
                self.sent.update(ids)
            tries = 0
            while not self._post(body.encode(), number + tries):
                with self._lock:
                    self.deferred += 1
                tries += 1
                time.sleep(0.02)
            with self._lock:
                self.acknowledged.update(ids)
                if not tries:
                    self.at_once.update(ids)

    def _post(self, body: bytes, number: int) -> bool:
        addresses = self._addresses()
        connection = http.client.HTTPConnection(addresses[number % len(addresses)], timeout=30)
        try:
            connection.request("POST", "/TraceSegments", body)
            answer = connection.getresponse()
            said = answer.read()
            return answer.status == 200 and not json.loads(said)["UnprocessedTraceSegments"]
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def _document(self, trace_id: str, now: float) -> str:
        return document(self.service, trace_id, now)


def document(service: str, trace_id: str, now: float) -> str:
    """A segment with one call and one link: it brings a row to each table."""
    call = {"id": "00000000000000c1", "namespace": "remote", "start_time": now}
    link = {"trace_id": f"1-{int(now):08x}-{'0' * 24}", "id": "00000000000000d1"}
    return json.dumps(
        {
            "id": "00000000000000a1",
            "trace_id": trace_id,
            "name": service,
            "start_time": now,
            "end_time": now + 0.01,
            "links": [{**link, "attributes": {"aws.xray.reserved.reference_type": "parent"}}],
            "subsegments": [{**call, "name": f"db.{service}", "end_time": now + 0.005}],
        }
    )


class Rig:
    """One ClickHouse for all rows; data directories and services of their own for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = EmbeddedClickHouse(folder / "engine").start()
        self.address = replace(self.engine.address, database="raymap")
        migrate(self.address, {"retention_days": 3650})
        self._processes: list[Process] = []

    @property
    def engine_pid(self) -> int:
        assert self.engine.process is not None
        return self.engine.process.pid

    @contextmanager
    def gate(self) -> Iterator[tuple[Gate, Address]]:
        """A proxy before ClickHouse, and its address."""
        gate = Gate(self.address.host, self.address.port)
        try:
            yield gate, replace(self.address, port=gate.port)
        finally:
            gate.shut()

    def start(self, row: str, clickhouse: Address | None = None, **plan: Any) -> Process:
        """A process in the row's data directory."""
        data_dir = self.folder / _folder(row)
        data_dir.mkdir(exist_ok=True)
        url = (clickhouse or self.address).url
        process = Process(Plan(url, data_dir, **plan))
        self._processes.append(process)
        return process

    def restart_engine(self) -> None:
        """On the same port; after a kill as well."""
        assert self.engine.process is not None
        self.engine.process.wait(SECONDS)
        self.engine.start()
        assert self.engine.address.port == self.address.port, "its port was taken meanwhile"

    def clear(self) -> None:
        """End the row's processes."""
        for process in self._processes:
            process.kill()
        self._processes.clear()

    def close(self) -> None:
        self.clear()
        with suppress(ProcessLookupError):
            os.kill(self.engine_pid, signal.SIGCONT)  # a row may have failed amid its fault
        self.engine.stop()

    def waiting(self, row: str) -> int:
        """Documents in the journals of a row that the store may not have."""
        return unsent(self.folder / _folder(row))

    def look(self, row: Row, sender: Sender, begun: float, seconds: float = SECONDS) -> Row:
        """Find and count what was sent, once nothing waits any more."""
        started = time.monotonic()
        store = ClickHouseStore(self.address, connections=2)
        try:
            eventually(lambda: not self.waiting(row.fault), seconds=seconds)
            row.back_after = time.monotonic() - started
            arrivals: dict[str, int] = {}
            found = _existing(store, sender.sent, arrivals)
            row.sent, row.acknowledged = len(sender.sent), len(sender.acknowledged)
            row.found, row.missing = len(found), len(sender.acknowledged - found)
            row.deferred = sender.deferred
            counted = requests(store, begun)
            row.counted = counted[sender.service]
            row.called = counted[f"db.{sender.service}"]
            row.received_twice = sum(1 for id in sender.at_once if arrivals.get(id, 0) > 1)
        finally:
            store.close()
        return row


def _existing(
    store: ClickHouseStore, trace_ids: Iterable[str], arrivals: dict[str, int]
) -> set[str]:
    """Those of which the store gives a document back; how many arrivals each trace counts."""
    found = set()
    ids = sorted(trace_ids)
    for at in range(0, len(ids), 500):
        requested = {bytes.fromhex(id.replace("-", "")[1:]): id for id in ids[at : at + 500]}
        for trace_id, trace in store.get_traces(list(requested), raw=True).items():
            arrivals[requested[trace_id]] = trace.revision
            if any(document.raw for document in trace.documents.values()):
                found.add(requested[trace_id])
    return found


def requests(store: ClickHouseStore, begun: float) -> Counter[str]:
    """Requests by node name since then, in the service graph."""
    window = TimeRange(int((begun - 60) * 1e6), int((time.time() + 60) * 1e6))
    totals: Counter[str] = Counter()
    for node, service in store.service_graph(window).services.items():
        if not node.is_client:
            totals[node.name] += service.statistics.total
    return totals


def unsent(data_dir: Path) -> int:
    """Documents in a data directory's journals that the store may not have."""
    while True:
        with suppress(FileNotFoundError):  # deleted meanwhile
            found = folders(data_dir / "journal")
            return sum(scan(folder, 1000, 1 << 30).documents for folder in found)


def _folder(row: str) -> str:
    return re.sub(r"\W+", "-", row)
