"""Two cells become three under load: acknowledged = stored = distinct, each trace is whole, and the map is the reference's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from collector.journal.adopt import folders
from collector.journal.reader import scan_in_use
from collector.metrics import IngestMetrics
from collector.payloads import decode_documents
from collector.pipeline import IngestPipeline
from store.cells.store import CellStore
from store.cells.topology import add_cell, now, read_topology
from store.clickhouse.connection.address import Address
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import TimeRange
from store.times import SECOND
from tests.collector.samples import segment_bytes
from tests.store.cells.test_unavailable import LIMITS, rows
from tests.store.test_agreement import plain
from tests.waiting import eventually

ANSWERED = 8
"""Traces that are under way when the epoch begins: so many later the other half of each arrives."""


class Sender:
    """Traces of a call whose answer arrives some traces later."""

    def __init__(self) -> None:
        self._begun: list[int] = []
        self.acknowledged: list[bytes] = []

    @property
    def ids(self) -> list[bytes]:
        """Of the traces that have begun."""
        return [self._id(number) for number in range(len(self._begun))]

    def _id(self, number: int) -> bytes:
        return self._begun[number].to_bytes(4) + number.to_bytes(12)

    def send(self, pipeline: IngestPipeline) -> None:
        """The call of a new trace and the answer of an earlier one."""
        self._begun.append(now() // SECOND)
        number = len(self._begun) - 1
        raws = [self._caller(number)]
        if number >= ANSWERED:
            raws.append(self._answer(number - ANSWERED))
        self._submit(pipeline, raws)

    def end(self, pipeline: IngestPipeline) -> None:
        """The answers that are left."""
        for number in range(max(0, len(self._begun) - ANSWERED), len(self._begun)):
            self._submit(pipeline, [self._answer(number)])

    def _submit(self, pipeline: IngestPipeline, raws: list[bytes]) -> None:
        pipeline.submit(pipeline.decode(raws, "http")).result(60)
        self.acknowledged += raws

    def _caller(self, number: int) -> bytes:
        call = {"id": f"{number:08x}000000cc", "name": "orders", "namespace": "remote"}
        subsegments = [{**call, **self._times(number)}]
        return self._segment(number, "aa", subsegments=subsegments)

    def _answer(self, number: int) -> bytes:
        parent = f"{number:08x}000000cc"
        return self._segment(number, "bb", name="orders", parent_id=parent)

    def _segment(self, number: int, kind: str, **fields: object) -> bytes:
        trace = f"1-{self._begun[number]:08x}-{number:024x}"
        id = f"{number:08x}000000{kind}"
        return segment_bytes(id, trace_id=trace, **fields, **self._times(number))

    def _times(self, number: int) -> dict[str, float]:
        return {"start_time": self._begun[number], "end_time": self._begun[number] + 0.2}


def graph_of(raws: list[bytes], window: TimeRange) -> ServiceGraph:
    """As the reference has it."""
    memory = MemoryStore()
    for number, raw in enumerate(raws, 1):
        memory.put(decode_documents([raw], number).documents, str(number))
    return memory.service_graph(window)


def _is_inserted(root: Path) -> bool:
    return not sum(scan_in_use(each, 1000, 1 << 30).documents for each in folders(root))


def run(cells: list[Address], folder: Path) -> tuple[CellStore, IngestPipeline]:
    """A process with these cells."""
    store = CellStore(cells, connections=4, member=read_topology(cells))
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(store, folder, metrics=metrics, limits=LIMITS)
    pipeline.start()
    return store, pipeline


def test_two_cells_become_three_under_load(three: list[Address], tmp_path: Path) -> None:
    """One process is started again before the epoch begins, one goes on too long: what it receives waits in its journal."""
    window = TimeRange(now() - 60 * SECOND, now() + 600 * SECOND)
    sender = Sender()
    store, pipeline = run(three[:2], tmp_path)
    late_store, late = run(three[:2], tmp_path / "late")
    for _ in range(30):
        sender.send(pipeline)
    since = (now() // SECOND + 4) * SECOND
    add_cell(three[:2], three[2], since)
    pipeline.stop()
    store.close()
    store, pipeline = run(three, tmp_path)
    while now() < since + 3 * SECOND:
        sender.send(pipeline)
    begun_late = len(sender.ids)
    for _ in range(20):
        sender.send(late)
    eventually(lambda: late.health().schema_problem, "it says why it inserts no more")
    assert "epoch 2" in late.health().schema_problem
    late.stop(60)  # else its journal stays locked: this process does not end
    late_store.close()
    late_store, late = run(three, tmp_path / "late")
    sender.end(pipeline)
    assert len(sender.ids) == begun_late + 20
    for root in (tmp_path / "journal", tmp_path / "late" / "journal"):
        eventually(partial(_is_inserted, root))
    pipeline.stop()
    late.stop()
    late_store.close()
    stored = [rows(address) for address in three]
    assert sum(count for count, _ in stored) == len(sender.acknowledged)
    assert sum(distinct for _, distinct in stored) == len(sender.acknowledged)
    assert stored[2][0], "the third cell has its share"
    traces = store.get_traces(sender.ids)
    assert {len(traces[id].documents) for id in sender.ids} == {2}
    of_cells = [set(cell.get_traces(sender.ids)) for cell in store.cells.stores]
    assert sum(map(len, of_cells)) == len(sender.ids), "each is in one cell"
    assert plain(store.service_graph(window)) == plain(graph_of(sender.acknowledged, window))
    store.close()
