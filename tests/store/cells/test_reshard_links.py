"""A link that was counted before an epoch, to a trace that begins after it: the map is the reference's, wherever either is."""

from __future__ import annotations

import pytest

from bench.recall.rollup_driver import count_cells
from store.cells.store import CellStore
from store.cells.topology import add_cell, now, read_topology
from store.clickhouse.connection.address import Address
from store.clickhouse.rollup import epochs, few_rows
from store.memory import MemoryStore
from store.model import Document, Link, TimeRange
from store.times import MINUTE, SECOND
from tests.builders import segment
from tests.store.test_agreement import plain

HOME = 12
"""A number of a trace in the first cell, of two and of three."""


def id_of(number: int, begun: int | None) -> bytes:
    """A trace's id with a time in it, or without one."""
    return (0xFFFFFFFF if begun is None else begun // SECOND).to_bytes(4) + number.to_bytes(12)


def work(id: bytes, start: int, **fields: object) -> Document:
    """A trace's only document."""
    return segment(0xA1, trace_id=id, start=start, end=start + 1000, version=now(), **fields)


def count(store: CellStore) -> None:
    """As the worker of each cell does, then all that is due."""
    count_cells(store)
    store.cells.settle()


def linked(upstream: bool, number: int, timed: bool, start: int, since: int) -> list[Document]:
    """What is stored before an epoch, and what begins in it."""
    begun = since + 2 * SECOND
    other = id_of(number, begun if timed else None)
    link = Link(other, 0xA1, upstream=upstream)
    return [
        work(id_of(HOME, start), start, name="shop", links=(link,)),
        work(other, begun, name="orders"),
    ]


@pytest.mark.parametrize(
    ("number", "timed", "upstream", "few", "late"),
    [
        (2, True, True, True, False),
        (2, False, False, True, True),
        (2, True, False, False, False),
        (5, True, False, True, False),
        (5, False, True, False, True),
        (1, True, True, True, False),
    ],
)
def test_a_link_leads_to_a_trace_of_the_next_epoch(
    three: list[Address],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    timed: bool,
    upstream: bool,
    few: bool,
    late: bool,
) -> None:
    """To one that its own cell would have had (2), or the other one (5), or the same one as before (1). ``late``: it is
    counted before its cell is notified."""
    if not few:
        monkeypatch.setattr(few_rows, "MOST", 0)
    start = (now() // MINUTE - 1) * MINUTE
    before = CellStore(three[:2], connections=2, member=read_topology(three[:2]))
    since = now() + 1
    first, second = linked(upstream, number, timed, start, since)
    before.put([first], "first")
    count(before)
    before.close()
    add_cell(three[:2], three[2], since)
    after = CellStore(three, connections=2, member=read_topology(three))
    memory = MemoryStore()
    memory.put([first, second], "both")
    window = TimeRange(start - MINUTE, second.start + MINUTE)
    monkeypatch.setattr(epochs, "AFTER", MINUTE if late else 0)
    count(after)
    after.put([second], "second")
    count(after)
    monkeypatch.setattr(epochs, "AFTER", 0)
    count(after)
    graph = after.service_graph(window)
    after.close()
    assert len(graph.links) == 1
    assert plain(graph) == plain(memory.service_graph(window))
