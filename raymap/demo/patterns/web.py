"""The shop's web front in an ECS container: pages, sign-in, orders, uploads, clicks to Kinesis."""

from __future__ import annotations

from collections.abc import Callable

from raymap.demo import aws, http, latency
from raymap.demo.failures import NotAuthorizedException
from raymap.demo.functions import (
    CATALOG,
    PLACE_ORDER,
    RECOMMEND,
    Function,
    Handler,
    invoke,
)
from raymap.demo.http import Visitor
from raymap.demo.patterns import events, gateway, graphql, orders
from raymap.demo.sdk import NODE
from raymap.demo.trace import Entity, Scope, Trace

NAME = "shop-web"
_CONTAINER = "4f1d7a6b2c90"
Page = Callable[[Scope, Visitor], int]


def _visit(trace: Trace, method: str, path: str, page: Page) -> None:
    segment = trace.segment(NAME, trace.start, "AWS::ECS::Container")
    person = http.visitor(trace.random)
    _describe(trace, segment, method, path, person)
    scope = Scope(trace, segment, trace.start, NODE)
    scope.wait(latency.CODE)
    segment.put_http_meta("status", page(scope, person))
    scope.wait(latency.CODE)
    trace.finish(segment, scope.now)


def _describe(trace: Trace, segment: Entity, method: str, path: str, person: Visitor) -> None:
    http.set_request(
        segment, method, f"https://shop.example.com{path}", person.agent, person.address
    )
    segment.set_aws(
        {
            "account_id": aws.ACCOUNT,
            "ecs": {
                "container": NAME,
                "container_id": _CONTAINER,
                "cluster_arn": aws.arn("ecs", "cluster/shop"),
                "launch_type": "FARGATE",
            },
            "xray": NODE.mark(),
        }
    )
    segment.set_service({"version": trace.calendar.version(trace.start), **NODE.runtime})
    segment.set_user(person.user)
    segment.put_annotation("customer_tier", person.tier)


def _through_api(
    scope: Scope, person: Visitor, method: str, path: str, function: Function, handler: Handler
) -> int:
    private = path.startswith("/orders")
    request = gateway.Request("prod", method, path, person, needs_user=private)
    status = http.fetch(
        scope,
        method,
        request.url,
        lambda parent, at: gateway.answer(scope.trace, request, function, handler, at, parent),
    )
    return 502 if status >= 500 else status


def front_page(trace: Trace) -> None:
    def page(scope: Scope, person: Visitor) -> int:
        if scope.trace.chance(0.35):
            aws.put_records(scope)
            events.clicks_batched(scope.trace.spawn(scope.now))
        return _through_api(scope, person, "GET", "/products", CATALOG, graphql.list_products)

    _visit(trace, "GET", "/", page)


def product_page(trace: Trace) -> None:
    path = f"/products/{trace.random.randrange(200)}"

    def page(scope: Scope, person: Visitor) -> int:
        if scope.trace.chance(0.3):
            invoke(scope, RECOMMEND, _recommend)
        return _through_api(scope, person, "GET", path, CATALOG, graphql.show_product)

    _visit(trace, "GET", path, page)


def _recommend(scope: Scope) -> int:
    with scope.subsegment("## recommend") as handler:
        aws.get_item(handler, aws.PRODUCTS, "Query")
        handler.wait(latency.RECOMMEND)
    return 200


def sign_in(trace: Trace) -> None:
    def page(scope: Scope, _person: Visitor) -> int:
        try:
            aws.check_credentials(scope, "InitiateAuth", wrong=0.08)
        except NotAuthorizedException:
            return 401
        return 200

    _visit(trace, "POST", "/sign-in", page)


def place_order(trace: Trace) -> None:
    def page(scope: Scope, person: Visitor) -> int:
        def handler(inner: Scope) -> int:
            return orders.place_order(inner, person, "prod")

        return _through_api(scope, person, "POST", "/orders", PLACE_ORDER, handler)

    _visit(trace, "POST", "/checkout", page)


def show_order(trace: Trace) -> None:
    path = f"/orders/o-{trace.random.randrange(10**6):06d}"

    def page(scope: Scope, person: Visitor) -> int:
        def handler(inner: Scope) -> int:
            return orders.show_order(inner, person, "prod")

        return _through_api(scope, person, "GET", path, PLACE_ORDER, handler)

    _visit(trace, "GET", path, page)


def upload_image(trace: Trace) -> None:
    key = f"reviews/{trace.random.randrange(10**6):06d}.jpg"

    def page(scope: Scope, _person: Visitor) -> int:
        aws.put_object(scope, aws.MEDIA, key)
        events.image_uploaded(scope.trace.spawn(scope.now), key)
        return 201

    _visit(trace, "POST", "/reviews", page)
