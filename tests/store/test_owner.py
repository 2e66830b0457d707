"""The owner of a trace, in Python and in SQL."""

from __future__ import annotations

import random

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.owner import Epoch, Owners, owner_of, owner_sql
from store.times import DAY, SECOND

IDS = [bytes(16), b"\xff" * 16, bytes(15) + b"\1", bytes(8) + b"\1" + bytes(7)]
IDS += [random.Random(number).randbytes(16) for number in range(200)]


@pytest.mark.parametrize("cells", [1, 2, 3, 7])
def test_sql_has_the_same_rule(clickhouse_database: Address, cells: int) -> None:
    client = connect(clickhouse_database)
    statement = f"SELECT id, {owner_sql('id', cells)} FROM (SELECT arrayJoin({{ids:Array(FixedString(16))}}) AS id)"
    rows = execute(client, Sql(statement.replace("SELECT id,", "SELECT hex(id),"), {"ids": IDS}))
    client.disconnect()
    assert {bytes.fromhex(id): owner for id, owner in rows} == {
        id: owner_of(id, cells) for id in IDS
    }


def test_sql_knows_what_an_epoch_takes_anew(clickhouse_database: Address) -> None:
    """Of the ids without a time, and with one since it began; one of the day before stays where it was."""
    since = 1_800_000_000 * SECOND
    owners = Owners((Epoch(0, (0, 1)), Epoch(since, (0, 1, 2))))
    times = [since - 1, since - DAY + SECOND, since, since + SECOND]
    ids = [(at // SECOND).to_bytes(4) + id[4:] for at in times for id in IDS[-50:]]
    ids += [b"\xff" * 4 + id[4:] for id in IDS[-50:]]
    client = connect(clickhouse_database)
    taken: set[tuple[bytes, int]] = set()
    for place in range(3):
        anew = owners.goes_anew_sql("id", place, 1)
        statement = f"SELECT hex(id) FROM (SELECT arrayJoin({{ids:Array(FixedString(16))}}) AS id) WHERE {anew}"
        taken |= {
            (bytes.fromhex(id), place) for (id,) in execute(client, Sql(statement, {"ids": ids}))
        }
    client.disconnect()
    places = {id: owners.of_document(id, since) for id in ids}
    assert taken == {(id, at) for id, at in places.items() if at != owners.epochs[0].owner_of(id)}
    assert {place for _, place in taken} == {0, 1, 2}


def test_the_first_half_does_not_matter() -> None:
    """It is a time in X-Ray's ids, and zero in ids of 64 bits."""
    id = random.Random(1).randbytes(8)
    assert owner_of(bytes(8) + id, 5) == owner_of(b"\x65" * 8 + id, 5)
