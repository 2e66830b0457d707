"""What a stack of the shop declares, for tests of what the console shows of it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route

FRONT = {"id": "Front", "type": "AWS::Lambda::Function", "name": "storefront"}
INVOICES = {"id": "Invoices", "type": "AWS::DynamoDB::Table", "name": "invoices"}
STACK: dict[str, Any] = {
    "stack": "shop-of-ui",
    "template": "template.yaml",
    "resources": [FRONT, INVOICES],
    "calls": [{"source": "Front", "target": "Invoices", "evidence": ["policy"]}],
    "notes": ["Front may call any resource of s3 (Resource: '*'), which declares no call"],
}
"""The storefront calls payments, which no template allows, and no table of invoices."""


def serve_declared(page: Page, shop: Any) -> None:
    """Answer as if `STACK` were declared, on this page only: others share the server."""
    place = {"account": "", "region": "", "environment": ""}
    line = {**place, "stack": "shop-of-ui", "template": "template.yaml", "declared_at": shop.start}
    stacks = [{**line, "resources": 2, "calls": 1, "notes": STACK["notes"]}]
    front, payments = shop.node_id(shop.storefront), shop.node_id(shop.payments)
    gone = {"why": "dead, or not traced", "status": "never_seen", "stacks": ["shop-of-ui"]}
    extra = {"why": "nothing allows it", "status": "undeclared", "stacks": ["shop-of-ui"]}
    table = {"id": "n0", "ids": [], "name": "invoices", "type": INVOICES["type"], "kind": "table"}
    other = {"id": payments, "ids": [payments], "name": "payments", "kind": "function"}
    nodes = [
        {**table, **gone, "account": "", "region": "", "logical_id": "Invoices"},
        {**other, **extra, "type": "", "account": "", "region": "", "logical_id": ""},
    ]
    edges = [
        {**_edge(front, "n0", "invoices"), **gone, "evidence": ["policy"]},
        {**_edge(front, payments, "payments"), **extra, "evidence": []},
    ]
    compared = {
        "from": shop.start - 80_000,
        "to": shop.start + 60,
        "traffic_since": shop.start,
        "data_until": shop.start + 60,
        "incomplete": None,
        "stacks": stacks,
        "nodes": nodes,
        "edges": edges,
        "counts": {"seen": 0, "never_seen": 2, "undeclared": 2, "unknown": 0},
    }

    def answer(route: Route) -> None:
        body = compared if "/compare" in route.request.url else {"stacks": stacks}
        route.fulfill(content_type="application/json", body=json.dumps(body))

    page.route("**/api/v1/declarations**", answer)


def _edge(source: str, target: str, name: str) -> dict[str, Any]:
    names = {"source_name": "storefront", "target_name": name}
    return {"id": f"{source}:{target}", "source": source, "target": target, **names}
