"""Which nodes pass messages on, in Python and in the one expression that SQL has."""

from __future__ import annotations

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.queries import IS_BROKER, Sql
from store.clickhouse.store import ClickHouseStore
from store.model import Kind, NodeKey
from store.rules.brokers import AWS_BROKERS, is_broker, passes_on

TYPES = {
    **dict.fromkeys((*AWS_BROKERS, "Messaging::Kafka", "Messaging::Other"), True),
    **dict.fromkeys(
        ("", "remote", "AWS::SQSx", "AWS::Lambda", "Database::SQL", "AMessaging::X"), False
    ),
}


@pytest.mark.parametrize(("type", "expected"), TYPES.items())
def test_is_broker(type: str, expected: bool) -> None:
    node = NodeKey("", "orders", type)
    assert is_broker(node) is expected
    assert passes_on(node, Kind.CONSUMER) is expected
    assert not any(passes_on(node, kind) for kind in Kind if kind is not Kind.CONSUMER)


def test_sql_has_the_same_brokers(clickhouse_store: ClickHouseStore) -> None:
    expression = IS_BROKER.render({"type": Sql("type")}).text
    client = connect(clickhouse_store.address)
    rows = client.execute(
        f"SELECT type, {expression} FROM (SELECT arrayJoin({list(TYPES)}) AS type)"
    )
    client.disconnect()
    assert {type: bool(found) for type, found in rows} == TYPES
