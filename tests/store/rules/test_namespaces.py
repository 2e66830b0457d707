"""When a service's node is called by its namespace, too (docs/xray-format.md §5.2)."""

from __future__ import annotations

import pytest

from store.model import NodeKey
from store.rules.namespaces import bare_names, full_name, goes_by, unique_names


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
def test_unique_names(nodes: dict[NodeKey, set[str]], short: dict[str, str]) -> None:
    """Where no other node has the rest of the key; of names with a slash that are no namespace's, none."""
    bare = bare_names({node: frozenset(names) for node, names in nodes.items()})
    found = unique_names(bare, nodes)
    assert {node.name: name for node, name in found.items()} == short
    assert all(node.type != "remote" for node in found)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("api", ["shop/api", "crm/api", "api"]),
        ("shop/api", ["shop/api"]),
        ("crm/api", ["crm/api"]),
        ("other/api", []),
        ("api.internal", []),
        ("prod", []),
    ],
)
def test_goes_by(name: str, of: list[str]) -> None:
    """A bare name is that of every service of the name, a full one of its own; what callers call it is neither."""
    nodes = {
        key("shop/api"): {"shop/api", "api", "api.internal"},
        key("crm/api"): {"crm/api", "api"},
        key("api"): {"api"},
        key("shop-api/prod", "AWS::ApiGateway::Stage"): {"shop-api/prod"},
    }
    assert [node.name for node, names in nodes.items() if goes_by(name, node, names)] == of


def test_full_name() -> None:
    assert full_name("", "api", "") == "api"
    assert full_name("shop", "api", "AWS::ECS::Container") == "shop/api"
    assert full_name("shop", "api", "AWS::Lambda::Function") == "api"
    assert len(full_name("s" * 200, "a" * 200, "")) == 200
