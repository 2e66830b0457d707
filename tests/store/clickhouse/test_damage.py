"""Damaged parts on the embedded engine's disk: named, set aside, and gone from the problems."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from store.clickhouse import damage
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, RunQuery, execute
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreError
from tests.builders import segment, trace_id
from tests.conftest import drop, own_database

COUNT = 500


@pytest.fixture
def store(clickhouse: Address) -> Iterator[ClickHouseStore]:
    """A store with a single part of segments, in a database of its own."""
    database = own_database(clickhouse)
    migrate(database, {"retention_days": 3650})
    opened = ClickHouseStore(database, connections=2)
    opened.put([segment(1, trace_id=trace_id(n)) for n in range(COUNT)], "damage")
    yield opened
    opened.close()
    drop(database)


@pytest.fixture
def client(store: ClickHouseStore) -> Iterator[Client]:
    connected = connect(store.address)
    yield connected
    connected.disconnect()


@pytest.fixture
def run(client: Client) -> RunQuery:
    return partial(execute, client)


def part_folder(client: Client) -> Path:
    """Where the only part of `segments` is."""
    ((path,),) = client.execute(
        "SELECT path FROM system.parts WHERE active AND database = currentDatabase() "
        "AND table = 'segments'"
    )
    return Path(path)


def spoil(client: Client) -> None:
    """Flip bytes in the middle of a part's largest file, as a failing disk does."""
    file = max(part_folder(client).glob("*.bin"), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    for at in range(max(0, middle - 100), middle + 100):
        content[at] ^= 0xFF
    file.write_bytes(content)
    client.execute("SYSTEM DROP MARK CACHE")


def read_all(client: Client) -> int:
    ((count,),) = client.execute("SELECT count() FROM segments WHERE NOT ignore(*)")
    return int(count)


def test_all_is_well(store: ClickHouseStore, client: Client) -> None:
    assert read_all(client) == COUNT
    assert store.problems() == []


def test_a_user_who_may_not_look_has_no_problem() -> None:
    """On a ClickHouse of one's own: reading and writing the tables is enough."""

    def denied(_: object) -> Rows:
        raise ServerException("DB::Exception: Not enough privileges.", damage.ACCESS_DENIED)

    assert damage.problems(denied) == []


def test_a_damaged_part_is_named_until_it_is_set_aside(
    store: ClickHouseStore, client: Client, run: RunQuery
) -> None:
    spoil(client)
    ids = [trace_id(n) for n in range(COUNT)]
    with pytest.raises(StoreError):
        store.get_traces(ids)
    (part,) = damage.damaged_parts(run)
    assert (part.table, part.rows) == ("segments", COUNT)
    (problem,) = store.problems()
    assert problem.startswith(f"part {part.name} of segments is damaged (500 rows, received 2")
    assert problem.endswith("raymap doctor --detach-damaged")
    store.check()  # it answers otherwise: the map is still right

    damage.detach(client, [part])
    assert store.get_traces(ids) == {}
    assert store.problems() == []


def test_a_part_that_was_unreadable_at_the_start_is_named_until_it_is_dropped(
    store: ClickHouseStore, client: Client, run: RunQuery
) -> None:
    folder = part_folder(client)
    client.execute("DETACH TABLE segments")
    (folder / "checksums.txt").write_bytes(b"")
    client.execute("ATTACH TABLE segments")
    (part,) = damage.broken_parts(run)
    assert part.table == "segments"
    (problem,) = store.problems()
    assert f"part {part.name} of segments could not be read (broken-on-start)" in problem
    assert problem.endswith("raymap doctor --drop-broken")
    damage.drop(client, [part])
    assert store.problems() == []
