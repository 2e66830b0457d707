"""What rules say in SQL, of every row that they tell apart, is what their functions say in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import ANSWERS, PROCESSES, SETTLED_ACCOUNT, UNCONFIRMED_SLOT
from store.messages import processes
from store.model import (
    Fetched,
    Kind,
    NodeKey,
    confirmed,
    is_unconfirmed,
    unconfirmed,
    waiting_slot,
)
from store.rules.brokers import answers

ACCOUNTS = ("", "123456789012", "unconfirmedly")
CLIENTS = [
    client
    for node in (NodeKey(account, "shop", "client") for account in ACCOUNTS)
    for client in (node, unconfirmed(node, 0), unconfirmed(node, 179_000_000))
]

SPANS = list(product(Kind, Fetched))


def said_of(
    database: Address, rule: Sql, columns: str, types: str, rows: Iterable[tuple[Any, ...]]
) -> list[Any]:
    """What a rule says of rows with these columns."""
    client = connect(database)
    rule_of_rows = (
        f"SELECT {rule.text} FROM (SELECT arrayJoin({{rows:Array(Tuple({types}))}}) AS row, "
        f"{', '.join(f'row.{at} AS {name}' for at, name in enumerate(columns.split(), 1))})"
    )
    found = execute(client, Sql(rule_of_rows, {"rows": list(rows)}))
    client.disconnect()
    return [value for (value,) in found]


def said_of_clients(database: Address, rule: Sql) -> list[Any]:
    rows = [(client.account,) for client in CLIENTS]
    return said_of(database, rule, "source_account", "String", rows)


def test_the_account_of_a_confirmed_node(clickhouse_database: Address) -> None:
    accounts = [confirmed(client).account for client in CLIENTS]
    assert said_of_clients(clickhouse_database, SETTLED_ACCOUNT) == accounts


def test_when_arrived_what_an_unconfirmed_node_is_in_front_of(clickhouse_database: Address) -> None:
    slots = [waiting_slot(client) if is_unconfirmed(client) else 0 for client in CLIENTS]
    assert said_of_clients(clickhouse_database, UNCONFIRMED_SLOT) == slots


@pytest.mark.parametrize(("rule", "function"), [(ANSWERS, answers), (PROCESSES, processes)])
def test_what_answers_and_what_processes(
    clickhouse_database: Address, rule: Sql, function: Callable[[Kind, Fetched], bool]
) -> None:
    rows = [(int(kind), int(fetched)) for kind, fetched in SPANS]
    said = said_of(clickhouse_database, rule, "kind fetched", "UInt8, UInt8", rows)
    assert said == [function(*span) for span in SPANS]
