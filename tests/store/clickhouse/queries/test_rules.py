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
from store.clickhouse.queries.rules import (
    ANSWERS,
    AWAITS_EVENT,
    IS_BROKER,
    MAY_BE_REPLACED,
    PASSED_ON,
    PROCESSES,
    SETTLE_SLOT_OF,
    SETTLED_ACCOUNT,
    UNCONFIRMED_SLOT,
    VERSION,
)
from store.messages import processes
from store.model import (
    Fetched,
    Kind,
    NodeKey,
    State,
    confirmed,
    derived_version,
    is_unconfirmed,
    precedence,
    relayed_version,
    settle_slot,
    unconfirmed,
    waiting_slot,
)
from store.parents import awaits_event
from store.rules.brokers import EVENT_SOURCES, answers, is_broker
from store.rules.invocations import FUNCTION, SERVICE
from store.rules.operations import is_of_proxy
from store.times import SECOND
from tests.builders import T0, segment

ACCOUNTS = ("", "123456789012", "unconfirmedly")
CLIENTS = [
    client
    for node in (NodeKey(account, "shop", "client") for account in ACCOUNTS)
    for client in (node, unconfirmed(node, 0), unconfirmed(node, 179_000_000))
]

SPANS = list(product(Kind, Fetched))
OPERATIONS = ("reviews:9080/*", "reviews:/*", "reviews/*", "a:1/*b", "a:1/*\n", ":9/**", "/*", "")
TYPES = (*EVENT_SOURCES, "Messaging::kafka", FUNCTION, SERVICE, "")
VERSIONS = (T0, derived_version(T0, 20))
"""Of documents that arrived when they began: as reported, and as derived of a record."""


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


def test_what_a_proxy_reports(clickhouse_database: Address) -> None:
    requests = list(product((Kind.NONE, Kind.SERVER), OPERATIONS))
    said = said_of(clickhouse_database, PASSED_ON, "kind operation", "UInt8, String", requests)
    assert said == [kind is Kind.SERVER and is_of_proxy(each) for kind, each in requests]


def test_what_may_be_replaced_and_the_version_that_it_came_with(
    clickhouse_database: Address,
) -> None:
    copies = [(State.IN_PROGRESS, T0), (State.OK, T0), (State.OK, relayed_version(T0))]
    rows = [(precedence(*copy),) for copy in copies]
    said = said_of(clickhouse_database, MAY_BE_REPLACED, "ver", "UInt64", rows)
    assert said == [True, False, True]
    assert said_of(clickhouse_database, VERSION, "ver", "UInt64", rows[:2]) == [T0, T0]


def test_what_a_broker_is(clickhouse_database: Address) -> None:
    said = said_of(clickhouse_database, IS_BROKER, "type", "String", [(type,) for type in TYPES])
    assert said == [is_broker(NodeKey("", "orders", type)) for type in TYPES]


def test_when_a_root_settles(clickhouse_database: Address) -> None:
    """By when it arrived, or began if its sender's clock is ahead."""
    roots = [
        (start, version, state, type)
        for start in (T0, T0 + 60 * SECOND)
        for version, state in (*((each, State.OK) for each in VERSIONS), (T0, State.IN_PROGRESS))
        for type in (FUNCTION, SERVICE)
    ]
    rows = [(start, precedence(state, version), type) for start, version, state, type in roots]
    said = said_of(
        clickhouse_database, SETTLE_SLOT_OF, "start ver type", "Int64, UInt64, String", rows
    )
    assert said == [
        settle_slot(start, version, joined=type == SERVICE) for start, version, _, type in roots
    ]


def test_what_awaits_its_event(clickhouse_database: Address) -> None:
    roots = [
        segment(
            node=NodeKey("", "f", type),
            before=NodeKey("", name, ""),
        )
        for type in (FUNCTION, SERVICE)
        for name in ("", "orders")
    ]
    rows = [(root.node.type, root.before.name) for root in roots]
    said = said_of(clickhouse_database, AWAITS_EVENT, "type owner_name", "String, String", rows)
    assert said == list(map(awaits_event, roots))
