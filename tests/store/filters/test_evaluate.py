"""The meaning of filter expressions, on one trace whose facts are written out by hand."""

from __future__ import annotations

import json

import pytest

from store.filters.evaluate import matches
from store.filters.parse import parse
from store.model import Http, NodeKey, State, Trace
from store.rules.annotations import Value, annotation_item
from store.times import SECOND
from tests.builders import T0, call, segment, trace_of
from tests.store.filters.examples import FAILING, MATCHING

SHOP = NodeKey("123456789012", "shop", "AWS::ECS::Container")
ORDERS = NodeKey("", "orders", "AWS::ECS::Container")
TABLE = NodeKey("", "items", "AWS::DynamoDB::Table")


def shop() -> Trace:
    """shop (fault, 1 s) calls orders (throttled, 0.9 s), whose call to a table is throttled; inside of
    shop a subsegment fails with an exception."""
    start = T0 / SECOND
    exceptions = [{"id": "00000000000000e1", "type": "Denied", "message": 'Access "denied"'}]
    raw_shop = {
        "name": "shop",
        "start_time": start,
        "end_time": start + 1,
        "fault": True,
        "subsegments": [
            {
                "id": "0000000000000c01",
                "name": "orders",
                "namespace": "remote",
                "start_time": start + 0.05,
                "end_time": start + 0.98,
                "error": True,
                "throttle": True,
            },
            {
                "id": "0000000000000502",
                "name": "## place",
                "start_time": start + 0.98,
                "end_time": start + 0.99,
                "fault": True,
                "cause": {"exceptions": exceptions},
            },
        ],
    }
    raw_orders = {
        "name": "orders",
        "start_time": start + 0.06,
        "end_time": start + 0.96,
        "error": True,
        "throttle": True,
    }
    annotations: dict[str, Value] = {
        "gameid": "817DL6VO",
        "age": 30,
        "score": 0.75,
        "first_order": True,
        "last_order": False,
        "key.with.dots": "abc",
    }
    entry = segment(
        0xA1,
        node=SHOP,
        service="shop",
        end=T0 + SECOND,
        state=State.FAULT,
        http=Http("POST", "http://shop.example.com/api/game/7.json", 503, "203.0.113.9", "curl/8"),
        user="alice",
        availability_zone="us-west-2c",
        instance_id="i-075ad396f12bc325a",
        resource_arn="arn:aws:ecs:us-west-2:123456789012:cluster/shop",
        service_version="42",
        environment="prod",
        operation="POST /api/game/{id}",
        annotations=tuple(annotation_item(k, v) for k, v in annotations.items()),
        calls=(
            call(
                0xC01,
                start=T0 + 50_000,
                end=T0 + 980_000,
                state=State.THROTTLE,
                node=NodeKey("", "orders", "remote"),
                service="orders",
                host="orders",
                status=429,
            ),
        ),
        members=(0x502,),
        raw=json.dumps(raw_shop).encode(),
    )
    callee = segment(
        0xB1,
        parent_id=0xC01,
        node=ORDERS,
        service="orders",
        start=T0 + 60_000,
        end=T0 + 960_000,
        state=State.THROTTLE,
        http=Http("POST", "http://orders/place", 429),
        calls=(
            call(
                0xC02,
                start=T0 + 70_000,
                end=T0 + 80_000,
                state=State.THROTTLE,
                node=TABLE,
                service="DynamoDB",
                host="",
                status=400,
                operation="PutItem",
            ),
        ),
        raw=json.dumps(raw_orders).encode(),
    )
    return trace_of(entry, callee)


@pytest.mark.parametrize("text", MATCHING)
def test_matches(text: str) -> None:
    assert matches(shop(), parse(text))


@pytest.mark.parametrize("text", FAILING)
def test_does_not_match(text: str) -> None:
    assert not matches(shop(), parse(text))


@pytest.mark.parametrize("text", [*MATCHING, *FAILING])
def test_negation_is_the_opposite(text: str) -> None:
    assert matches(shop(), parse(f"!({text})")) is not matches(shop(), parse(text))
