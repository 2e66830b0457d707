"""The OpenAPI document is complete enough to generate a client from."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Route

import api
from api.app import create_app
from api.openapi import document
from api.v1.versions import STATUSES
from collector.receivers.http import create_router
from raymap.auth import authenticator
from raymap.auth.people import COOKIE
from store.memory import MemoryStore
from store.verdict import Outcome
from tests.api import botocore_model
from tests.collector.conftest import StoringPipeline

DOCUMENT = document()
MODEL = botocore_model.operations()


def test_fastapi_analyses_each_route_once() -> None:
    """Routes of an included router are analysed again, at start or with the first request that passes them."""
    app = create_app(MemoryStore(), version="0", plugins=())
    assert all(isinstance(route, Route) for route in app.routes)


def _xray(document: dict[str, Any]) -> dict[str, Any]:
    """X-Ray's operations by path."""
    return {
        path: each
        for path, each in document["paths"].items()
        if not path.startswith(("/api/", "/jaeger/", "/zipkin/", "/tempo/", "/prometheus/"))
    }


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return found


OPERATIONS = {
    (method, path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
MEDIA = {
    "export_trace_otlp": {"application/json", "application/x-protobuf"},
    "tempo_echo": {"text/plain"},
    "export_notebook": {"text/markdown"},
    "get_graph_metrics": {"application/openmetrics-text", "text/plain"},
}
"""Operations that answer in other media types than JSON."""
IDS = {
    "list_services",
    "list_operations",
    "list_edges",
    "list_annotation_values",
    "list_annotation_keys",
    "get_graph_metrics",
    "get_trace_report",
    "get_time_series",
    "get_map_numbers",
    "find_traces",
    "export_trace_otlp",
    "get_edge",
    "get_map",
    "get_map_focus",
    "get_node",
    "get_status",
    "get_trace",
    "get_trace_figure",
    "list_pins",
    "list_traces",
    "pin_trace",
    "search_services",
    "unpin_trace",
}


def test_operation_ids_are_stable() -> None:
    """They name the methods of generated clients."""
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
    assert set(ids) >= IDS


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda o: o["operationId"])
def test_operations_are_described(operation: dict[str, Any]) -> None:
    (tag,) = operation["tags"]
    assert tag in {each["name"] for each in DOCUMENT["tags"]}
    assert operation["description"]
    undescribed = [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and not each.get("description")
    ]
    assert undescribed == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda o: o["operationId"])
def test_successful_responses_have_a_schema(operation: dict[str, Any]) -> None:
    if operation["operationId"] in MEDIA:
        content = operation["responses"]["200"]["content"]
        assert set(content) == MEDIA[operation["operationId"]]
    elif "204" not in operation["responses"]:
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].split("/")[-1] in DOCUMENT["components"]["schemas"]


def test_all_operations_of_xray_are_described(tmp_path: Path) -> None:
    """The collector's two once its router is mounted, as in `raymap api`."""
    store = MemoryStore()
    router = create_router(StoringPipeline(store, tmp_path))
    found = _xray(create_app(store, version="0", extra_routers=[router]).openapi())
    names = {path: methods["post"]["operationId"] for path, methods in found.items()}
    assert names == {path: operation.name for path, operation in MODEL.items()}
    assert all(set(methods) == {"post"} for methods in found.values())


def test_operations_that_are_not_served_are_not_described() -> None:
    assert MODEL.keys() - _xray(DOCUMENT).keys() == {"/TraceSegments", "/TelemetryRecords"}


@pytest.mark.parametrize("path", sorted(_xray(DOCUMENT)))
def test_operations_of_xray_have_the_models_members(path: str) -> None:
    operation, model = DOCUMENT["paths"][path]["post"], MODEL[path]
    assert operation["summary"].strip()
    for content, shape in (
        (operation["requestBody"]["content"], model.input_shape),
        (operation["responses"]["200"]["content"], model.output_shape),
    ):
        schema = _resolved(content["application/json"]["schema"])
        assert schema["properties"].keys() == shape.members.keys()
        assert schema.get("required", []) == list(shape.required_members)


@pytest.mark.parametrize("path", sorted(_xray(DOCUMENT)))
def test_operations_of_xray_describe_their_errors(path: str) -> None:
    responses = DOCUMENT["paths"][path]["post"]["responses"]
    described = " ".join(responses[status]["description"] for status in responses)
    assert all(shape.name in described for shape in MODEL[path].error_shapes)
    assert {"429", "413", "500", "503"} <= responses.keys()
    for status in responses.keys() - {"200"}:
        schema = _resolved(responses[status]["content"]["application/json"]["schema"])
        assert schema["required"] == ["__type", "Message"]


def test_ways_to_authenticate_are_described() -> None:
    """Each is known to the authenticator, and none is required by a server without keys."""
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["session"]["name"] == COOKIE
    assert schemes["api_key"]["name"] in inspect.getsource(authenticator)
    assert {each["scheme"] for each in schemes.values() if each["type"] == "http"} == {
        "bearer",
        "basic",
    }
    assert DOCUMENT["security"] == [{}, *({name: []} for name in schemes)]
    assert "not checked" not in json.dumps(DOCUMENT["tags"])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda o: o["operationId"])
def test_parameters_and_bodies_have_an_example(operation: dict[str, Any]) -> None:
    """Of a parameter; a cursor is made by a page."""
    lacking = [p["name"] for p in operation.get("parameters", ()) if "example" not in p]
    assert set(lacking) <= {"cursor"}
    content = operation.get("requestBody", {}).get("content", {})
    assert all("example" in media for media in content.values())


@pytest.mark.parametrize(
    ("method", "path"), [p for p in OPERATIONS if not p[1].startswith(tuple(_xray(DOCUMENT)))]
)
def test_examples_are_accepted(method: str, path: str) -> None:
    """A request made of the examples is not refused, though what it names may not exist."""
    operation = OPERATIONS[method, path]
    examples = {
        place: {p["name"]: p["example"] for p in operation.get("parameters", ()) if p["in"] == place and "example" in p}
        for place in ("path", "query")
    }  # fmt: skip
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    verdict = STATUSES[Outcome.INSUFFICIENT] if path == "/api/v1/verdict" else 200
    with TestClient(create_app(MemoryStore(), version="0")) as client:
        for query in _compatible(examples["query"]):
            answer = client.request(
                method, path.format(**examples["path"]), params=query, json=body.get("example")
            )
            assert answer.status_code in (200, 204, 404, verdict), (query, answer.text)
            assert "UnknownPath" not in answer.text


def _compatible(query: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters, once with each of those that exclude each other."""
    exclusive = [name for name in ("node", "edge", "traceID") if name in query]
    common = {name: value for name, value in query.items() if name not in exclusive}
    if "side" in query:
        common.pop("then")
    for needs_a_place in ("error", "work"):
        common.pop(needs_a_place, None)
    return [{**common, name: query[name]} for name in exclusive] or [common]


@pytest.mark.parametrize("path", sorted(_xray(DOCUMENT)))
def test_examples_of_xray_satisfy_the_model(path: str) -> None:
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    report = ParamValidator().validate(content["example"], MODEL[path].input_shape)
    assert not report.has_errors(), report.generate_report()


def test_schemas_refer_to_nothing_unknown() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(_references(DOCUMENT)) <= known


@pytest.mark.slow
def test_pydantic_builds_shapes_for_the_document_alone() -> None:
    """A shape without `reply` is built for each of its routes, several times, before an app starts."""
    shapes = list(_shapes(create_app(MemoryStore(), version="0").routes))
    assert len(shapes) > 50
    eager = {shape.__name__ for shape in shapes if not _is_deferred(shape)}
    assert eager == set()


def _is_deferred(shape: Any) -> bool:
    config = getattr(shape, "model_config", None) or getattr(shape, "__pydantic_config__", {})
    return bool(config.get("defer_build"))


def test_the_document_is_printed_without_a_server() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "api.openapi"],
        cwd=Path(api.__path__[0]).parent,
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert json.loads(printed.stdout) == DOCUMENT


def _shapes(routes: Sequence[Any]) -> Iterator[Any]:
    """Of the bodies that routes answer with, those of included routers too."""
    for route in routes:
        if nested := getattr(route, "original_router", None):
            yield from (each["model"] for each in nested.responses.values() if "model" in each)
            yield from _shapes(nested.routes)
        elif isinstance(route, APIRoute):
            yield from (each["model"] for each in route.responses.values() if "model" in each)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
