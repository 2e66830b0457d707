"""The dev stage, in an account of its own: the team's calls, straight at the API, with more mistakes than customers."""

from __future__ import annotations

from dataclasses import replace

from raymap.demo.functions import CATALOG, PLACE_ORDER
from raymap.demo.http import Visitor
from raymap.demo.patterns import gateway, graphql, orders
from raymap.demo.trace import Scope, Trace

_CATALOG = replace(CATALOG.in_dev, instrumented=False)
"""No one has added the SDK there: Lambda's own segments are all that is known of it."""
_TESTER = Visitor("qa", "internal", "curl/8.11.1", "192.0.2.10")


def try_api(trace: Trace) -> None:
    if trace.chance(0.5):
        request = gateway.Request("dev", "POST", "/orders", _TESTER, needs_user=True)
        gateway.answer(trace, request, PLACE_ORDER.in_dev, _write_order, trace.start)
    else:
        request = gateway.Request("dev", "GET", "/products", _TESTER)
        gateway.answer(trace, request, _CATALOG, _read_products, trace.start)


def _write_order(scope: Scope) -> int:
    if scope.trace.chance(0.2):
        return 400
    return orders.show_order(scope, _TESTER, "dev")


def _read_products(scope: Scope) -> int:
    if scope.trace.chance(0.06):
        raise NotImplementedError("paging")
    return graphql.list_products(scope)
