"""A function as its author writes it: X-Ray's SDK, boto3, nothing of Raymap."""

from __future__ import annotations

import os
from typing import Any

import boto3
from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()
orders = boto3.resource("dynamodb", endpoint_url=os.environ["DYNAMODB_URL"]).Table("orders")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store an order; ``fail`` raises."""
    print(f"an order for {event.get('product', 'tea')}")
    with xray_recorder.in_subsegment("validate"):
        if event.get("fail"):
            raise ValueError("no such product")
    orders.put_item(Item={"id": context.aws_request_id, "product": event.get("product", "tea")})
    return {"stored": context.aws_request_id}
