"""The document of a span: read back it is what the span itself was, and both ways of export."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Document
from store.otel.from_xray import export_trace, to_json
from store.otel.stored_span import read_span
from store.otel.to_xray import render_span
from store.service_graph import build_service_graph
from store.trace_documents import processed_documents
from tests.collector.otlp_samples import (
    CLIENT,
    PARENT,
    SERVER,
    TRACE,
    decode,
    export,
    pairs,
    span,
)
from tests.collector.samples import segment_bytes
from tests.otlp_json import decode_otlp_json

TEXTS = {
    "aws.local.service": ["till", ""],
    "aws.remote.resource.identifier": ["orders"],
    "aws.remote.resource.type": ["AWS::DynamoDB::Table"],
    "aws.remote.service": ["AWS::DynamoDB", "pay", "UnknownRemoteService"],
    "aws.span.kind": ["LOCAL_ROOT"],
    "client.address": ["203.0.113.9"],
    "code.function": ["getConnection"],
    "db.name": ["shop", "0", "shop|public", "x" * 300],
    "db.statement": ["SELECT 1"],
    "db.system": ["postgresql", "redis", "dynamodb", "my-db"],
    "enduser.id": ["u-7"],
    "error.type": ["timeout", "429", "500", "openai.RateLimitError"],
    "faas.invoked_name": ["resize", "arn:aws:lambda:eu-west-1:123456789012:function:resize"],
    "faas.invoked_provider": ["aws", "gcp", "own"],
    "faas.invoked_region": ["eu-west-1"],
    "gen_ai.agent.name": ["planner"],
    "gen_ai.operation.name": ["invoke_agent", "chat"],
    "gen_ai.system": ["openai", "xai"],
    "http.method": ["GET"],
    "http.target": ["/a?b=1", "http://proxy/x"],
    "http.url": ["https://a.example.com/x", "http://[broken"],
    "http.user_agent": ["curl"],
    "mcp.method.name": ["tools/call"],
    "messaging.destination.name": ["orders", "arn:aws:sns:eu-west-1:1:news"],
    "messaging.system": ["kafka", "aws_sqs", "aws_sns", "aws_kinesis"],
    "net.peer.name": ["db1"],
    "odd=%key": ["a=b%c"],
    "peer.service": ["pay"],
    "rpc.service": ["DynamoDB", "Secrets Manager", "SQS", "shop.Cart"],
    "rpc.system": ["aws-api", "grpc"],
    "server.address": ["a.example.com", "::1", "localhost"],
    "service.peer.name": ["pay"],
}
OTHERS: dict[str, list[Any]] = {
    "aws.dynamodb.table_names": [["orders"], ["a", "b"]],
    "aws.xray.annotations": [["tier"]],
    "aws.xray.error": [True],
    "aws.xray.inprogress": [True],
    "aws.xray.metadata.shop": ['{"a": 1}', "no json"],
    "aws.xray.traced": [True],
    "big": [2**62, -5, 0.5, 3.0, 1e300, float("nan")],
    "bytes": [b"\0\1"],
    "http.status_code": [200, 404, 429, 500, "503", 7777],
    "map": [{"a": [1, {"b": None}]}],
    "none": [None],
    "rpc.grpc.status_code": [0, 5, 8, 13],
    "server.port": [443, 8443],
    "tier": ["gold", True],
}
RESOURCES: dict[str, list[Any]] = {
    "aws.ecs.launchtype": ["fargate", "EC2"],
    "aws.log.group.names": [["a"]],
    "cloud.account.id": ["123456789012"],
    "cloud.availability_zone": ["eu-west-1a"],
    "cloud.platform": [
        "aws_ec2",
        "aws_ecs",
        "aws_eks",
        "aws_elastic_beanstalk",
        "aws_lambda",
        "azure.aks",
        "gcp_cloud_run",
    ],
    "cloud.provider": ["aws", "azure", "gcp"],
    "cloud.resource_id": ["arn:aws:x", "/subscriptions/x"],
    "host.id": ["i-1"],
    "service.name": ["shop", "", "x" * 300],
    "service.version": ["1.2"],
    "telemetry.sdk.language": ["python", "java"],
    "telemetry.sdk.name": ["opentelemetry"],
}


def some(table: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Attributes with values from a table."""
    entries = [(key, value) for key, options in table.items() for value in options]
    return st.lists(st.sampled_from(entries), max_size=9).map(dict)


exceptions = st.fixed_dictionaries(
    {},
    optional={
        "exception.type": st.sampled_from(["ValueError", "ClientError", ""]),
        "exception.message": st.sampled_from(
            ["boom", "Error code: 404", "An error occurred (SlowDown) when"]
        ),
        "exception.stacktrace": st.sampled_from(["x", "A: b\n\tat c(D.java:1)\nCaused by: E: f"]),
    },
)
spans = st.builds(
    span,
    st.sampled_from([0, 1, 2, 3, 4, 5]),
    some({**TEXTS, **OTHERS}),
    parent=st.sampled_from([b"", PARENT, bytes(8)]),
    failed=st.sampled_from([False, True, "no luck"]),
    exceptions=st.lists(exceptions, max_size=2),
    name=st.sampled_from(["GET", "GET /a", "charge", "", "x" * 300]),
    flags=st.sampled_from([0, 0x100, 0x300]),
    end_time_unix_nano=st.sampled_from([0, 1, 1_795_560_000_123_456_789]),
)


def rendered(document: Document) -> bytes:
    """The document of a span as X-Ray's JSON."""
    return msgspec.json.encode(render_span(document.raw))


def without_operations(document: Document) -> Document:
    calls = tuple(msgspec.structs.replace(call, operation="") for call in document.calls)
    return msgspec.structs.replace(document, operation="", calls=calls)


@given(spans, some(RESOURCES))
def test_read_back(given_span: Any, resource: dict[str, Any]) -> None:
    """Every column of the rendered document is the span's own; but X-Ray's documents have no kind, name neither a
    caller nor an operation, subsegments do not say whose they are, and what does not say what it calls is no call."""
    direct = decode(given_span, resource=resource)
    unnamed = tuple(call.id for call in direct.calls if not call.node.name)
    if unnamed:
        members = () if direct.independent else unnamed
        direct = msgspec.structs.replace(direct, calls=(), members=members)
    again, direct = map(
        without_operations, (decode_document(rendered(direct), direct.version), direct)
    )
    assert bool(again.independent) is bool(direct.independent)
    unsaid = {"raw", "independent", "kind", "before", "fetched"} | (
        {"node", "service"} if direct.independent else set()
    )
    for field in direct.__struct_fields__:
        if field not in unsaid:
            assert getattr(again, field) == getattr(direct, field), field


@given(spans, some(RESOURCES))
def test_export_as_it_came(given_span: Any, resource: dict[str, Any]) -> None:
    """A span leaves as it came."""
    direct = decode(given_span, resource=resource)
    body = json.dumps(to_json(export_trace([direct]))).encode()
    (again,) = decode_otlp_json(body, direct.version)
    assert isinstance(again, Document)
    if "nan" not in repr(given_span):
        assert read_span(again.raw) == read_span(direct.raw)


def graph_of(documents: list[Document]) -> ServiceGraph:
    store = MemoryStore()
    store.put(documents, "x")
    return build_service_graph(store.get_traces([d.trace_id for d in documents]).values())


XRAY = [
    segment_bytes(
        "00000000000000a1",
        origin="AWS::EC2::Instance",
        aws={"account_id": "123456789012", "ec2": {"instance_id": "i-1"},
             "api_gateway": {"stage": "prod"}},
        service={"version": "7"},
        http={"request": {"method": "GET", "url": "http://a/x"}, "response": {"status": 500}},
        fault=True,
        user="u",
        annotations={"tier": "gold", "n": 1},
        metadata={"default": {"x": [1]}},
        links=[{"trace_id": "1-6b061440-000000000000000000000009", "id": "00000000000000d1"}],
        cause={"exceptions": [{"id": "e" * 16, "type": "E", "stack": [{"path": "p", "line": 1}]}]},
        subsegments=[
            {"id": "00000000000000b1", "name": "dynamodb", "namespace": "aws",
             "start_time": 1.0, "end_time": 2.0, "error": True, "fault": True,
             "http": {"response": {"status": 400}}, "aws": {"table_name": "orders"},
             "cause": "e" * 16},
            {"id": "00000000000000b2", "name": "shop@db1", "namespace": "remote",
             "start_time": 1.0, "end_time": 2.0, "sql": {"database_type": "PostgreSQL"}},
            {"id": "00000000000000b3", "name": "work", "start_time": 1.0, "end_time": 2.0,
             "subsegments": [
                 {"id": "00000000000000b4", "name": "pay.example.com", "namespace": "remote",
                  "start_time": 1.0, "end_time": 2.0, "throttle": True},
                 {"name": "nameless", "namespace": "remote", "start_time": 1.0, "end_time": 2.0},
             ]},
            {"id": "00000000000000b5", "name": "cache", "namespace": "remote", "start_time": 1.0,
             "in_progress": True, "origin": "Database::Redis"},
            {"id": "00000000000000b6", "name": "orders", "namespace": "remote", "start_time": 1.0,
             "end_time": 2.0, "origin": "Messaging::Kafka"},
            {"id": "00000000000000b7", "name": "SQS", "namespace": "aws", "start_time": 1.0,
             "end_time": 2.0, "aws": {"queue_url": "https://sqs/1/jobs", "operation": "Send"}},
        ],
    ),
    segment_bytes("00000000000000a2", name="pay", parent_id="00000000000000b4"),
    segment_bytes("00000000000000a3", type="subsegment", parent_id="00000000000000b3",
                  name="late.example.com", namespace="remote"),
]  # fmt: skip


def test_xray_documents_as_spans() -> None:
    """Exported and read again, X-Ray's documents make the same map."""
    documents = [decode_document(raw, 1) for raw in XRAY]
    inferred = decode_document(segment_bytes("00000000000000a9", inferred=True), 1)
    exported = to_json(export_trace([*documents, inferred]))
    assert len(exported["resourceSpans"]) == 2  # one for each segment
    results = list(decode_otlp_json(json.dumps(exported).encode(), 1))
    assert not [result for result in results if isinstance(result, Rejected)]
    again = [result for result in results if isinstance(result, Document)]
    first, second = graph_of(documents), graph_of(again)
    assert set(second.services) == set(first.services)
    for key, stats in first.services.items():
        assert second.services[key].statistics == stats.statistics, key
    assert {key: e.statistics for key, e in second.edges.items()} == {
        key: e.statistics for key, e in first.edges.items()
    }
    (server,) = [d for d in again if d.id == 0xA1]
    assert (server.exception, server.user, server.instance_id) == ("E", "u", "i-1")
    assert (server.service_version, server.environment) == ("7", "prod")
    assert server.annotations == ('tier="gold"', "n=1")


def test_exception_chain() -> None:
    """Stacks become frames, innermost first, and causes are linked."""
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/a.py", line 3, in load\n    raise KeyError(1)\nKeyError: 1\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/a.py", line 9, in main\n    load()\n'
        '  File "/a.py", line 5, in load\n    raise ValueError("x")\nValueError: x\n'
    )
    thrown = {"exception.type": "ValueError", "exception.message": "x",
              "exception.stacktrace": stack}  # fmt: skip
    document = decode(
        span(SERVER, exceptions=[thrown], failed=True),
        resource={"telemetry.sdk.language": "python"},
    )
    first, second = render_span(document.raw)["cause"]["exceptions"]
    assert first["stack"][0] == {"path": "/a.py", "line": 5, "label": "load"}
    assert (second["type"], second["message"]) == ("KeyError", "1")
    assert first["cause"] == second["id"]


@pytest.mark.parametrize(
    ("language", "line", "frame"),
    [
        ("java", "\tat com.shop.Cart.add(Cart.java:12)", ("Cart.java", 12, "com.shop.Cart.add")),
        ("nodejs", "    at add (/srv/cart.js:12:5)", ("/srv/cart.js", 12, "add")),
        ("nodejs", "    at /srv/cart.js:12:5", ("/srv/cart.js", 12, "")),
        ("dotnet", "   at Shop.Cart.Add(Int32 n) in /srv/Cart.cs:line 12",
         ("/srv/Cart.cs", 12, "Shop.Cart.Add(Int32 n)")),
        ("go", "main.add(0x1)\n\t/srv/cart.go:12 +0x1d", ("/srv/cart.go", 12, "main.add(0x1)")),
        ("php", "#0 /srv/cart.php(12): add()", ("/srv/cart.php", 12, "add()")),
        ("ruby", "/srv/cart.rb:12:in `add'", ("/srv/cart.rb", 12, "add")),
    ],
)  # fmt: skip
def test_frames(language: str, line: str, frame: tuple[str, int, str]) -> None:
    thrown = {"exception.type": "E", "exception.stacktrace": f"E: x\n{line}"}
    resource = {"telemetry.sdk.language": language}
    document = decode(span(SERVER, exceptions=[thrown]), resource=resource)
    ((found,),) = [e["stack"] for e in render_span(document.raw)["cause"]["exceptions"]]
    assert (found["path"], found["line"], found["label"]) == frame


def test_rendering() -> None:
    """What X-Ray has no place for is in metadata."""
    attributes = {"k": [1, 2], "aws.xray.metadata.shop": '{"a": 1}', "tier": "gold"}
    link = {"trace_id": TRACE, "span_id": PARENT, "attributes": pairs({"x": "y"})}
    document = decode(span(SERVER, attributes, name="GET /a", links=[link]))
    content = render_span(document.raw)
    assert content["metadata"]["shop"] == {"a": 1}
    assert content["metadata"]["default"] == {"k": [1, 2], "otel.resource.service.name": "shop"}
    assert content["metadata"]["otel"]["name"] == "GET /a"
    assert content["annotations"] == {"tier": "gold"}
    assert content["links"] == [
        {
            "trace_id": "1-6b061440-000000000000000000000001",
            "id": PARENT.hex(),
            "attributes": {"x": "y"},
        }
    ]


def test_whole_trace() -> None:
    """BatchGetTraces folds spans as it folds subsegments, and infers callees that did not answer."""
    store = MemoryStore()
    body = export(
        span(SERVER, id=1, parent=b""),
        span(CLIENT, {"db.system": "redis", "server.address": "cache"}, id=2,
             parent=b"\0" * 7 + b"\1"),
    )  # fmt: skip
    store.put([d for d in decode_otlp(body, 1) if isinstance(d, Document)], "x")
    (trace,) = store.get_traces([TRACE], raw=True).values()
    segment, inferred = processed_documents(trace)
    assert [call["name"] for call in segment["subsegments"]] == ["cache"]
    assert (inferred["name"], inferred["origin"]) == ("cache", "Database::Redis")


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x01\xff", b"\x01\x12\x00"])
def test_no_span(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored span"):
        render_span(raw)
