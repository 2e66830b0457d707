"""Which inferred nodes join another; the contract tests the joined graph through every store."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.model import NodeKey
from store.rules.joins import joined_nodes

EAST, WEST = "us-east-1", "us-west-2"


def table(account: str, region: str) -> NodeKey:
    return NodeKey(account, "orders", "AWS::DynamoDB::Table", region)


def joins(*nodes: NodeKey, active: tuple[NodeKey, ...] = ()) -> dict[NodeKey, NodeKey]:
    return joined_nodes({node: node in active for node in nodes})


@pytest.mark.parametrize("bare", [table("", ""), table("1", ""), table("", EAST)])
def test_a_call_without_account_or_region_joins_the_only_node_with_both(bare: NodeKey) -> None:
    whole = table("1", EAST)
    assert joins(bare, whole) == {bare: whole}


@pytest.mark.parametrize(
    ("bare", "others"),
    [
        (table("", ""), (table("1", EAST), table("1", WEST))),
        (table("", ""), (table("1", EAST), table("2", EAST))),
        (table("1", ""), (table("1", EAST), table("1", WEST))),
        (table("", EAST), (table("1", EAST), table("2", EAST))),
        (table("", ""), (table("1", ""), table("", EAST))),
    ],
)
def test_with_several_it_is_not_known_which(bare: NodeKey, others: tuple[NodeKey, ...]) -> None:
    assert joins(bare, *others) == {}


def test_what_a_call_does_name_decides() -> None:
    here, there = table("1", EAST), table("2", WEST)
    assert joins(table("1", ""), table("", WEST), here, there) == {
        table("1", ""): here,
        table("", WEST): there,
    }
    assert joins(table("1", ""), there) == {}
    assert joins(table("", ""), here._replace(name="carts")) == {}
    assert joins(table("", ""), here._replace(type="AWS::DynamoDB")) == {}


def test_nodes_that_join_do_not_compete_with_the_one_they_join() -> None:
    whole = table("1", EAST)
    fewer = (table("", ""), table("1", ""), table("", EAST))
    assert joins(whole, *fewer) == dict.fromkeys(fewer, whole)


def test_what_reported_itself_joins_nothing() -> None:
    bare, whole = NodeKey("", "web", ""), NodeKey("1", "web", "", EAST)
    assert joins(bare, whole, active=(bare, whole)) == {}
    client = NodeKey("", "web", "client")
    assert joins(client, client._replace(account="1")) == {}


KEYS = [table(account, region) for account, region in product(("", "1", "2"), ("", EAST, WEST))]


@given(st.dictionaries(st.sampled_from(KEYS), st.booleans(), max_size=9))
def test_joins_lead_to_nodes_that_stay_in_any_order(
    nodes: dict[NodeKey, bool],
) -> None:
    found = joined_nodes(nodes)
    assert not found.keys() & set(found.values())
    for key, into in found.items():
        assert not nodes[key]
        assert (key.account or into.account, key.region or into.region) == (
            into.account,
            into.region,
        )
    assert joined_nodes(dict(reversed(nodes.items()))) == found
