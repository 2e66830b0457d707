"""Application Signals' reading operations as boto3 sees them, each answer compared with AWS's model."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from tests.api.botocore_model import complaints
from tests.api.shop import END, shop

WINDOW: dict[str, Any] = {"StartTime": END - 600, "EndTime": END}
FRONT = {"Type": "Service", "Name": "front", "Environment": "ecs:default"}
MODEL = botocore.session.get_session().get_service_model("application-signals")


@pytest.fixture(scope="module")
def app() -> Any:
    store = MemoryStore()
    store.put(shop(), "shop")
    return create_app(store, version="1", clock=lambda: END + 0.25)


def test_services_that_reported_themselves(client: Any) -> None:
    found = client.list_services(**WINDOW)["ServiceSummaries"]
    keys = [each["KeyAttributes"] for each in found]
    assert FRONT in keys
    assert {"Type": "Service", "Name": "resize", "Environment": "lambda:default"} in keys
    assert len(keys) == len({tuple(each.items()) for each in keys}), "a function is one service"
    assert all(each["Type"] == "Service" for each in keys)
    assert "orders" not in {each["Name"] for each in keys}, "a table reports nothing itself"
    (front,) = [each for each in found if each["KeyAttributes"] == FRONT]
    assert front["AttributeMaps"][0]["PlatformType"] == "AWS::ECS"


def test_pages(client: Any) -> None:
    whole = client.list_services(**WINDOW)["ServiceSummaries"]
    pages = client.get_paginator("list_services").paginate(
        **WINDOW, PaginationConfig={"PageSize": 1}
    )
    assert [each for page in pages for each in page["ServiceSummaries"]] == whole
    assert len(whole) > 2


def test_one_service_and_what_it_did(client: Any) -> None:
    found = client.get_service(**WINDOW, KeyAttributes=FRONT)["Service"]
    assert found["KeyAttributes"] == FRONT
    listed = client.list_service_operations(**WINDOW, KeyAttributes=FRONT)
    assert isinstance(listed["ServiceOperations"], list)


def test_dependencies_and_dependents(client: Any) -> None:
    """A service, and a resource of AWS."""
    found = client.list_service_dependencies(**WINDOW, KeyAttributes=FRONT)["ServiceDependencies"]
    keys = [each["DependencyKeyAttributes"] for each in found]
    assert {
        "Type": "AWS::Resource",
        "ResourceType": "AWS::DynamoDB::Table",
        "Identifier": "orders",
    } in keys
    (stock,) = [each for each in keys if each.get("Name") == "stock"]
    assert stock["Type"] == "Service"
    dependents = client.list_service_dependents(**WINDOW, KeyAttributes=stock)
    assert [each["DependentKeyAttributes"] for each in dependents["ServiceDependents"]] == [FRONT]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (
            {"KeyAttributes": {**FRONT, "Name": "nothing"}},
            "ResourceNotFoundException",
            "no service",
        ),
        ({"KeyAttributes": {**FRONT, "Environment": "eks:x"}}, "ResourceNotFoundException", "no"),
        (
            {"KeyAttributes": {"Type": "Resource", "Name": "x"}},
            "ValidationException",
            "must be Service",
        ),
        ({"EndTime": END - 600, "KeyAttributes": FRONT}, "ValidationException", "before"),
    ],
)
def test_what_is_refused(client: Any, change: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(ClientError) as refused:
        client.get_service(**{**WINDOW, **change})
    error = refused.value.response["Error"]
    assert said in error["Message"]
    assert error["Code"] == code


@pytest.mark.parametrize(
    ("name", "method", "body"),
    [
        ("ListServices", "GET", None),
        ("GetService", "POST", FRONT),
        ("ListServiceOperations", "POST", FRONT),
        ("ListServiceDependencies", "POST", FRONT),
        ("ListServiceDependents", "POST", FRONT),
    ],
)
def test_answers_conform_to_the_model(app: Any, name: str, method: str, body: Any) -> None:
    operation = MODEL.operation_model(name)
    answer = TestClient(app).request(
        method,
        operation.http["requestUri"],
        params=WINDOW,
        json=None if body is None else {"KeyAttributes": body},
    )
    assert answer.status_code == 200, answer.text
    assert complaints(operation, answer.content) == []


def test_a_window_is_required(app: Any) -> None:
    answer = TestClient(app).get("/services")
    assert answer.status_code == 400
    assert "StartTime and EndTime are required" in answer.text
