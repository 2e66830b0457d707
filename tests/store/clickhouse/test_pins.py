"""Pins on ClickHouse: what is copied outlives everything else, and nothing but time hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clickhouse_driver import Client

from store.clickhouse import pins
from store.clickhouse.schema import retention
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write import inserts
from store.errors import StoreError, TooManyPins
from store.filters.conditions import touches
from store.model import Document, Link, State, TimeRange
from store.query import Axis, TraceQuery
from store.times import MINUTE, SECOND
from tests.builders import T0, TRACE, call, segment, trace_id

HOUR = TimeRange(T0 - 30 * MINUTE, T0 + 30 * MINUTE)
OTHER = trace_id(2)


def documents(trace: bytes = TRACE) -> list[Document]:
    """A caller and who answered, with a link."""
    return [
        segment(0xA1, trace_id=trace, calls=(call(0xC1), call(0xC2))),
        segment(
            0xB1,
            trace_id=trace,
            name="backend",
            parent_id=0xC1,
            state=State.FAULT,
            links=(Link(trace_id(9), 0xE),),
        ),
    ]


def expire(client: Client) -> None:
    """Everything that is not pinned is over: what whole parts that expire come to."""
    partitions = client.execute(
        "SELECT DISTINCT table, partition_id FROM system.parts WHERE database = currentDatabase() "
        f"AND active AND table IN {pins.TRACE_TABLES} AND partition_id < '{pins.FIRST_PIN_PARTITION}'"
    )
    for table, partition in partitions:
        client.execute(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")


def copied(client: Client) -> set[bytes]:
    """Traces of which there are copies."""
    return set[bytes]().union(*pins._pin_partitions(client).values())


def rows(client: Client) -> dict[str, int]:
    """How many rows there are of each table, copies counted apart."""
    return {
        table: client.execute(f"SELECT count() FROM {table}")[0][0] for table in pins.TRACE_TABLES
    }


def test_a_pinned_trace_outlives_the_rest(store: ClickHouseStore, client: Client) -> None:
    store.put([*documents(), *documents(OTHER)], "a")
    before = store.get_traces([TRACE], raw=True)
    store.pin(TRACE, "", T0)
    expire(client)
    assert store.get_traces([TRACE, OTHER], raw=True) == before
    arrived = TimeRange(T0 + 200_000, T0 + 200_001)
    for query in (
        TraceQuery(HOUR),
        TraceQuery(arrived, Axis.EVENT),
        TraceQuery(HOUR, Axis.SERVICE),
        TraceQuery(HOUR, filter=touches(documents()[1].node)),
    ):
        assert [found.trace_id for found in store.find_traces(query, limit=9).found] == [TRACE]


def test_what_arrives_later_is_pinned_too(store: ClickHouseStore, client: Client) -> None:
    """Before and after the first part has expired; also with a clock behind the others'."""
    store.put(documents()[:1], "a")
    store.pin(TRACE, "", T0)
    store.put(documents()[1:], "b")
    assert store.refresh_pins() == 1
    assert store.refresh_pins() == 0
    expire(client)
    store.put([segment(0xA3, parent_id=0xA1, version=T0 + 1)], "c")
    assert set(store.get_traces([TRACE])[TRACE].documents) == {0xA1, 0xB1, 0xA3}
    assert store.refresh_pins() == 1
    expire(client)
    whole = store.get_traces([TRACE], raw=True)[TRACE]
    assert set(whole.documents) == {0xA1, 0xB1, 0xA3}
    assert (set(whole.calls), len(whole.links)) == ({0xC1, 0xC2}, 1)
    assert all(document.raw for document in whole.documents.values())


def test_an_insert_that_runs_is_pinned_once_its_rows_are_there(
    store: ClickHouseStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`traces` knows of it before: a copy that is made in between is not the last one."""
    store.put(documents()[:1], "a")
    store.pin(TRACE, "", T0)
    insert = inserts._insert

    def only_traces(of: Client, table: str, *rest: Any, **settings: Any) -> None:
        if table == "traces":
            insert(of, table, *rest, **settings)

    monkeypatch.setattr(inserts, "_insert", only_traces)
    store.put(documents()[1:], "b")
    store.refresh_pins()
    monkeypatch.undo()
    store.put(documents()[1:], "b")
    store.refresh_pins()
    expire(client)
    assert set(store.get_traces([TRACE])[TRACE].documents) == {0xA1, 0xB1}


def test_a_later_copy_of_a_document_wins(store: ClickHouseStore, client: Client) -> None:
    store.put([segment(0xA1, state=State.IN_PROGRESS)], "a")
    store.pin(TRACE, "", T0)
    store.put([segment(0xA1, state=State.FAULT, version=T0 + SECOND)], "b")
    assert store.get_traces([TRACE])[TRACE].documents[0xA1].state == State.FAULT
    store.refresh_pins()
    expire(client)
    assert store.get_traces([TRACE])[TRACE].documents[0xA1].state == State.FAULT


def test_unpinned_it_expires_with_the_rest(store: ClickHouseStore, client: Client) -> None:
    store.put([*documents(), *documents(OTHER)], "a")
    once = rows(client)
    store.pin(TRACE, "", T0)
    assert rows(client) != once
    assert store.unpin(TRACE, T0 + 1)
    assert rows(client) == once, "the copies are gone, the originals are not"
    assert set(store.get_traces([TRACE, OTHER])) == {TRACE, OTHER}
    store.pin(TRACE, "", T0 + 2)
    expire(client)
    assert set(store.get_traces([TRACE, OTHER])) == {TRACE}
    assert store.unpin(TRACE, T0 + 3)
    assert store.get_traces([TRACE]) == {}
    with pytest.raises(StoreError, match="there is no trace"):
        store.pin(TRACE, "", T0 + 4)


def test_the_map_of_a_time_does_not_become_that_of_its_pins(
    store: ClickHouseStore, client: Client
) -> None:
    """What was counted stays; where rows are read, those that are gone leave no few behind."""
    later = segment(0xA7, trace_id=trace_id(4), start=T0 + 40 * SECOND, end=T0 + 41 * SECOND)
    store.put([*documents(), *documents(OTHER), later], "a")
    store.pin(TRACE, "", T0)
    half = TimeRange(T0, T0 + MINUTE // 2)  # read from buckets of the minute, or from rows
    whole = store.service_graph(HOUR)
    assert store.service_graph(half).services.keys() == whole.services.keys()
    expire(client)
    assert store.service_graph(half).services.keys() == whole.services.keys()
    client.execute("TRUNCATE TABLE bucket_rollups")  # they are stored for two hours
    assert store.service_graph(half).services == {}
    assert store.service_graph(HOUR) == whole
    day = 86_400 * SECOND
    store.put([segment(0xA6, trace_id=trace_id(3), version=T0 + 2 * day)], "late")
    assert store.service_graph(HOUR) == whole


def test_no_view_hears_of_a_pin(store: ClickHouseStore, client: Client) -> None:
    """Views count arrivals; a copy is none."""
    store.put(documents(), "a")
    client.execute("CREATE TABLE heard (trace_id FixedString(16)) ENGINE = MergeTree ORDER BY ()")
    for table in pins.TRACE_TABLES:
        client.execute(
            f"CREATE MATERIALIZED VIEW hears_{table} TO heard AS SELECT trace_id FROM {table}"
        )
    try:
        store.pin(TRACE, "", T0)
        assert client.execute("SELECT count() FROM heard") == [(0,)]
        store.put([segment(0xA4)], "b")
        assert client.execute("SELECT count() > 0 FROM heard") == [(1,)], "they do listen"
    finally:
        for table in pins.TRACE_TABLES:
            client.execute(f"DROP TABLE hears_{table}")
        client.execute("DROP TABLE heard")


def test_what_a_crash_leaves_is_put_right(
    store: ClickHouseStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pin that was written and not copied, copies without a pin, staging tables."""
    store.put([*documents(), *documents(OTHER)], "a")
    client.execute(
        "INSERT INTO pins (trace_id, note, at, removed, rows, checksum, ver) VALUES",
        [(TRACE, "", T0, 0, 0, 0, T0)],
    )
    assert store.refresh_pins() == 1
    store.pin(OTHER, "", T0)
    client.execute(
        "INSERT INTO pins (trace_id, note, at, removed, rows, checksum, ver) VALUES",
        [(OTHER, "", T0, 1, 0, 0, T0 + SECOND)],
    )
    client.execute("CREATE TABLE pinning_calls_0 AS calls")
    client.execute(
        "INSERT INTO pinning_calls_0 (trace_id, received) SELECT trace_id, '2071-01-01' FROM calls"
    )
    client.execute("ALTER TABLE calls ATTACH PARTITION ID '20710101' FROM pinning_calls_0")
    assert store.refresh_pins() == 0
    assert copied(client) == {TRACE}
    expire(client)
    assert set(store.get_traces([TRACE, OTHER])) == {TRACE}
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase()"
    half_made = "SELECT count() > 0 FROM calls WHERE _partition_id = '20710101'"
    assert ("pinning_calls_0",) in client.execute(tables), "it may be in use"
    assert client.execute(half_made) == [(1,)]
    monkeypatch.setattr(pins, "STALE_AFTER", -1)
    store.refresh_pins()
    assert client.execute(half_made) == [(0,)]
    assert not [name for (name,) in client.execute(tables) if name.startswith("pinning_")]


def test_a_pin_survives_a_refresh_that_is_older(
    store: ClickHouseStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unpin while another process copies wins."""
    store.put(documents(), "a")
    store.pin(TRACE, "", T0)
    store.put([segment(0xA5)], "b")
    copy = pins._copy

    def meanwhile(client: Client, changed: Any) -> None:
        assert store.unpin(TRACE, T0 + 1)
        copy(client, changed)

    monkeypatch.setattr(pins, "_copy", meanwhile)
    assert pins.reconcile(client) == 1
    assert store.pins() == []
    pins.reconcile(client)
    expire(client)
    assert store.get_traces([TRACE]) == {}


def test_letting_go_touches_nothing_else(store: ClickHouseStore, client: Client) -> None:
    """No mutation: that would rewrite each part of a large table. Neighbours on the partition stay."""
    store.put([*documents(), *documents(OTHER)], "a")
    for trace in (TRACE, OTHER):
        client.execute(
            "INSERT INTO pins (trace_id, note, at, removed, rows, checksum, ver) VALUES",
            [(trace, "", T0, 0, 0, 0, T0)],
        )
    assert store.refresh_pins() == 2
    assert len(pins._pin_partitions(client)) == 1
    parts = (
        "SELECT table, name FROM system.parts WHERE database = currentDatabase() AND active "
        f"AND table IN {pins.TRACE_TABLES} AND partition_id < '{pins.FIRST_PIN_PARTITION}' AND level > 0"
    )
    # Of parts that are merged once nothing more becomes by itself: they are alone in their day.
    for table in pins.TRACE_TABLES:
        client.execute(f"OPTIMIZE TABLE {table} FINAL")
    before = sorted(client.execute(parts))
    assert before
    store.unpin(TRACE, T0 + 1)
    assert sorted(client.execute(parts)) == before
    assert copied(client) == {OTHER}
    expire(client)
    assert set(store.get_traces([TRACE, OTHER])) == {OTHER}


def test_pin_partitions_stay_few(
    store: ClickHouseStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "MAX_PARTITIONS", 4)
    ids = [trace_id(number) for number in range(1, 7)]
    store.put([document for id in ids for document in documents(id)], "a")
    for id in ids:
        store.pin(id, "", T0)
    store.refresh_pins()
    assert len(pins._pin_partitions(client)) <= 4
    assert copied(client) == set(ids)
    whole = store.get_traces(ids, raw=True)
    expire(client)
    assert store.get_traces(ids, raw=True) == whole


def test_a_partition_never_expires(store: ClickHouseStore, client: Client) -> None:
    """Not the last one under the longest retention either: ClickHouse's seconds end in 2106."""
    store.put(documents(), "a")
    last = pins.FIRST_PIN_DAY + pins.PIN_DAYS - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pins, "_free_pin_day", lambda client: last)
        store.pin(TRACE, "", T0)
    retention.apply(client, {"traces": retention.MOST_DAYS}, wait=True)
    ends = client.execute(
        "SELECT DISTINCT toUnixTimestamp(delete_ttl_info_max) FROM system.parts WHERE active "
        "AND database = currentDatabase() AND table = 'segments' "
        f"AND partition_id >= '{pins.FIRST_PIN_PARTITION}'"
    )
    assert ends == [((last + retention.MOST_DAYS) * 86_400,)]


def test_several_may_pin_and_refresh_at_once(store: ClickHouseStore, client: Client) -> None:
    """API processes and rollers do not know of one another."""
    ids = [trace_id(number) for number in range(1, 4)]
    store.put([document for id in ids for document in documents(id)], "a")
    with ThreadPoolExecutor(4) as threads:
        refreshed = threads.submit(store.refresh_pins)
        for made in [threads.submit(store.pin, id, "", T0) for id in ids]:
            made.result()
        refreshed.result()
    expire(client)
    found = store.get_traces(ids, raw=True)
    assert [len(trace.documents) for trace in found.values()] == [2, 2, 2]
    assert all(document.raw for trace in found.values() for document in trace.documents.values())


def test_there_is_an_end_to_pins(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "MAX_PINS", 1)
    store.put([*documents(), *documents(OTHER)], "a")
    store.pin(TRACE, "", T0)
    store.pin(TRACE, "again", T0)
    with pytest.raises(TooManyPins, match="1 traces are pinned"):
        store.pin(OTHER, "", T0)


def test_every_table_of_traces_is_copied(client: Client) -> None:
    """A new table with rows of traces must decide whether a pin copies them; log lines have a time of
    their own, as docs/logs.md says."""
    found = client.execute(
        "SELECT DISTINCT c.table FROM system.columns AS c INNER JOIN system.tables AS t "
        "ON c.database = t.database AND c.table = t.name "
        "WHERE c.database = currentDatabase() AND c.name = 'trace_id' "
        "AND t.engine != 'MaterializedView'"
    )
    others = {"pins", "cross_bucket_refs", "crossing_refs", "deciding_ids", "log_lines"}
    assert {table for (table,) in found} == {*pins.TRACE_TABLES, *others}
