"""A batch is several inserts; who asks in between sees none of it."""

from __future__ import annotations

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write import inserts
from store.model import Link, NodeKey, TimeRange
from store.times import MINUTE
from tests.builders import T0, call, segment, trace_id

WINDOW = TimeRange(T0 - MINUTE, T0 + MINUTE)


def test_half_a_batch_makes_no_ghosts(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a call lies in the same batch: before it is there, the call is not either."""
    answer = segment(0xB1, name="backend", parent_id=0xC1)
    front = segment(0xA1, calls=(call(0xC1),), links=(Link(trace_id(2), 0xD1),))
    before = segment(0xD1, name="producer", trace_id=trace_id(2))
    clickhouse_store.put([before], "first")
    alone = set(clickhouse_store.service_graph(WINDOW).services)
    client = connect(clickhouse_store.address)
    insert = inserts._insert

    def but_segments(of: object, table: str, *rest: object) -> None:
        if table != "segments":
            insert(of, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(inserts, "_insert", but_segments)
    inserts.insert(client, [front, answer], "second")
    graph = clickhouse_store.service_graph(WINDOW)
    assert set(graph.services) == alone
    assert graph.links == {}
    monkeypatch.undo()
    inserts.insert(client, [front, answer], "second")
    client.disconnect()
    graph = clickhouse_store.service_graph(WINDOW)
    assert (NodeKey("", "frontend", ""), NodeKey("", "backend", "")) in graph.edges
    assert NodeKey("", "backend.example.com", "remote") not in graph.services
    assert len(graph.links) == 1
