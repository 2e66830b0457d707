"""What units of work did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.rules.operations import (
    MAX_OPERATION,
    aws_operation,
    is_of_proxy,
    operation_of_request,
    operation_of_span,
)


@pytest.mark.parametrize(
    ("method", "url", "operation"),
    [
        ("GET", "http://shop.example.com/orders/17", "GET /orders/{id}"),
        ("GET", "https://shop/orders/0b9a-4c/items?page=2#top", "GET /orders/{id}/items"),
        ("POST", "/v1/cart;jsessionid=1", "POST /v1/cart"),
        ("GET", "http://shop.example.com", "GET /"),
        ("GET", "http://shop.example.com//a//", "GET /{id}/a"),
        ("GET", "/a/b/c/d/e/f/g", "GET /a/b/c/d/e/*"),
        ("GET", f"/{'x' * 33}/index.html", "GET /{id}/index.html"),
        ("GET", "/users/Zo%C3%AB/me@example.com", "GET /users/{id}/{id}"),
        ("GET", "", "GET"),
        ("GET", "shop.example.com/orders", "GET"),
        ("", "/orders/1", "/orders/{id}"),
        ("", "", ""),
    ],
)
def test_a_request_is_its_method_and_the_constant_parts_of_its_path(
    method: str, url: str, operation: str
) -> None:
    assert operation_of_request(method, url) == operation


def test_a_call_of_an_api_is_its_operation_without_the_service() -> None:
    assert [aws_operation(each) for each in ("GetItem", "S3/ListBuckets", None, 7, "")] == [
        "GetItem",
        "ListBuckets",
        "",
        "",
        "",
    ]


@given(st.text(max_size=5), st.text(max_size=300))
def test_operations_are_bounded(method: str, url: str) -> None:
    assert len(operation_of_request(method, url)) <= MAX_OPERATION
    assert len(operation_of_span(url)) <= MAX_OPERATION
    assert len(aws_operation(url)) <= MAX_OPERATION


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("reviews:9080/*", True),
        ("reviews.default.svc.cluster.local:9080/*", True),
        ("GET /files/*", False),
        ("reviews/*", False),
        ("reviews:9080/reviews*", False),
        ("reviews:9080/*\n", False),
        ("", False),
    ],
)
def test_names_of_proxies(operation: str, expected: bool) -> None:
    assert is_of_proxy(operation) is expected
