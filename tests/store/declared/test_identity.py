"""Names that CloudFormation makes, and the nodes that resources are."""

from __future__ import annotations

import pytest

from store.declared.identity import (
    BUCKET,
    BUS,
    FUNCTION,
    IDENTITIES,
    KINDS,
    MACHINE,
    QUEUE,
    RESOURCE_TYPES,
    TABLE,
    expected_key,
    is_generated,
    name_matches,
)
from store.model import NodeKey
from store.rules.identity import call_node


@pytest.mark.parametrize(
    ("type", "stack", "id", "name", "matches"),
    [
        (FUNCTION, "shop", "Checkout", "shop-Checkout-1A2B3C4D5E6F", True),
        (FUNCTION, "shop", "Checkout", "shop-Checkout-aB3dE5gH7jK9", True),
        (FUNCTION, "shop", "Checkout", "shop-Checkout2-1A2B3C4D5E6F", False),
        (FUNCTION, "shop", "Checkout", "shop-Checkout", False),
        (FUNCTION, "shop", "Checkout", "shop-Checkout-prod", False),
        (FUNCTION, "shop", "Checkout", "other-Checkout-1A2B3C4D5E6F", False),
        (FUNCTION, "shop", "Checkout", "Checkout-1A2B3C4D5E6F", False),
        (MACHINE, "shop", "Flow", "Flow-1A2B3C4D5E6F", True),
        (MACHINE, "shop", "Flow", "shop-Flow-1A2B3C4D5E6F", True),
        (QUEUE, "shop", "Work", "shop-Work-1A2B3C4D5E6F.fifo", True),
        (BUCKET, "Shop", "MediaFiles", "shop-mediafiles-1a2b3c4d5e6f", True),
        (TABLE, "Shop", "MediaFiles", "shop-mediafiles-1a2b3c4d5e6f", False),
        (FUNCTION, "a" * 40, "Checkout" * 3, "a" * 25 + "-" + "CheckoutCheckoutCheckout-1A2B3C4D5E6F", True),
        (FUNCTION, "a" * 40, "Checkout" * 3, "a" * 25 + "-CheckoutCheck-1A2B3C4D5E6F", True),
        (FUNCTION, "a" * 40, "Checkout" * 3, "a" * 25 + "-Chuckout-1A2B3C4D5E6F", False),
        (FUNCTION, "shop", "Checkout", "sho-Check-1A2B3C4D5E6F", False),
        (FUNCTION, "shop", "Pay/Checkout", "shop-Pay-1A2B3C4D5E6F-Checkout-aB3dE5gH7jK9", True),
        (FUNCTION, "shop", "Pay/Checkout", "shop-Pay-Checkout-aB3dE5gH7jK9", False),
        (FUNCTION, "shop", "Pay/Checkout", "shop-Checkout-aB3dE5gH7jK9", False),
        (TABLE, "shop", "Pay/Log/T", "shop-Pay-1A2B3C4D5E6F-Log-7G8H9J0K1L2M-T-aB3dE5gH7jK9", True),
        (BUCKET, "shop", "Pay/Media", "shop-pay-1a2b3c4d5e6f-media-1a2b3c4d5e6f", True),
        (MACHINE, "shop", "Pay/Flow", "Flow-1A2B3C4D5E6F", True),
        (FUNCTION, "shop", f"Pay/{'Long' * 10}", "shop-Pay-1A2B3C4D5E6F-LongLongLo-aB3dE5gH7jK9", True),
        (FUNCTION, "shop", f"Pay/{'Long' * 10}", "shop-Buy-1A2B3C4D5E6F-LongLongLo-aB3dE5gH7jK9", False),
    ],
)  # fmt: skip
def test_names_that_cloudformation_makes(
    type: str, stack: str, id: str, name: str, matches: bool
) -> None:
    assert is_generated(type, stack, id, name) is matches


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("orders", "orders", True),
        ("orders", "orders-dev", False),
        ("orders-*", "orders-dev", True),
        ("*-orders", "dev-orders", True),
        ("*-orders", "dev-orders-2", False),
        ("a*b*c", "a1b2c", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),
        ("or[d]ers*", "orders1", False),
        ("*" * 200 + "x", "y" * 10_000, False),
        ("a*" * 100, "a" * 10_000, True),
    ],
)
def test_patterns_of_names(pattern: str, name: str, matches: bool) -> None:
    assert name_matches(pattern, name) is matches


def test_a_resource_is_the_node_that_calls_to_it_lead_to() -> None:
    """By the map's own rule, for every type whose calls name the resource."""
    for kind, identity in zip(KINDS.values(), IDENTITIES.values(), strict=True):
        if kind.member:
            node = call_node("aws", kind.service, aws={kind.member: "it"}).node
            assert (node.name, node.type in identity.types) == ("it", True)


def test_types_of_nodes() -> None:
    assert IDENTITIES[FUNCTION].types == ("AWS::Lambda::Function", "AWS::Lambda")
    assert IDENTITIES[BUS].types == ("AWS::Events::EventBus",)
    assert "AWS::Events" not in RESOURCE_TYPES
    assert RESOURCE_TYPES["AWS::SQS::Queue"].policy == "sqs"


def test_what_a_resource_would_be() -> None:
    assert expected_key(TABLE, "shop", "Orders", "", "1", "r") == NodeKey(
        "1", "shop-Orders-*", "AWS::DynamoDB::Table", "r"
    )
    assert expected_key(TABLE, "shop", "Pay/Orders", "", "", "").name == "shop-Pay-*-Orders-*"
    assert expected_key(TABLE, "shop", "Orders", "orders", "", "").name == "orders"
    assert expected_key(BUS, "shop", "Bus", "shop-bus", "", "").name == "shop-bus"
