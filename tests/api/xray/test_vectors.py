"""Samples and recorded documents, through every reading route."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.schemas.details import EdgeDetail, NodeDetail
from api.schemas.map import ServiceMap
from api.schemas.traces import TraceDetail
from collector.decode.document import decode_document
from collector.decode.rejected import Rejected
from store.memory import MemoryStore
from tests.api.botocore_model import complaints, operations
from tests.vectors import demo_documents, files

OPERATIONS = operations()


def client_of(store: MemoryStore) -> TestClient:
    return TestClient(create_app(store, version="0"), raise_server_exceptions=False)


def ask(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    """An operation's response, checked against AWS's model."""
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert complaints(OPERATIONS[path], response.content) == []
    return response.json()


@pytest.mark.slow
def test_every_accepted_document_can_be_read_back() -> None:
    store = MemoryStore()
    bodies = [file.read_bytes().partition(b"\n")[2] for file in files("datagrams/**/*.bin")]
    bodies += [file.read_bytes() for file in files("segments/*.json")]
    for at, body in enumerate([*bodies, *demo_documents(30)]):
        try:
            document = decode_document(body, at)
        except Rejected:
            continue
        store.put([document], token=str(at))
    client = client_of(store)
    window = {"StartTime": 0, "EndTime": 2e10}
    services = ask(client, "/ServiceGraph", window)["Services"]
    assert len(services) > 20
    shown = ask(client, "/TraceSummaries", window)["TraceSummaries"]
    assert len(shown) > 20
    found = client.get("/api/map?from=0&to=20000000000").json()
    TypeAdapter(ServiceMap).validate_python(found)
    assert len(found["nodes"]) == len(services)
    for summary in shown:
        (trace,) = ask(client, "/Traces", {"TraceIds": [summary["Id"]]})["Traces"]
        ask(client, "/TraceGraph", {"TraceIds": [summary["Id"]]})
        detail = client.get(f"/api/traces/{summary['Id']}").json()
        TypeAdapter(TraceDetail).validate_python(detail)
        assert detail["segments"] == len(trace["Segments"])
        assert len(detail["rows"]) == len(detail["documents"])
    for node in found["nodes"]:
        response = client.get(f"/api/nodes/{node['id']}?from=0&to=20000000000")
        TypeAdapter(NodeDetail).validate_python(response.json())
    for edge in found["edges"]:
        ends = edge["id"].replace(":", "/")
        response = client.get(f"/api/edges/{ends}?from=0&to=20000000000")
        TypeAdapter(EdgeDetail).validate_python(response.json())


@pytest.mark.parametrize(
    ("name", "entry", "function", "table"),
    [
        ("bookshop", "bookshop", "next-order-id", "orders"),
        ("devguide_scorekeep_trace", "Scorekeep", "random-name", "scorekeep-user"),
    ],
)
def test_the_documented_example_draws_the_documented_map(
    name: str, entry: str, function: str, table: str
) -> None:
    """Client, entry, Lambda pair, table and topic (docs/xray-format.md §16)."""
    for file in files(f"traces/{name}.json"):
        store = MemoryStore()
        for segment in json.loads(file.read_text())["Traces"][0]["Segments"]:
            if not json.loads(segment["Document"]).get("inferred"):
                document = decode_document(segment["Document"].encode(), 1)
                store.put([document], token=segment["Id"])
        window = {"StartTime": 0, "EndTime": 2e9}
        services = ask(client_of(store), "/ServiceGraph", window)["Services"]
        assert {(each["Name"], each.get("Type")) for each in services} >= {
            (entry, "client"),
            (entry, "AWS::ElasticBeanstalk::Environment"),
            (function, "AWS::Lambda"),
            (function, "AWS::Lambda::Function"),
            (table, "AWS::DynamoDB::Table"),
        }
        assert sum(each.get("Type") == "AWS::SNS" for each in services) == 1
        assert len(services) == 6
