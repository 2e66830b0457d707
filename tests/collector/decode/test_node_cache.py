"""What is looked up must be what would be computed, and must not fill the memory."""

from __future__ import annotations

from typing import Any

import pytest

from collector.decode import flatten, node_cache
from collector.decode.wire import Aws, Gateway, Place
from store.rules.identity import call_node, segment_node

LONG = "x" * 60_000


@pytest.mark.parametrize(
    "block",
    [
        {"table_name": "orders"},
        {"table_name": "orders", "account_id": "123456789012"},
        {"resource_names": ["orders"]},
        {"resource_names": ["orders", ["nested"]]},
        {"table_names": ["orders"]},
        {"table_name": {"not": "text"}},
        {"account_id": 123456789012, "table_name": "orders"},
        {"region": "us-west-2", "table_name": "orders"},
    ],
)
def test_an_aws_call_leads_where_the_rule_says(block: dict[str, Any]) -> None:
    for _ in range(2):
        assert node_cache.aws_node("dynamodb", Aws(**block)) == call_node(
            "aws", "dynamodb", aws=block
        )


def test_blocks_that_differ_in_one_property_are_not_taken_for_each_other() -> None:
    first = node_cache.aws_node("dynamodb", Aws(table_name="orders", account_id="1"))
    second = node_cache.aws_node("dynamodb", Aws(table_name="orders", account_id="2"))
    assert (first.node.account, second.node.account) == ("1", "2")
    regions = [
        node_cache.aws_node("dynamodb", Aws(table_name="orders", region=region)).node.region
        for region in ("us-east-1", "us-west-2")
    ]
    assert regions == ["us-east-1", "us-west-2"]


@pytest.mark.parametrize("inferred", [False, True])
@pytest.mark.parametrize("origin", ["", "AWS::EC2::Instance", "AWS::DynamoDB::Table"])
@pytest.mark.parametrize(
    "aws",
    [
        None,
        Aws(),
        Aws(account_id="123456789012"),
        Aws(table_name="orders"),
        Aws(region="us-west-2"),
        Aws(ec2=Place(availability_zone="us-west-2c")),
        Aws(ecs=Place(availability_zone="us-west-2c"), account_id="123456789012"),
        Aws(ecs=Place(task_arn="arn:aws:ecs:us-west-2:123456789012:task/x")),
        Aws(api_gateway=Gateway(account_id="123456789012")),
    ],
)
def test_a_segment_belongs_where_the_rule_says(
    aws: Aws | None, origin: str, inferred: bool
) -> None:
    block = node_cache._block(aws) if aws is not None else None
    expected = segment_node("dynamodb", origin=origin, aws=block, inferred=inferred)
    for _ in range(2):
        assert node_cache.segment_node_of("dynamodb", origin, aws, inferred) == expected


def test_long_keys_are_not_cached() -> None:
    node_cache.remote_node("db.example.com", False, LONG)
    node_cache.aws_node("dynamodb", Aws(table_name=LONG))
    node_cache.aws_node("dynamodb", Aws(resource_names=[LONG]))
    node_cache.segment_node_of("frontend", LONG, None, False)
    flatten.items_of({LONG: "value"})
    tables: list[dict[Any, Any]] = [
        node_cache._remote_nodes, node_cache._aws_nodes, node_cache._segment_nodes, flatten._texts,
    ]  # fmt: skip
    assert not [key for table in tables for key in table if len(str(key)) > 50_000]


def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "CACHED", 10)
    for number in range(100):
        node_cache.remote_node(f"host-{number}.example.com", False, "")
        assert len(node_cache._remote_nodes) <= 10
    assert node_cache.remote_node("host-5.example.com", False, "") == call_node(
        "remote", "host-5.example.com"
    )
