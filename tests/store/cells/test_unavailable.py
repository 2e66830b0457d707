"""A cell that fails under load and comes back: acknowledged = stored = distinct, maps as the reference has them, and
answers meanwhile that name what they lack."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.missing_cells import HEADER
from collector.batches import Limits
from collector.journal.adopt import folders
from collector.journal.reader import scan_in_use
from collector.metrics import IngestMetrics
from collector.payloads import decode_documents
from collector.pipeline import IngestPipeline
from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.errors import StoreUnavailable
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.missing import gathering
from store.model import TimeRange
from store.owner import owner_of
from tests.collector.samples import START, segment_bytes
from tests.conftest import empty
from tests.faults.gate import Gate
from tests.http_server import serve
from tests.store.test_agreement import plain
from tests.waiting import eventually
from tests.xray_client import xray_client

LIMITS = Limits(gather=0.0, linger=0.05, slow_insert=1.0, retry_pause=0.1)
WINDOW = TimeRange(int((START - 60) * 1e6), int((START + 600) * 1e6))
QUERY = f"?from={int(START) - 60}&to={int(START) + 600}"


@pytest.fixture
def store(cell_addresses: list[Address], gate: Gate) -> Iterator[CellStore]:
    for address in cell_addresses:
        empty(address)
    first, second = cell_addresses
    store = CellStore([first, replace(second, port=gate.port)], connections=4)
    yield store
    store.close()


def trace_id(number: int) -> bytes:
    return bytes.fromhex(f"6b061440{number:024x}")


def raws(number: int) -> list[bytes]:
    """A trace of a call from a service to another; those with even numbers belong to the first cell."""
    trace = f"1-6b061440-{number:024x}"
    call = {"id": f"{number:08x}000000cc", "name": "orders", "namespace": "remote"}
    start = START + number % 20  # few buckets, in each phase the same
    times = {"start_time": start, "end_time": start + 0.2}
    caller = segment_bytes(
        f"{number:08x}000000aa", trace_id=trace, subsegments=[{**call, **times}], **times
    )
    answer = segment_bytes(
        f"{number:08x}000000bb", trace_id=trace, name="orders", parent_id=call["id"], **times
    )
    return [caller, answer]


class Load:
    """Sends traces one after the other, in a thread, until it is stopped."""

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._pipeline = pipeline
        self.acknowledged: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.05):
            number += 1
            self._pipeline.submit(self._pipeline.decode(raws(number), "http")).result(60)
            self.acknowledged.append(number)

    def reach(self, more: int) -> int:
        """Wait until so many more are acknowledged; how many are."""
        count = len(self.acknowledged) + more
        eventually(lambda: len(self.acknowledged) >= count)
        return count

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def graph_of(numbers: list[int]) -> ServiceGraph:
    """As the reference has it."""
    memory = MemoryStore()
    for number in numbers:
        memory.put(decode_documents(raws(number), number).documents, str(number))
    return memory.service_graph(WINDOW)


def rows(address: Address) -> tuple[int, int]:
    """Rows of documents, and distinct ones."""
    client = connect(address)
    try:
        ((rows, distinct),) = client.execute(
            "SELECT count(), uniqExact(trace_id, id) FROM segments"
        )
    finally:
        client.disconnect()
    return rows, distinct


def test_a_cell_fails_under_load(
    store: CellStore,
    gate: Gate,
    cell_addresses: list[Address],
    tmp_path: Path,
) -> None:
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(store, tmp_path, metrics=metrics, limits=LIMITS)
    pipeline.start()
    load = Load(pipeline)
    try:
        load.reach(10)
        gate.shut()
        before = load.reach(20)
        eventually(lambda: rows(cell_addresses[0])[1] >= before // 2 * 2)  # the first one goes on
        gate.open()
        load.reach(10)
        gate.shut()
        load.reach(10)
    finally:
        load.stop()
    with pytest.raises(StoreUnavailable, match="cell 2 of 2"):
        store.service_graph(WINDOW)
    with gathering() as lacking:
        assert store.service_graph(WINDOW).services
    assert [name[:11] for name in lacking.names] == ["cell 2 of 2"]
    gate.open()
    root = tmp_path / "journal"
    eventually(
        lambda: not sum(scan_in_use(each, 1000, 1 << 30).documents for each in folders(root))
    )
    pipeline.stop()
    sent = load.acknowledged
    owned = [sum(owner_of(trace_id(n), 2) == cell for n in sent) for cell in range(2)]
    assert [rows(address) for address in cell_addresses] == [(2 * n, 2 * n) for n in owned]
    with gathering() as lacking:
        assert plain(store.service_graph(WINDOW)) == plain(graph_of(sent))
    assert lacking.names == []


def test_answers_name_the_unavailable_cell(store: CellStore, gate: Gate) -> None:
    """What they have of the others is whole, and a trace that is there is not said to be unknown."""
    for number in range(1, 11):
        version = int(START * 1e6) + 10 * number
        store.put(list(decode_documents(raws(number), version).documents), uuid.uuid4().hex)
    with serve(create_app(store, version="1")) as url, httpx.Client(base_url=url) as client:
        whole = client.get("/api/v1/map" + QUERY)
        assert HEADER not in whole.headers
        assert "missing" not in whole.json()
        assert len(client.get("/api/v1/traces" + QUERY).json()["traces"]) == 10
        gate.shut()
        name = store.cells.names[1]
        for path in ("map", "traces"):
            answer = client.get(f"/api/v1/{path}{QUERY}")
            assert (answer.status_code, answer.headers[HEADER]) == (200, name), answer.text
            assert answer.json()["missing"] == [name]
        assert len(answer.json()["traces"]) == 5
        page = client.get("/api/map" + QUERY)
        assert (page.status_code, page.headers[HEADER]) == (200, name)
        assert client.get(f"/api/v1/traces/{trace_id(2).hex()}").status_code == 200
        unknown = client.get(f"/api/v1/traces/{trace_id(3).hex()}")
        assert unknown.status_code == 503
        assert name in unknown.text
        verdict = client.get(f"/api/v1/verdict{QUERY}&service=frontend&candidate=1")
        assert verdict.status_code == 503, "nothing is judged from a part"
        xray = xray_client(url)
        graph = xray.get_service_graph(StartTime=START - 60, EndTime=START + 600)
        assert graph["ResponseMetadata"]["HTTPHeaders"][HEADER.lower()] == name
        assert graph["Services"]
        gate.open()
        again = client.get("/api/v1/map" + QUERY)
        assert HEADER not in again.headers
        assert again.json() == whole.json()
    assert plain(store.service_graph(WINDOW)) == plain(graph_of(list(range(1, 11))))
