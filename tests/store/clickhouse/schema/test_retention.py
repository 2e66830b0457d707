"""Retention on ClickHouse: what is set reaches the tables, and what is over goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema import retention
from store.clickhouse.store import ClickHouseStore
from store.model import Document
from store.times import SECOND
from tests.builders import call, segment, trace_id
from tests.conftest import drop, own_database
from tests.waiting import eventually

DAY = 86_400
LEAST, MOST = 3, 4
"""Rows of a trace as below: a segment, a call; `traces` may have merged its two."""


@pytest.fixture
def database(clickhouse: Address) -> Iterator[Address]:
    address = own_database(clickhouse)
    yield address
    drop(address)


@pytest.fixture
def client(database: Address) -> Iterator[Client]:
    retention.prepare_database(database, {})
    client = connect(database)
    yield client
    client.disconnect()


@pytest.fixture
def store(database: Address, client: Client) -> Iterator[ClickHouseStore]:
    store = ClickHouseStore(database, connections=1)
    yield store
    store.close()


def arrived(days_ago: int) -> Document:
    """Of a trace that arrived so many days ago, a moment after it started."""
    at = (int(time.time()) - days_ago * DAY) * SECOND
    return segment(
        trace_id=trace_id(days_ago + 1), start=at, end=at + 5, version=at, calls=(call(start=at),)
    )


def soon(condition: Callable[[], bool], what: str) -> None:
    """Merges are ClickHouse's own business; wait for what they must come to."""
    eventually(condition, what, seconds=60)


def ttl(client: Client, table: str) -> str:
    ((made,),) = client.execute(f"SHOW CREATE TABLE {table}")
    return str(made).split("\nTTL ")[1].split("\n")[0]


def test_days_apply_until_others_are_given(database: Address) -> None:
    """A flag of `serve` or `migrate`, else what was set before, else the default."""
    assert retention.prepare_database(database, {}) != []
    client = connect(database)
    assert ttl(client, "segments") == "received + toIntervalDay(30)"
    assert retention.effective(client)["traces"] == 30
    assert retention.configured(client) == {}
    retention.prepare_database(database, {"traces": 14})
    assert retention.prepare_database(database, {}) == []
    for table in retention.KINDS["traces"].tables:
        assert ttl(client, table) == "received + toIntervalDay(14)"
    retention.apply(client, {"traces": 7})
    retention.prepare_database(database, {})
    assert retention.effective(client)["traces"] == 7
    assert retention.configured(client) == {"traces": 7}
    retention.prepare_database(database, {"traces": 30})
    assert retention.effective(client)["traces"] == 30, "the default too, when it is said"
    client.disconnect()


def test_a_new_database_begins_as_said(database: Address) -> None:
    retention.prepare_database(database, {"traces": 3})
    client = connect(database)
    assert (retention.effective(client)["traces"], retention.configured(client)) == (
        3,
        {"traces": 3},
    )
    client.disconnect()


@pytest.mark.parametrize("said", [{"traces": 0}, {"traces": 10_001}, {"maps": 3}])
def test_nonsense_is_refused(client: Client, said: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 to 10,000 of"):
        retention.apply(client, said)
    assert retention.configured(client) == {}


def test_nothing_is_altered_that_is_right_already(client: Client) -> None:
    """A start costs no mutation."""
    retention.apply(client, {"traces": 20}, wait=True)
    ((before,),) = client.execute(
        "SELECT max(metadata_modification_time) FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'calls'"
    )
    mutations = "SELECT count() FROM system.mutations WHERE database = currentDatabase()"
    count = client.execute(mutations)
    retention.apply(client, {"traces": 20})
    assert client.execute(mutations) == count
    ((after,),) = client.execute(
        "SELECT max(metadata_modification_time) FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'calls'"
    )
    assert after == before


def test_what_is_over_is_deleted_and_what_is_pinned_is_not(
    store: ClickHouseStore, client: Client
) -> None:
    ids = {days: trace_id(days + 1) for days in (0, 10, 20, 25)}
    for days in ids:
        store.put([arrived(days)], str(days))
    store.pin(ids[25], "", 1)
    (lost,) = retention.preview_deletions(client, {"traces": 15})
    assert 2 * LEAST <= lost.rows <= 2 * MOST
    assert retention.preview_deletions(client, {"traces": 26}) == []
    retention.apply(client, {"traces": 15}, wait=True)
    found = store.get_traces([*ids.values()], raw=True)
    assert set(found) == {ids[0], ids[10], ids[25]}
    assert all(document.raw for trace in found.values() for document in trace.documents.values())
    retention.apply(client, {"traces": 10_000}, wait=True)
    soon(lambda: set(store.get_traces([*ids.values()])) == set(found), "the pin outlives it")


def test_time_alone_deletes(store: ClickHouseStore, client: Client) -> None:
    """ClickHouse's own merges, in the engine that is embedded too."""
    store.put([arrived(0), arrived(31)], "a")
    count = "SELECT count() FROM {}"
    for table in ("segments", "calls", "traces"):
        soon(
            lambda table=table: (
                client.execute(count.format(table))[0][0] in (1, 2)  # type: ignore[misc]
                and not client.execute(
                    f"SELECT 1 FROM {table} WHERE trace_id = unhex('{trace_id(32).hex()}')"
                )
            ),
            f"{table} are rid of what is over",
        )
    assert set(store.get_traces([trace_id(1), trace_id(32)])) == {trace_id(1)}


def test_a_longer_time_reaches_what_is_there(store: ClickHouseStore, client: Client) -> None:
    store.put([arrived(29)], "a")
    (before, *_), _ = retention.status(client)
    retention.apply(client, {"traces": 90}, wait=True)
    (after, *_), _ = retention.status(client)
    assert after.expires - before.expires == 60 * DAY


def test_the_report(store: ClickHouseStore, client: Client) -> None:
    (empty, *_), pinned = retention.status(client)
    assert (empty.kind, empty.days, empty.rows, empty.oldest, empty.expires) == (
        *("traces", 30, 0),
        *(0, 0),
    )
    assert pinned == (0, 0, 0)
    now = int(time.time())
    for days in (0, 10, 20):
        store.put([arrived(days)], str(days))
    store.pin(trace_id(1), "", 1)
    (traces, *_), pinned = retention.status(client)
    assert 3 * LEAST <= traces.rows <= 3 * MOST
    assert traces.bytes > 1000
    assert abs(traces.oldest - (now - 20 * DAY)) < 60
    assert abs(traces.newest - now) < 60
    assert abs(traces.expires - (now + 10 * DAY)) < 60
    assert pinned.traces == 1
    assert LEAST <= pinned.rows <= MOST


MAP = """
CREATE TABLE IF NOT EXISTS rollups (width UInt16, bucket UInt32, written_at DateTime('UTC'))
ENGINE = MergeTree ORDER BY (width, bucket) TTL written_at + toIntervalDay(1)
"""


def test_the_map_has_times_of_its_own(client: Client) -> None:
    """By minutes and by hours in one table."""
    client.execute(MAP)
    retention.apply(client, {}, wait=True)
    assert ttl(client, "rollups") == "written_at + toIntervalDay(if(width = 60, 400, 60))"
    assert retention.effective(client) == {
        "traces": 30,
        "map-minutes": 60,
        "map-hours": 400,
        "logs": 7,
        "metrics": 60,
    }
    now = int(time.time())
    for width in (1, 10, 60):
        for days in (0, 40, 50):
            client.execute(
                "INSERT INTO rollups (width, bucket, written_at) VALUES",
                [(width, (now - days * DAY) // 60 // width * width, now - days * DAY)],
            )
    _, minutes, hours, *_ = retention.status(client)[0]
    assert (minutes.rows, hours.rows) == (6, 3)
    assert abs(minutes.oldest - (now - 50 * DAY)) <= 3600
    assert abs(minutes.newest - now) <= 3600
    assert abs(minutes.expires - (now + 10 * DAY)) < 60
    assert abs(hours.expires - (now + 350 * DAY)) < 60
    wanted = {"map-minutes": 45, "map-hours": 50}
    (lost, also) = retention.preview_deletions(client, wanted)
    assert (lost.kind, lost.rows, also.kind, also.rows) == ("map-minutes", 2, "map-hours", 1)
    retention.apply(client, wanted, wait=True)
    _, minutes, hours, *_ = retention.status(client)[0]
    assert (minutes.days, minutes.rows, hours.days, hours.rows) == (45, 4, 50, 2)


def test_every_table_that_grows_has_a_kind(client: Client) -> None:
    """A new table with a TTL names here what sets it."""
    found = client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND position(create_table_query, ' TTL ') > 0"
    )
    own = (
        {table for (table,) in found}
        - {
            "dirty",
            "cross_bucket_refs",
            "deciding_ids",
            "crossing_refs",
            "bucket_rollups",
            "sampling_reports",
            "sampling_anomalies",
            "retrievals",
            "deployments",
            "operations",
            "alarm_events",
            "alarm_deliveries",
            "audit",
            "problems",
        }
    )  # bookkeeping of the map, of sampling, trace retrieval, deployments, alarms and problems; the audit log, whose time is fixed
    assert own == {*retention.TTLS} & own
    assert own >= {*retention.KINDS["traces"].tables}
