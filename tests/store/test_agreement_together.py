"""ClickHouse's graph equals the memory store's where the traces of many examples of `tests.store.test_agreement` are
stored together: cheaper by far than each alone, and as many senders' traces lie in one bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from msgspec.structs import replace

from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import whole_traces
from store.grouped_graph import graph_of_grouped
from store.memory import MemoryStore
from store.model import Document, TimeRange
from store.otel.derived_ids import shared_server_id
from store.rules.dimensions import Dimension
from store.times import MINUTE
from tests.builders import T0, trace_id
from tests.conftest import empty
from tests.store.shapes import SHAPES, shapes_of
from tests.store.test_agreement import ALL, HOURS, deliveries, plain
from tests.tiers import cases

TOGETHER = 20
"""Examples in one store."""
EXAMPLES = TOGETHER * cases(3)
SEED = int(os.environ.get("RAYMAP_TEST_SEED", "1"))
TRACES = 16
"""More than an example has."""
WINDOWS = (
    ALL,
    TimeRange(T0, T0 + 2 * MINUTE),
    TimeRange(T0 + MINUTE, T0 + HOURS),
    TimeRange(T0 + 12_345_678, T0 + 2 * MINUTE + 5_000_000),
    TimeRange(T0 + 20_000_000, T0 + 47_000_000),
)
Batches = list[list[Document]]


def examples(count: int, by: int) -> list[Batches]:
    """What is delivered in some examples, the same for the same seed."""
    found: list[Batches] = []

    @seed(by)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(deliveries())
    def collect(batches: Batches) -> None:
        found.append(batches)

    collect()
    return found


def moved(document: Document, number: int) -> Document:
    """The document in traces that no other example has."""

    def elsewhere(trace: bytes) -> bytes:
        return trace_id(int.from_bytes(trace[4:], "big") + TRACES * number)

    there = elsewhere(document.trace_id)
    id = document.id
    if id == shared_server_id(document.trace_id, document.parent_id):
        id = shared_server_id(there, document.parent_id)
    links = tuple(replace(each, trace_id=elsewhere(each.trace_id)) for each in document.links)
    return replace(document, trace_id=there, id=id, links=links)


def together(parts: list[Batches]) -> Iterator[list[Document]]:
    """The batches of some examples: the first ones of all, then the second ones."""
    for turn in range(max(map(len, parts))):
        yield [
            moved(document, number)
            for number, batches in enumerate(parts)
            for document in (batches[turn] if turn < len(batches) else ())
        ]


@pytest.mark.slow
@pytest.mark.timeout(60 + 3 * EXAMPLES)
def test_many_examples_agree(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the whole and windows, split by a dimension, and recounted; of every other store each trace is large."""
    many_agree(clickhouse_store, examples(EXAMPLES, SEED), monkeypatch)


def many_agree(
    clickhouse_store: ClickHouseStore | CellStore,
    found: list[Batches],
    monkeypatch: pytest.MonkeyPatch,
    cells: Sequence[Address] = (),
) -> None:
    """What `test_many_examples_agree` says; over some cells, if these are named."""
    small = whole_traces.MOST_WHOLE
    for first in range(0, len(found), TOGETHER):
        monkeypatch.setattr(whole_traces, "MOST_WHOLE", 0 if first // TOGETHER % 2 else small)
        for address in cells or [clickhouse_store.address]:
            empty(address)
        memory = MemoryStore()
        for turn, batch in enumerate(together(found[first : first + TOGETHER])):
            for store in (memory, clickhouse_store):
                store.put(batch, f"{first} {turn}")
            window = WINDOWS[turn % len(WINDOWS)]
            agree(memory, clickhouse_store, window, first)
        for window in WINDOWS:
            agree(memory, clickhouse_store, window, first)
        by = list(Dimension)[first // TOGETHER % len(Dimension)]
        theirs, ours = (
            plain(graph_of_grouped(store.grouped_units(WINDOWS[3], by)))
            for store in (clickhouse_store, memory)
        )
        assert theirs == ours, (first, by)
        differences = [each for part in clickhouse_store.verify(ALL) for each in part.differences]
        assert differences == [], first


def agree(
    memory: MemoryStore, clickhouse: ClickHouseStore | CellStore, window: TimeRange, first: int
) -> None:
    """The graph of a window."""
    theirs, ours = plain(clickhouse.service_graph(window)), plain(memory.service_graph(window))
    assert theirs == ours, (first, window)


@pytest.mark.slow
@pytest.mark.nightly
def test_examples_have_every_shape() -> None:
    """Each among 300. Of one seed many are alike, so these are of many."""
    found = [shapes_of(batches) for by in range(1, 16) for batches in examples(TOGETHER, by)]
    often = {shape: sum(shape in each for each in found) for shape in SHAPES}
    assert min(often.values()) > 1, often
