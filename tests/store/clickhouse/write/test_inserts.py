"""A batch is several inserts; who asks in between sees none of it."""

from __future__ import annotations

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.rollup import worker
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write import inserts
from store.model import Link, NodeKey, TimeRange
from store.times import MINUTE, SECOND
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

    def but_segments(of: object, table: str, *rest: object, **settings: object) -> None:
        if table != "segments":
            insert(of, table, *rest, **settings)  # type: ignore[arg-type]

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


FRONTEND = NodeKey("", "frontend", "")


class Died(Exception):
    """The process, in the place of kill -9."""


@pytest.mark.parametrize("table", ["traces", "calls", "segments"])
def test_a_batch_that_ended_behind_its_mark_is_counted_once_repeated(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """The mark has been looked at in between, so the repetition has to leave another."""
    store, insert = clickhouse_store, inserts._insert

    def dies(of: object, into: str, *rest: object, **settings: object) -> None:
        if into == table:
            raise Died
        insert(of, into, *rest, **settings)  # type: ignore[arg-type]

    batch = [segment(1, calls=(call(11),)), segment(2, trace_id=trace_id(2))]
    monkeypatch.setattr(inserts, "_insert", dies)
    with pytest.raises(Died):
        store.put(batch, "a batch")
    assert store.service_graph(WINDOW).services == {}
    monkeypatch.undo()
    for _ in range(2):
        store.put(batch, "a batch")
        graph = store.service_graph(WINDOW)
        assert graph.services[FRONTEND].statistics.total == 2
        found = store.get_traces([each.trace_id for each in batch])
        assert [each.revision for each in found.values()] == [1, 1]


def test_buckets_are_marked_before_their_rows(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, whatever starts there: documents, calls; times before 1970 are in the first bucket."""
    later = call(11, start=T0 + 7 * SECOND, end=T0 + 8 * SECOND)
    batch = [
        segment(1, calls=(later,), links=(Link(trace_id(2), 0xD1),)),
        segment(2),
        segment(3, start=-5, end=5),
    ]
    client = connect(clickhouse_store.address)
    monkeypatch.setattr(inserts, "_insert", lambda *_, **__: None)
    ((before,),) = client.execute("SELECT toUnixTimestamp64Micro(now64(6))")
    inserts.insert(client, batch, "marked")
    marked = client.execute(
        f"SELECT bucket, rows, arrived BETWEEN {before} AND toUnixTimestamp64Micro(now64(6)), "
        "recheck - arrived, looked FROM dirty ORDER BY bucket"
    )
    client.disconnect()
    first = T0 // (5 * SECOND)
    settle = 60 * SECOND
    assert marked == [
        (0, 1, 1, settle, 0),
        (first, 3, 1, settle, 0),
        ((T0 + 7 * SECOND) // (5 * SECOND), 1, 1, settle, 0),
    ]


def test_rows_that_took_long_are_marked_again(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that looked in between is behind what a round looks at once more."""
    assert inserts.PROMPT * SECOND < worker.GUARD
    client = connect(clickhouse_store.address)
    later = "SELECT (SELECT max(arrived) FROM dirty) > (SELECT max(inserted) FROM segments)"
    inserts.insert(client, [segment(1)], "soon")
    assert client.execute(later) == [(0,)]
    monkeypatch.setattr(inserts, "PROMPT", -1.0)
    inserts.insert(client, [segment(2)], "late")
    assert client.execute(later) == [(1,)]
    assert client.execute("SELECT sum(rows) FROM dirty") == [(2,)]
    client.disconnect()


def test_a_trace_knows_what_its_documents_and_calls_say(clickhouse_store: ClickHouseStore) -> None:
    """Each bucket that they start in, from the first start to the last end; two copies are two arrivals."""
    later = call(11, start=T0 + 7 * SECOND, end=T0 + 9 * SECOND)
    early = call(12, start=T0 - 1000, end=T0 + 1000)
    batch = [
        segment(1, calls=(later, early), version=T0 + 5),
        segment(2, start=T0 + 2000, end=T0 + 3 * SECOND, version=T0 + 9),
    ]
    client = connect(clickhouse_store.address)
    for token in ("one", "other", "other"):
        inserts.insert(client, batch, token)
    found = client.execute(
        "SELECT minute, bucket, start, lo, hi, end, updated, revision, sampled, toUnixTimestamp(received), "
        "day = toDate(received) FROM traces FINAL ORDER BY bucket"
    )
    client.disconnect()
    minute, first, received = T0 // MINUTE, T0 // (5 * SECOND), T0 // SECOND
    never = 2**63 - 1
    assert found == [
        ((T0 - 1000) // MINUTE, first - 1, never, T0 - 1000, T0 - 1000, T0 + 1000, 0, 0, 0, received, 1),
        (minute, first, T0, T0, T0 + 2000, T0 + 3 * SECOND, T0 + 9, 4, 1, received, 1),
        (minute, first + 1, never, T0 + 7 * SECOND, T0 + 7 * SECOND, T0 + 9 * SECOND, 0, 0, 0, received, 1),
    ]  # fmt: skip
