"""X-Ray's documents as spans and back: the same graph, and the same documents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.decode.document import decode_documents
from collector.decode.otlp.request import decode_otlp
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Document, State, Trace
from store.otel.from_xray import export_trace, to_json
from store.otel.merge_patch import DOCUMENT, patch_between, patched
from store.otel.stored_span import read_span
from store.otel.to_xray import render_span
from store.service_graph import build_service_graph
from store.trace_documents import processed_documents
from tests.collector.otlp_samples import CLIENT, SERVER, decode, request, span
from tests.collector.samples import START, TRACE_ID, segment_json
from tests.otlp_json import decode_otlp_json

OTHER = "1-6b061440-00000000000000000000000a"

names = st.sampled_from(["shop", "pay", "db", "fn"])
values: st.SearchStrategy[Any] = st.sampled_from(["gold", "", 7, -1, 0.5, 3.0, True, False, 2**70])
metadata: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["default", "shop", "ütf ☃"]),
    st.dictionaries(st.text("ab.", max_size=3), st.recursive(values, st.lists), max_size=2),
    max_size=2,
)
causes: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([f"{n:016x}" for n in (1, 2)]),
    st.fixed_dictionaries(
        {},
        optional={
            "working_directory": st.just("/srv"),
            "message": st.just("why"),
            "exceptions": st.lists(
                st.fixed_dictionaries(
                    {"id": st.sampled_from([f"{n:016x}" for n in (1, 2)])},
                    optional={
                        "type": st.sampled_from(["ValueError", "ClientError", "SlowDown", ""]),
                        "message": st.sampled_from(["boom", "An error occurred (SlowDown) when"]),
                        "remote": st.booleans(),
                        "cause": st.just("0000000000000002"),
                        "stack": st.just([{"path": "a.py", "line": 3, "label": "f"}]),
                    },
                ),
                max_size=2,
            ),
        },
    ),
)
https: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "request": st.fixed_dictionaries(
            {},
            optional={
                "method": st.just("GET"),
                "url": st.sampled_from(["https://a.example.com/x?y=1", "/x"]),
                "client_ip": st.just("203.0.113.9"),
                "user_agent": st.just("curl"),
                "x_forwarded_for": st.booleans(),
                "traced": st.booleans(),
            },
        ),
        "response": st.fixed_dictionaries(
            {},
            optional={
                "status": st.sampled_from([200, 302, 404, 429, 500, 503]),
                "content_length": st.sampled_from([0, 12]),
            },
        ),
    },
)
links: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries(
        {"trace_id": st.sampled_from([OTHER, TRACE_ID, "nonsense"]), "id": st.just("d" * 16)},
        optional={
            "attributes": st.fixed_dictionaries(
                {},
                optional={
                    "aws.xray.reserved.reference_type": st.sampled_from(["parent", "child"]),
                    "aws.xray.reserved.received_event_end_time": st.just(START + 1),
                },
            )
        },
    ),
    max_size=2,
)
indexed: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["tier", "n", "http.method", "peer.service", "aws.xray.x", "name"]),
    values,
    max_size=3,
)
common: dict[str, st.SearchStrategy[Any]] = {
    "annotations": indexed,
    "metadata": metadata,
    "cause": causes,
    "http": https,
    "links": links,
    "error": st.booleans(),
    "throttle": st.booleans(),
    "fault": st.booleans(),
    "precursor_ids": st.just(["0000000000000001"]),
    "unknown_to_us": st.just({"a": [1, {"b": None}]}),
}
aws_blocks: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "account_id": st.just("123456789012"),
        "operation": st.just("GetItem"),
        "region": st.just("eu-west-1"),
        "request_id": st.just("r-1"),
        "retries": st.sampled_from([0, 2]),
        "table_name": st.just("orders"),
        "table_names": st.just(["a", "b"]),
        "queue_url": st.just("https://sqs.eu-west-1.amazonaws.com/1/jobs"),
        "topic_arn": st.just("arn:aws:sns:eu-west-1:1:news"),
        "bucket_name": st.just("pictures"),
        "function_name": st.just("fn"),
        "stream_name": st.just("clicks"),
        "state_machine_arn": st.just("arn:aws:states:eu-west-1:1:stateMachine:order"),
        "resource_names": st.just(["orders"]),
    },
)
kinds: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "namespace": st.just("aws"),
            "name": st.sampled_from(
                ["dynamodb", "DynamoDB", "S3", "sqs", "SNS", "Lambda", "Kinesis", "stepfunctions",
                 "firehose", "Bedrock", "sqs.eu-west-1.amazonaws.com", "x.example.com"]
            ),
        },
        optional={"aws": aws_blocks},
    ),
    st.fixed_dictionaries(
        {
            "namespace": st.just("remote"),
            "name": st.sampled_from(["pay.example.com", "shop@db1", "cache", "UnknownRemoteService"]),
        },
        optional={
            "traced": st.booleans(),
            "origin": st.sampled_from(
                ["Database::Redis", "Database::MongoDB", "Messaging::Kafka", "Messaging::MyQueue",
                 "Database::SQL", "AWS::EC2::Instance"]
            ),
            "sql": st.fixed_dictionaries(
                {},
                optional={
                    "database_type": st.sampled_from(["PostgreSQL", "postgresql", "Weird"]),
                    "sanitized_query": st.just("SELECT 1"),
                    "url": st.just("jdbc:postgresql://db1:5432/shop"),
                    "user": st.just("me"),
                },
            ),
        },
    ),
)  # fmt: skip
services: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "origin": st.sampled_from(
            ["AWS::EC2::Instance", "AWS::ECS::Fargate", "AWS::Lambda", "AWS::Lambda::Function",
             "AWS::APIGateway::Stage", "Own::Thing"]
        ),
        "aws": st.fixed_dictionaries(
            {},
            optional={
                "account_id": st.just("123456789012"),
                "ec2": st.just({"instance_id": "i-1", "availability_zone": "eu-west-1a", "x": 1}),
                "ecs": st.just({"container": "c1", "availability_zone": "eu-west-1b"}),
                "api_gateway": st.just({"account_id": "210987654321", "stage": "prod"}),
                "xray": st.just({"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}),
                "elastic_beanstalk": st.just({"version_label": "v1", "deployment_id": 7}),
            },
        ),
        "service": st.just({"version": "1.2", "runtime": "CPython"}),
        "user": st.just("u-7"),
        "resource_arn": st.sampled_from(["arn:aws:x", "no arn"]),
    },
)  # fmt: skip


def times(draw: st.DrawFn) -> dict[str, Any]:
    start = START + draw(st.integers(0, 5_000_000)) / 1e6
    if draw(st.integers(0, 5)) == 0:
        return {"start_time": start, "in_progress": True}
    return {"start_time": start, "end_time": start + draw(st.sampled_from([0, 1e-6, 0.25]))}


@st.composite
def unit(draw: st.DrawFn, ids: list[str], depth: int) -> dict[str, Any]:
    """A subsegment with an unused id."""
    id = f"{len(ids) + 0xB0:016x}"
    ids.append(id)
    content: dict[str, Any] = {"id": id, "name": draw(names), **times(draw), **draw(kinds)}
    content |= draw(st.fixed_dictionaries({}, optional=common))
    deeper: bool = draw(st.booleans())
    if depth < 2 and deeper:
        content["subsegments"] = [
            draw(unit(ids, depth + 1)) for _ in range(draw(st.integers(0, 2)))
        ]
    return content


@st.composite
def traces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Segments below one another's subsegments, streamed subsegments, copies in progress."""
    ids: list[str] = []
    parents: list[str] = []
    documents: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        segment: dict[str, Any] = {
            "id": f"{number + 0xA1:016x}",
            "name": draw(names),
            "trace_id": TRACE_ID,
        }
        segment |= times(draw) | draw(services) | draw(st.fixed_dictionaries({}, optional=common))
        parent = draw(st.sampled_from(["", *parents]))
        if parent:
            segment["parent_id"] = parent
        segment["subsegments"] = [draw(unit(ids, 0)) for _ in range(draw(st.integers(0, 2)))]
        documents.append(segment)
        parents += [str(segment["id"]), *ids]
    for _ in range(draw(st.integers(0, 2))):
        parent = draw(st.sampled_from([*parents, "00000000000000ff"]))
        alone = {"trace_id": TRACE_ID, "type": "subsegment", "parent_id": parent}
        documents.append({**draw(unit(ids, 1)), **alone})
    return documents


def keep(results: Sequence[object]) -> Trace:
    """The trace in a store of its own; nothing may have been refused."""
    documents = [result for result in results if isinstance(result, Document)]
    assert documents == list(results)
    store = MemoryStore()
    store.put(documents, "x")
    (trace,) = store.get_traces([documents[0].trace_id], raw=True).values()
    return trace


def plain(graph: ServiceGraph) -> Any:
    """All figures but the whole durations: of those, only what is embedded in a segment can come
    after its answer, and no span is embedded. Nor how many roots await their cause: a link of a call
    that is in progress is not sent on. Of failures their number by state: a segment is labelled
    with the exception of a subsegment that it embeds, not with that of another span."""
    parts = [
        {key: msgspec.structs.asdict(value) for key, value in part.items()}
        for part in (graph.services, graph.edges, graph.links)
    ]
    works = []
    for service in parts[0].values():
        for name in ("requests", "background"):
            service[name] = msgspec.structs.asdict(service[name])
            del service[name]["durations"]
            works.append(service[name])
    for figures in (*works, *parts[1].values(), *parts[2].values()):
        failures = Counter[str]()
        for key, number in figures["failures"].items():
            failures[key.partition(":")[0]] += number
        figures["failures"] = failures
        figures.pop("awaiting", None)
    return parts


def labelled_by_what_it_embeds() -> list[dict[str, Any]]:
    """A segment whose only exception is its subsegment's."""
    times: dict[str, Any] = {"start_time": START, "end_time": START + 1}
    cause = {"working_directory": "/srv", "exceptions": [{"id": "1" * 16, "type": "ValueError"}]}
    inner = {"id": "00000000000000b1", "name": "load", **times, "fault": True, "cause": cause}
    return [segment_json(error=True, subsegments=[inner], **times)]


def units(trace: Trace) -> dict[str, dict[str, Any]]:
    """Every unit of what BatchGetTraces gives, by id, with its parent's id. Null is absent, as
    everywhere in X-Ray's documents."""
    found: dict[str, dict[str, Any]] = {}
    stack = [(document, document.get("parent_id")) for document in processed_documents(trace)]
    while stack:
        content, parent = stack.pop()
        content = {key: value for key, value in content.items() if value is not None}
        stack += [(inner, content["id"]) for inner in content.pop("subsegments", ())]
        for key in ("start_time", "end_time"):
            if key in content:
                content[key] = round(content[key] * 1e6)
        found[content["id"]] = {**content, "parent_id": parent}
    return found


def received(documents: Sequence[dict[str, Any]]) -> Trace:
    """X-Ray documents, one after the other."""
    raws = [json.dumps(document).encode() for document in documents]
    return keep([r for version, raw in enumerate(raws, 1) for r in decode_documents(raw, version)])


def sent_on(trace: Trace, encoding: str = "protobuf") -> Trace:
    """The trace as another server has it."""
    exported = export_trace(trace.documents.values())
    if encoding == "protobuf":
        return keep(list(decode_otlp(exported.SerializeToString(), 1)))
    return keep(list(decode_otlp_json(json.dumps(to_json(exported)).encode(), 1)))


@pytest.mark.slow
@example(labelled_by_what_it_embeds(), "protobuf")
@given(traces(), st.sampled_from(["protobuf", "json"]))
def test_there_and_back(documents: list[dict[str, Any]], encoding: str) -> None:
    """The graph with every figure, links included, and the documents with every member."""
    first = received(documents)
    second = sent_on(first, encoding)
    assert plain(build_service_graph([second])) == plain(build_service_graph([first]))
    assert units(second) == units(first)


def test_two_copies_of_a_subsegment() -> None:
    """Embedded in progress, then alone and complete, as SDKs stream: one span, the complete one,
    of its segment's service."""
    place = {"trace_id": TRACE_ID, "type": "subsegment", "parent_id": "00000000000000a1"}
    load = {"id": "00000000000000b1", "name": "load", "start_time": START}
    first = received(
        [
            segment_json(subsegments=[{**load, "in_progress": True}]),
            {**load, **place, "end_time": START + 0.5, "annotations": {"rows": 7}},
        ]
    )
    exported = export_trace(first.documents.values())
    (part,) = exported.resource_spans
    assert part.resource.attributes[0].value.string_value == "frontend"
    assert [span.name for span in part.scope_spans[0].spans] == ["frontend", "load"]
    assert units(sent_on(first)) == units(first)
    assert units(first)["00000000000000b1"]["annotations"] == {"rows": 7}


@pytest.mark.parametrize("nameless_first", [True, False])
def test_a_throttle_survives_exceptions_that_share_an_id(nameless_first: bool) -> None:
    """X-Ray's SDKs repeat an exception's id, sometimes without its type."""
    shared = "e" * 16
    entries: list[dict[str, Any]] = [{"id": shared}, {"id": shared, "type": "SlowDown"}]
    call = {"id": "00000000000000b1", "name": "s3", "namespace": "aws", "start_time": START,
            "end_time": START + 0.1, "error": True, "cause": shared}  # fmt: skip
    inner = {"id": "00000000000000b2", "name": "work", "start_time": START, "end_time": START + 1,
             "cause": {"exceptions": entries[1 - nameless_first :][:1]}}  # fmt: skip
    first = received(
        [
            segment_json(
                subsegments=[call, inner], cause={"exceptions": entries[nameless_first:][:1]}
            )
        ]
    )
    (owned,) = first.calls.values()
    assert owned.call.state == State.THROTTLE
    second = sent_on(first)
    assert plain(build_service_graph([second])) == plain(build_service_graph([first]))


def words_of(exported: dict[str, Any]) -> set[tuple[str, str]]:
    """The attributes of a span that are scalars."""
    pairs = [(p["key"], next(iter(p["value"].values()))) for p in exported["attributes"]]
    return {(key, value) for key, value in pairs if isinstance(value, str)}


def test_words_for_other_tools() -> None:
    """What the exported spans say in OpenTelemetry's own words."""
    http = {"request": {"method": "GET", "url": "https://a/x"}, "response": {"status": 503}}
    table = {"namespace": "aws", "name": "DynamoDB", "aws": {"table_name": "orders"}}
    cache = {"namespace": "remote", "name": "cache1", "origin": "Database::Redis"}
    error = {
        "type": "KeyError",
        "message": "no",
        "stack": [{"path": "a.py", "line": 3, "label": "f"}],
    }
    times = {"start_time": START, "end_time": START + 0.1}
    trace = received(
        [
            segment_json(
                http=http,
                fault=True,
                annotations={"tier": "gold", "db.system": "mine"},
                cause={"exceptions": [{"id": "e" * 16, **error}]},
                links=[{"trace_id": OTHER, "id": "d" * 16}],
                subsegments=[
                    {"id": "00000000000000b1", **table, **times},
                    {"id": "00000000000000b2", **cache, **times},
                ],
            )
        ]
    )
    exported = to_json(export_trace(trace.documents.values()))
    (part,) = exported["resourceSpans"]
    server, dynamo, redis = part["scopeSpans"][0]["spans"]
    assert words_of(server) >= {
        ("tier", "gold"),
        ("aws.xray.annotation.db.system", "mine"),
        ("http.request.method", "GET"),
        ("url.full", "https://a/x"),
        ("http.response.status_code", "503"),
    }
    assert (server["kind"], server["status"]) == (2, {"code": 2})
    assert server["traceId"] == TRACE_ID.replace("-", "")[1:]
    assert server["links"] == [{"traceId": OTHER.replace("-", "")[1:], "spanId": "d" * 16}]
    (event,) = server["events"]
    thrown = {pair["key"]: pair["value"]["stringValue"] for pair in event["attributes"]}
    assert thrown == {
        "exception.type": "KeyError",
        "exception.message": "no",
        "exception.stacktrace": "KeyError: no\n\tat f(a.py:3)",
    }
    assert words_of(dynamo) >= {("rpc.system", "aws-api"), ("aws.service", "DynamoDB")}
    assert words_of(redis) >= {("db.system.name", "redis"), ("db.namespace", "cache1")}
    assert (redis["kind"], redis["parentSpanId"]) == (3, server["spanId"])


def test_what_is_left_out() -> None:
    """Inferred segments, and spans without stored bytes."""
    stored = received([segment_json()])
    inferred = received([segment_json("00000000000000a2", inferred=True)])
    counted = msgspec.structs.replace(decode(span(SERVER, id=7)), raw=b"")
    documents = [*stored.documents.values(), *inferred.documents.values(), counted]
    (part,) = export_trace(documents).resource_spans
    assert len(part.scope_spans[0].spans) == 1


def test_a_span_leaves_as_it_came() -> None:
    """Its resource, its scope and their schemas with it."""
    message = request(span(CLIENT, {"peer.service": "pay", "map": {"a": [1, b"x"]}}))
    message.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.40.0"
    (document,) = decode_otlp(message.SerializeToString(), 1)
    assert isinstance(document, Document)
    exported = export_trace([document])
    assert list(exported.resource_spans) == list(message.resource_spans)
    (again,) = decode_otlp_json(json.dumps(to_json(exported)).encode(), 1)
    assert isinstance(again, Document)
    assert read_span(again.raw) == message.resource_spans[0]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(["a", "b", "id", "start_time"]), json_values)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(v) for key, v in value.items() if v is not None}
    return value


@given(objects, objects)
def test_patch(made: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The patch leads from one to the other; what places a unit stays."""
    fixed = {key: value for key, value in made.items() if key in ("id", "start_time")}
    loose = {key: value for key, value in wanted.items() if key not in ("id", "start_time")}
    found = patched(made, patch_between(made, wanted))
    assert without_nulls(found) == without_nulls({**loose, **fixed})


@pytest.mark.parametrize("patch", [7, "", "[]", "{", "[" * 9000, '{"id": "x", "subsegments": [1]}'])
def test_a_patch_of_another_system(patch: object) -> None:
    """Text that is no patch changes nothing, and no patch moves a unit."""
    made = {"id": "00000000000000a1", "name": "a"}
    assert patched(made, patch) == made
    attributes = {DOCUMENT: patch, "aws.xray.call": patch, "aws.xray.annotations": ["x", "n"]}
    document = decode(span(CLIENT, {**attributes, "n": 1, "x": [1]}))
    assert document.annotations == ("n=1",)
    assert render_span(document.raw)["id"] == "00000000000000b1"


def test_causes_by_id() -> None:
    """They name an exception of their own document, and none of another's."""
    cause = "e" * 16
    thrown = {"exceptions": [{"id": cause, "type": "KeyError"}]}
    inner = {"id": "00000000000000b1", "name": "load", "start_time": START, "end_time": START + 1}
    call = {**inner, "namespace": "remote", "error": True, "cause": cause}
    first = received(
        [
            segment_json(subsegments=[call], cause=thrown, fault=True),
            segment_json("00000000000000a2", cause=cause, fault=True),
        ]
    )
    second = sent_on(first)
    assert {d.id: d.exception for d in second.documents.values()} == {
        0xA1: "KeyError",
        0xA2: "",
        0xB1: "KeyError",
    }
    assert units(second) == units(first)
