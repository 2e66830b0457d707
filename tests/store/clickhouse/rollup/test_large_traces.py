"""Traces of hours: which buckets are counted again for what arrives elsewhere."""

from __future__ import annotations

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.rollup import few_rows, large_traces
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import dependencies, whole_traces
from store.clickhouse.units.base_buckets import rows_in_buckets
from store.memory import MemoryStore
from store.model import Document, Independent, Kind, Link, NodeKey, State, TimeRange
from store.times import BUCKET, MINUTE
from tests.builders import T0, call, segment, subsegment, trace_id

FIRST = T0 // BUCKET
ALL = TimeRange(T0 - MINUTE, T0 + 10 * MINUTE)
ROOT = 0xB00
JOB, STOCK = NodeKey("", "job", ""), NodeKey("", "stock", "")


@pytest.fixture(autouse=True)
def every_trace_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "MOST", 0)
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", 0)


class Counted:
    """A store, the memory store beside it, and which buckets the last count wrote."""

    def __init__(self, store: ClickHouseStore) -> None:
        self.store = store
        self._memory = MemoryStore()
        self._batches = 0
        self._before: dict[int, int] = {}

    def put(self, *documents: Document) -> set[int]:
        """Put a batch and count; the buckets that were written for it."""
        self._batches += 1
        for each in (self.store, self._memory):
            each.put(documents, f"batch-{self._batches}")
        graph, expected = self.store.service_graph(ALL), self._memory.service_graph(ALL)
        assert (graph.services, graph.edges) == (expected.services, expected.edges)
        client = connect(self.store.address)
        rows = client.execute(
            "SELECT bucket, max(rev) FROM bucket_rollups WHERE kind = 255 GROUP BY bucket"
        )
        client.disconnect()
        before, self._before = self._before, dict(rows)
        return {b - FIRST for b, rev in self._before.items() if before.get(b) != rev}

    def is_exact(self) -> bool:
        """Whether `raymap verify` finds nothing."""
        return not any(part.differences for part in self.store.verify(ALL))


@pytest.fixture
def counted(clickhouse_store: ClickHouseStore) -> Counted:
    return Counted(clickhouse_store)


def made(bucket: int, **change: object) -> Document:
    """The span of a call that the job made in a bucket, below a root that has not arrived."""
    start = T0 + bucket * BUCKET
    times = {"start": start, "end": start + 10_000}
    calls = (call(0x100 + bucket, node=STOCK, service="stock", host="stock", **times),)
    about = {"independent": Independent.OF_SENDER, "kind": Kind.CLIENT, "node": JOB, "calls": calls}
    return subsegment(0x100 + bucket, ROOT, **{**about, **times, **change})


def answer(number: int, of: int, bucket: int, name: str = "stock") -> Document:
    """What answers a call that was made in another bucket."""
    start = T0 + bucket * BUCKET + 1
    return segment(number, parent_id=0x100 + of, name=name, start=start, end=start + 5)


def root(node: NodeKey) -> Document:
    """What made all the calls."""
    times = {"start": T0 - 5 * BUCKET, "end": T0 + 20 * BUCKET}
    about = {"independent": Independent.OF_SENDER, "kind": Kind.INTERNAL, "node": node}
    return subsegment(ROOT, 0, **about, **times)


def test_what_arrives_has_no_bucket_counted_that_does_not_need_it(counted: Counted) -> None:
    """A further call, the answer of one of them, and what made them all: it is of their service and changes nothing."""
    assert counted.put(*map(made, range(6))) == set(range(6))
    assert counted.put(made(7)) == {7}
    assert counted.put(answer(1, of=2, bucket=9)) == {2, 9}
    assert counted.put(root(JOB)) == {-5}
    assert counted.put(made(8)) == {8}
    assert counted.is_exact()


def test_a_parent_of_another_service_has_all_below_it_counted(counted: Counted) -> None:
    """Its spans enter theirs then."""
    counted.put(*map(made, range(3)))
    assert counted.put(root(NodeKey("", "scheduler", ""))) == {-5, 0, 1, 2}
    assert counted.is_exact()


def test_a_copy_that_no_longer_answers(counted: Counted) -> None:
    """The answer in progress named one call, what completed it names another: both are counted again."""
    counted.put(made(0), made(1))
    first = answer(1, of=0, bucket=3)
    running = segment(1, parent_id=first.parent_id, name="stock", start=first.start)
    counted.put(segment(1, **{**_fields(running), "state": State.IN_PROGRESS}))
    assert counted.put(answer(1, of=1, bucket=3)) == {0, 1, 3}
    assert counted.is_exact()


def _fields(document: Document) -> dict[str, object]:
    return {"parent_id": document.parent_id, "name": "stock", "start": document.start}


def test_a_trace_that_was_small_when_it_was_counted(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its buckets have recorded no lookups: they are compared, and record them."""
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", 1_000)
    counted.put(*map(made, range(3)))
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", 0)
    counted.put(answer(1, of=0, bucket=9))
    assert counted.put(answer(2, of=1, bucket=11)) == {1, 11}
    assert counted.is_exact()


@pytest.mark.parametrize("leads", ["to it", "from it"])
def test_a_trace_with_links_is_known_as_a_whole(counted: Counted, leads: str) -> None:
    """The ends of links are known by trace."""
    other = trace_id(9)
    link = Link(segment().trace_id if leads == "to it" else other, 0x100)
    linking = {"links": (link,), "trace_id": other if leads == "to it" else segment().trace_id}
    counted.put(made(0), made(1), segment(7, name="linking", start=T0, **linking))
    with counted.store._asking() as run:
        due = {FIRST, FIRST + 1}
        assert dependencies.resolve_dependencies(run, rows_in_buckets(due))
        read = large_traces.read(run, due)
        assert read is None or segment().trace_id not in read.whole.traces
        dependencies.drop_scope(run)
    assert counted.is_exact()
