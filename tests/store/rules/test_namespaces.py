"""When a service's node is called by its namespace, too (docs/xray-format.md §5.2)."""

from __future__ import annotations

import pytest

from store.model import NodeKey
from store.rules.namespaces import full_name, short_keys


def key(name: str, type: str = "", account: str = "") -> NodeKey:
    return NodeKey(account, name, type)


API = frozenset(("shop/api", "api"))


@pytest.mark.parametrize(
    ("nodes", "short"),
    [
        ({key("shop/api"): API}, {"shop/api": "api"}),
        ({key("shop/api"): API, key("shop/api", "client"): {"shop/api"}}, {"shop/api": "api"}),
        ({key("shop/api"): API, key("crm/api"): {"crm/api", "api"}}, {}),
        ({key("shop/api"): API, key("api"): {"api"}}, {}),
        ({key("shop/api"): API, key("api", "remote"): {"api"}}, {"shop/api": "api"}),
        ({key("shop/v1/api"): {"shop/v1/api", "v1/api", "api"}}, {"shop/v1/api": "v1/api"}),
        ({key("shop-api/prod"): {"shop-api/prod"}}, {}),
        ({key("shop/api", "client"): {"shop/api"}}, {}),
        ({key("shop/api"): API, key("shop/api", account="1"): {"shop/api"}}, {"shop/api": "api"}),
        ({key("shop/api"): API, key("shop/api", "remote"): {"shop/api"}}, {"shop/api": "api"}),
    ],
)
def test_short_keys(nodes: dict[NodeKey, set[str]], short: dict[str, str]) -> None:
    """Where no other node has the rest of the key; of names with a slash that are no namespace's, none."""
    found = short_keys({node: frozenset(names) for node, names in nodes.items()})
    assert {before.name: after.name for before, after in found.items()} == short
    assert all(
        before._replace(name="") == after._replace(name="") for before, after in found.items()
    )
    assert all(before.type != "remote" for before in found)


def test_full_name() -> None:
    assert full_name("", "api", "") == "api"
    assert full_name("shop", "api", "AWS::ECS::Container") == "shop/api"
    assert full_name("shop", "api", "AWS::Lambda::Function") == "api"
    assert len(full_name("s" * 200, "a" * 200, "")) == 200
