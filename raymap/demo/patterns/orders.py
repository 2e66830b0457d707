"""Placing an order: validate, write to DynamoDB, publish, start the fulfilment.

These set off traces of their own: DynamoDB stream to payments, SNS over SQS to notifications,
EventBridge to the audit.
"""

from __future__ import annotations

import json

from raymap.demo import aws, latency
from raymap.demo.failures import ConditionalCheckFailedException
from raymap.demo.http import Visitor
from raymap.demo.patterns import events, workflow
from raymap.demo.trace import Scope

_BODIES = {
    "good": '{"sku": "A-113", "quantity": 2, "currency": "EUR"}',
    "invalid": '{"sku": "", "quantity": 0}',
    "broken": '{"sku": "A-113", "quantity": "two", "currency": "EUR"}',
}


def place_order(scope: Scope, visitor: Visitor, stage: str) -> int:
    """The handler of POST /orders."""
    order = f"o-{scope.trace.random.randrange(10**6):06d}"
    with scope.subsegment("## place_order") as handler:
        handler.entity.put_annotation("order_id", order)
        handler.entity.put_annotation("customer_tier", visitor.tier)
        handler.entity.put_annotation("stage", stage)
        handler.wait(latency.CODE)
        body = json.loads(_body(handler))
        if not body["sku"]:
            return 400
        price = _price(body["quantity"], body["currency"])
        handler.entity.put_metadata("order", {**body, "price": price}, "shop")
        try:
            aws.put_item(handler, aws.ORDERS, conflicts=0.01)
        except ConditionalCheckFailedException:
            return 409
        _announce(handler, order, visitor)
    return 201


def show_order(scope: Scope, visitor: Visitor, stage: str) -> int:
    """The handler of GET /orders/{id}; one in thirty belongs to another user or is gone."""
    with scope.subsegment("## show_order") as handler:
        handler.entity.put_annotation("customer_tier", visitor.tier)
        handler.entity.put_annotation("stage", stage)
        handler.wait(latency.CODE)
        aws.get_item(handler, aws.ORDERS, "Query")
    return 404 if scope.trace.chance(0.03) else 200


def _body(scope: Scope) -> str:
    if scope.trace.chance(0.05):
        return _BODIES["invalid"]
    return _BODIES["broken" if scope.trace.chance(0.015) else "good"]


def _price(quantity: int, currency: str) -> float:
    """Not every client sends a number: the exception below is a real one."""
    return round(quantity * _unit_price(currency) * (1 - quantity / 1000), 2)


def _unit_price(currency: str) -> float:
    return {"EUR": 19.9, "USD": 21.5}[currency]


def _announce(scope: Scope, order: str, visitor: Visitor) -> None:
    trace = scope.trace
    events.order_written(trace.spawn(scope.now), order)
    if trace.chance(0.8):
        events.publish(scope, visitor.tier)
    if trace.chance(0.3):
        events.put_event(scope)
    if trace.chance(0.5):
        workflow.start(scope, order, trace.calendar.version(scope.now))
