"""Declarations of ClickHouse's own: what another release stored."""

from __future__ import annotations

from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.declared.model import Declaration


def test_what_a_later_release_declared_is_left_out(clickhouse_store: ClickHouseStore) -> None:
    """This one does not know all of it; the others are compared with the map all the same."""
    clickhouse_store.put_declaration(Declaration("ours"), 1)
    client = connect(clickhouse_store.address)
    client.execute(
        "INSERT INTO declarations (stack, account, region, value, removed, ver) VALUES",
        [("theirs", "", "", '{"stack": "theirs", "of_the_next": 1}', 0, 1)],
    )
    client.disconnect()
    found = [each.declaration.stack for each in clickhouse_store.declarations()]
    assert found == ["ours"]
