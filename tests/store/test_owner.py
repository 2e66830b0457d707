"""The owner of a trace, in Python and in SQL."""

from __future__ import annotations

import random

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.owner import owner_of, owner_sql

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


def test_the_first_half_does_not_matter() -> None:
    """It is a time in X-Ray's ids, and zero in ids of 64 bits."""
    id = random.Random(1).randbytes(8)
    assert owner_of(bytes(8) + id, 5) == owner_of(b"\x65" * 8 + id, 5)
