"""AppSync: the mobile app's GraphQL, resolved by Lambda and by DynamoDB directly."""

from __future__ import annotations

from raymap.demo import aws, http, latency
from raymap.demo.failures import MissingField
from raymap.demo.functions import CATALOG, invoke
from raymap.demo.http import visitor
from raymap.demo.sdk import SERVICE
from raymap.demo.trace import Scope, Trace, owner

API = "shop-graphql"
_AGENT = "ShopApp/7.4 (iOS 26.1; iPhone17,2) Apollo/2.0"
_URL = "https://graphql.shop.example.com/graphql"
OUTLET = 0.36
"""Share of the requests for products of the old price list, which have no currency; a bad version needs it."""


def query(trace: Trace) -> None:
    """HTTP 200 whatever the resolvers did, unless the token is wrong; a failed one is an error."""
    segment = trace.segment(API, trace.start, "AWS::AppSync::GraphQLAPI")
    person = visitor(trace.random)
    http.set_request(segment, "POST", _URL, _AGENT, person.address)
    segment.resource_arn = aws.arn("appsync", "apis/kq5zjyr6")
    segment.put_annotation("customer_tier", person.tier)
    segment.set_user(person.user)
    scope = Scope(trace, segment, trace.start, SERVICE)
    scope.wait(latency.GATEWAY)
    segment.put_http_meta("status", _resolve(scope))
    trace.finish(segment, scope.now)


def _resolve(scope: Scope) -> int:
    if scope.trace.chance(0.01):
        return 401
    with scope.subsegment("Query.products") as products:
        products.wait(latency.RESOLVER)
        if invoke(products, CATALOG, list_products) >= 500:
            products.entity.add_fault_flag()
            scope.entity.add_error_flag()
    if scope.trace.chance(0.4):
        with scope.subsegment("Query.orders") as orders:
            orders.wait(latency.RESOLVER)
            aws.get_item(orders, aws.ORDERS, "Query")
    return 200


def list_products(scope: Scope) -> int:
    """The handler behind the resolver and behind GET /products."""
    with scope.subsegment("## list_products") as handler:
        handler.wait(latency.CODE)
        _price(handler)
        aws.get_item(handler, aws.PRODUCTS, "Query")
        if scope.trace.chance(0.006):
            raise KeyError("image_url")
    return 200


def show_product(scope: Scope) -> int:
    """The handler of GET /products/{id}; some links are old."""
    with scope.subsegment("## show_product") as handler:
        handler.wait(latency.CODE)
        _price(handler)
        aws.get_item(handler, aws.PRODUCTS)
    return 404 if scope.trace.chance(0.05) else 200


def _price(scope: Scope) -> None:
    """Raises MissingField in a bad version, for products of the old price list."""
    outlet = scope.trace.chance(OUTLET)
    scope.entity.put_annotation("price_list", "outlet" if outlet else "retail")
    version = int(owner(scope.entity).service["version"])
    if outlet and scope.trace.calendar.is_bad(version):
        raise MissingField("'currency' is missing in the product")
