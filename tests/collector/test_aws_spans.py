"""Spans of the log group ``aws/spans`` draw what the X-Ray documents draw that AWS made them of; once beside other reports."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from collector.decode.document import decode_document
from collector.decode.lambda_records.cloudwatch import Delivery, decode_delivery
from collector.decode.trace_document import read_traces
from collector.journal.format import Kind
from collector.payloads import decode_documents, decode_request
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import (
    MAX_RANK,
    Document,
    NodeKey,
    State,
    TimeRange,
    Trace,
    derived_version,
    relayed_version,
)
from store.otel.stored_document import subsegments_of
from store.protocol import Store
from store.rules.annotations import parse_annotation_item
from store.rules.invocations import Invocation
from store.times import SECOND
from store.trace_documents import processed_documents
from tests.aws_spans import delivered, records_of
from tests.builders import T0
from tests.collector.second_decoder.agreement import agree
from tests.lambda_samples import ACCOUNT as LOG_ACCOUNT
from tests.lambda_samples import (
    END,
    FUNCTION_ID,
    REQUEST,
    SERVICE_ID,
    TRACE_TEXT,
    invocation,
    telemetry,
)
from tests.lambda_samples import REGION as LOG_REGION
from tests.store.test_invocation_evidence import World
from tests.vectors import demo_documents, rows

ALWAYS = TimeRange(0, 1 << 62)
WINDOW = TimeRange(1_795_500_000 * SECOND, 1_795_700_000 * SECOND)
Json = dict[str, Any]
ACCOUNT, DEV, REGION = "123456789012", "210987654321", "eu-west-1"


def decoded(
    records: Iterable[Json], version: int = 1, owner: str = "", region: str = ""
) -> list[Document]:
    """The documents that records become, in the way they are submitted."""
    request = msgspec.convert(delivered(*records, owner=owner), Delivery)
    found = decode_delivery(request, region)
    assert not found.rejected
    documents: list[Document] = []
    for part, at in (
        (found.spans.finished, relayed_version(version)),
        (found.spans.running, version),
    ):
        results = [decode_documents(part.documents, at)]
        results += [decode_request(Kind.OTLP_JSON, body, at) for body in part.requests]
        for result in results:
            assert not result.rejected
            documents += result.documents
    return documents


def graph(documents: Iterable[Document]) -> Any:
    """What is drawn: nodes and edges with their counts, and links."""
    store = MemoryStore()
    for number, each in enumerate(documents):
        store.put([each], str(number))
    return drawn(store)


def counts(statistics: Any) -> tuple[int, ...]:
    s = statistics
    return s.total, s.ok, s.error, s.throttle, s.fault, s.in_progress


def drawn(store: Store, window: TimeRange = ALWAYS) -> Any:
    found = store.service_graph(window)
    return (
        {key: counts(each.statistics) for key, each in found.services.items()},
        {key: counts(each.statistics) for key, each in found.edges.items()},
        {key: counts(each.statistics) for key, each in found.links.items()},
    )


def direct(documents: Iterable[Json], version: int = 1) -> list[Document]:
    return [decode_document(json.dumps(each).encode(), version) for each in documents]


@pytest.fixture(scope="module")
def documents() -> list[Json]:
    """What the demo's services and AWS's own write to X-Ray, without the function that writes no segment."""
    found: list[Json] = [json.loads(each) for each in demo_documents(400)]
    known = {id for each in found for id in ids_of(each)}
    lacking = {d["trace_id"] for d in found if d.get("parent_id", next(iter(known))) not in known}
    return [each for each in found if each["trace_id"] not in lacking]


def ids_of(unit: Json) -> Iterator[str]:
    yield unit["id"]
    for inner in unit.get("subsegments") or ():
        yield from ids_of(inner)


def relayed(
    documents: Iterable[Json], *, says_origin: bool = True, version: int = 1
) -> list[Document]:
    """The same by way of ``aws/spans`` of their account."""
    by_owner: dict[str, list[Json]] = {ACCOUNT: [], DEV: []}
    documents = list(documents)
    of_dev = {each["trace_id"] for each in documents if DEV in json.dumps(each)}
    for each in documents:
        owner = DEV if each["trace_id"] in of_dev else ACCOUNT
        by_owner[owner] += records_of(each, says_origin=says_origin)
    return [
        d for owner, records in by_owner.items() for d in decoded(records, version, owner, REGION)
    ]


@pytest.mark.parametrize("says_origin", [True, False])
def test_the_map_is_that_of_the_documents(documents: list[Json], says_origin: bool) -> None:
    """All patterns of the demo: API Gateway, AppSync, Lambda, Step Functions, SNS, ECS; in two accounts."""
    expected = graph(direct(documents))
    types = {key.type for key in expected[0]}
    assert types >= {
        "AWS::ApiGateway::Stage", "AWS::AppSync::GraphQLAPI", "AWS::Lambda", "AWS::Lambda::Function",
        "AWS::StepFunctions::StateMachine", "AWS::SNS", "AWS::SQS::Queue", "AWS::S3::Bucket",
        "AWS::Kinesis::Stream", "AWS::DynamoDB::Table", "AWS::ECS::Container", "Database::SQL",
    }  # fmt: skip
    assert expected[2]
    found = graph(relayed(documents, says_origin=says_origin))
    for what, there in zip(expected, found, strict=True):
        assert there == what


SAMPLES = [
    row for row in rows(("segments", "traces")) if row["validity"] in ("accept", "quirk", "oracle")
]


@pytest.mark.parametrize("row", SAMPLES, ids=lambda row: row["file"])
def test_the_map_of_each_sample(row: dict[str, Any]) -> None:
    """X-Ray's documents of AWS's services and of SDKs, as published, with what they name alone."""
    raw = row["path"].read_bytes()
    raws = read_traces(raw).raws if row["kind"] == "traces" else [raw]
    documents = [_whole(json.loads(each)) for each in raws]
    records = [record for each in documents for record in records_of(each)]
    assert graph(decoded(records)) == graph(direct(documents))


def _whole(unit: Json) -> Json:
    """A document in which every subsegment has what AWS gives each before it converts them."""
    for at, inner in enumerate(unit.get("subsegments") or ()):
        inner.setdefault("id", f"{hash((unit['id'], at)) & 0xFFFFFFFF:016x}")
        inner.setdefault("name", "unknown")
        inner.setdefault("start_time", unit["start_time"])
        if "end_time" not in inner:
            inner["in_progress"] = True
        _whole(inner)
    return unit


@pytest.mark.slow
def test_a_span_that_its_sdk_reports_as_well_counts_once(documents: list[Json]) -> None:
    """In any order, repeated, and where one of both ways lacks some."""
    expected = graph(direct(documents))
    for seed in range(6):
        random = Random(seed)
        by_sdk = [each for each in documents if random.random() < (0.6 if seed % 2 else 1.0)]
        copies = direct(by_sdk, 7) + relayed(documents, version=random.choice((1, 99)))
        copies += random.sample(copies, 50)
        random.shuffle(copies)
        for what, there in zip(expected, graph(copies), strict=True):
            assert there == what


def test_the_senders_copy_wins_in_every_order(documents: list[Json]) -> None:
    """Over one that was relayed, and that over one that was derived."""
    function = next(each for each in documents if each.get("origin") == "AWS::Lambda::Function")
    own, *_ = direct([function], 1)
    (other, *_) = relayed([function], version=99)
    derived = replace(own, version=derived_version(200, MAX_RANK))
    for order in itertools.permutations([own, other, derived]):
        assert winner(order).version == own.version
    for order in itertools.permutations([other, derived]):
        assert winner(order).version == other.version
    running = replace(own, state=State.IN_PROGRESS, version=300)
    for order in itertools.permutations([other, running]):
        assert winner(order).version == other.version


def winner(documents: Iterable[Document]) -> Document:
    store = MemoryStore()
    for number, each in enumerate(documents):
        store.put([each], str(number))
    return store.get_traces([each.trace_id])[each.trace_id].documents[each.id]


def test_a_span_is_reported_when_it_begins_and_when_it_ends(documents: list[Json]) -> None:
    """The end counts, whichever arrives first."""
    machine = next(
        each
        for each in documents
        if each.get("origin", "").endswith("StateMachine") and "end_time" in each
    )
    begun = {k: v for k, v in machine.items() if k not in ("end_time", "subsegments")} | {
        "in_progress": True
    }
    first, last = relayed([begun], version=1), relayed([machine], version=2)
    assert [each.in_progress for each in first] == [True]
    assert first[0].version == 1  # no negative one: the store's column has none
    for order in (first + last, last + first):
        assert graph(order) == graph(direct([machine]))


START = 1_795_560_000
TRACE = f"{START:08x}{7:024x}"


@pytest.mark.parametrize("end", [None, 0, "0", 179, "999"])
def test_an_end_of_no_microsecond_is_none(end: Any) -> None:
    """So that a span which runs cannot keep the place of its end."""
    begin = START * 1_000_000_000
    span = {"traceId": TRACE, "spanId": "1" * 16, "name": "call", "startTimeUnixNano": begin}
    [document] = decoded([{**span, "endTimeUnixNano": end}])
    assert (document.in_progress, document.version) == (True, 1)


def otlp(
    id: int, parent: int, kind: str, service: str, at: float, attributes: Json, **more: Any
) -> Json:
    """A span that was none of X-Ray's, as AWS writes it."""
    return {
        "resource": {"attributes": {"service.name": service, "cloud.provider": "aws"}},
        "scope": {"name": "x", "version": "1"},
        "traceId": TRACE,
        "spanId": f"{id:016x}",
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "name": "span",
        "kind": kind,
        "startTimeUnixNano": round((START + at) * 1e9),
        "endTimeUnixNano": round((START + at + 0.1) * 1e9),
        "durationNano": 100_000_000,
        "attributes": {
            "aws.local.service": service,
            "aws.local.environment": "generic:default",
            **attributes,
        },
        "status": {"code": "UNSET"},
        **more,
    }


TABLE = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "aws.dynamodb.table_names": ["orders"]}
FAILED = {
    "status": {"code": "ERROR", "message": "boom"},
    "events": [
        {"name": "exception", "timeUnixNano": 1, "attributes": {"exception.type": "ValueError"}}
    ],
}
SHOP = [
    otlp(
        1, 0, "SERVER", "shop", 0.0, {"http.response.status_code": 200, "user.vip": True, "n": 1.5}
    ),
    otlp(2, 1, "CLIENT", "shop", 0.01, TABLE),
    otlp(3, 1, "CLIENT", "shop", 0.02, {"http.request.method": "GET", "server.address": "pay"}),
    otlp(4, 3, "SERVER", "pay", 0.03, {"http.request.method": "GET"}, **FAILED),
]


def test_spans_of_opentelemetry_have_its_rules() -> None:
    """By name kinds and states, by number times; flat attributes of every type; account and region of the log."""
    store = MemoryStore()
    documents = decoded(SHOP, 1, ACCOUNT, REGION)
    store.put(documents, "a")
    found, edges, _ = drawn(store)
    shop, pay = NodeKey(ACCOUNT, "shop", "", REGION), NodeKey(ACCOUNT, "pay", "", REGION)
    assert found[shop] == (1, 1, 0, 0, 0, 0)
    assert found[pay] == (1, 0, 0, 0, 1, 0)
    assert (shop, NodeKey(ACCOUNT, "orders", "AWS::DynamoDB::Table", REGION)) in edges
    assert (shop, pay) in edges
    request = next(each for each in documents if each.id == 1)
    assert (request.start, request.end) == (START * SECOND, START * SECOND + 100_000)
    assert {"user.vip", "n"} <= {parse_annotation_item(each)[0] for each in request.annotations}
    assert next(each for each in documents if each.id == 4).exception == "ValueError"


def test_a_service_of_aws_that_reports_spans_has_its_type() -> None:
    """AgentCore's gateway: AWS names its origin among the span's attributes, and the resource's ARN the place."""
    arn = f"arn:aws:bedrock-agentcore:{REGION}:{DEV}:gateway/tools"
    span = otlp(1, 0, "SERVER", "tools", 0.0, {"aws.xray.origin": "AWS::BedrockAgentCore::Gateway"})
    span["resource"]["attributes"] |= {
        "cloud.resource_id": arn,
        "cloud.platform": "aws_bedrock_agentcore",
    }
    (document,) = decoded([span], 1, ACCOUNT, "")
    assert document.node == NodeKey(DEV, "tools", "AWS::BedrockAgentCore::Gateway", REGION)


def test_a_span_of_opentelemetry_counts_once_beside_its_own_export() -> None:
    """In every order; AWS calls a service that has no name UnknownService, which is none."""
    anonymous = otlp(9, 1, "CLIENT", "UnknownService", 0.05, TABLE)
    del anonymous["resource"]["attributes"]["service.name"]
    records = [*SHOP, anonymous]
    by_aws = decoded(records, 50, ACCOUNT, REGION)
    by_sdk = [replace(each, version=1) for each in by_aws]
    expected = graph(by_sdk)
    assert "UnknownService" not in {key.name for key in expected[0]}
    for seed in range(20):
        copies = by_sdk + by_aws
        Random(seed).shuffle(copies)
        assert graph(copies) == expected
        assert winner(copies).version == 1


ENDED = END / SECOND


def lambda_documents(*, failed: bool = False) -> list[Json]:
    """What Lambda writes itself of the invocation of `tests.lambda_samples`, and an SDK inside."""
    arn = f"arn:aws:lambda:{LOG_REGION}:{LOG_ACCOUNT}:function:checkout"
    flags: Json = {"fault": True} if failed else {}
    times = {"trace_id": TRACE_TEXT, "start_time": ENDED - 0.1, "end_time": ENDED}
    service = {
        "id": f"{SERVICE_ID:016x}", "name": "checkout", "origin": "AWS::Lambda", "resource_arn": arn,
        "aws": {"request_id": REQUEST}, "http": {"response": {"status": 200}}, **times, **flags,
    }  # fmt: skip
    function = {
        "id": f"{FUNCTION_ID:016x}", "name": "checkout", "origin": "AWS::Lambda::Function",
        "parent_id": f"{SERVICE_ID:016x}", "aws": {"account_id": LOG_ACCOUNT, "function_arn": arn},
        **times, **flags,
        "subsegments": [{"id": f"{0x1117:016x}", "name": "Invocation", **times}],
    }  # fmt: skip
    inside = {
        "id": f"{0x7AB1E:016x}", "name": "DynamoDB", "namespace": "aws", "type": "subsegment",
        "parent_id": f"{FUNCTION_ID:016x}", "aws": {"operation": "GetItem", "table_name": "orders", "region": LOG_REGION},
        **times,
    }  # fmt: skip
    return [service, function, inside]


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "none"])
@pytest.mark.parametrize("record", [invocation(), invocation(segment_id=SERVICE_ID), telemetry()])
def test_lambdas_own_spans_and_its_log_are_one_invocation(record: Invocation, sdk: bool) -> None:
    """With the SDK's own copies or without, in every order of arrival and joined in between."""
    documents = lambda_documents()
    by_aws = decoded([r for d in documents for r in records_of(d)], 5, LOG_ACCOUNT, LOG_REGION)
    own = direct(documents[2:], 3) if sdk else []
    function = NodeKey(LOG_ACCOUNT, "checkout", "AWS::Lambda::Function", LOG_REGION)
    service = NodeKey(LOG_ACCOUNT, "checkout", "AWS::Lambda", LOG_REGION)
    table = NodeKey(LOG_ACCOUNT, "orders", "AWS::DynamoDB::Table", LOG_REGION)
    for order in itertools.permutations(["log", "aws", "sdk"]):
        world = World()
        for what in order:
            if what == "log":
                world.report(record)
            for each in by_aws if what == "aws" else own if what == "sdk" else ():
                world.put(each)
            if what != "sdk" or sdk:
                world.join()
        assert world.nodes == {function: 1, service: 1, table: 1}
        assert {(s, t) for s, t in world.store.service_graph(ALWAYS).edges if not s.is_client} == {
            (service, function), (function, table),
        }  # fmt: skip


def running_layer() -> list[Json]:
    """The SERVER span that a layer of OpenTelemetry reports below the function's segment."""
    arn = f"arn:aws:lambda:{LOG_REGION}:{LOG_ACCOUNT}:function:checkout"
    trace_id = TRACE_TEXT[2:].replace("-", "")
    at = ENDED - 0.09 - START
    layer = otlp(0x0731, FUNCTION_ID, "SERVER", "checkout", at, {}, traceId=trace_id)
    layer["endTimeUnixNano"] = round((ENDED - 0.01) * 1e9)
    about = {"cloud.platform": "aws_lambda", "faas.name": "checkout", "cloud.resource_id": arn}
    layer["resource"]["attributes"] |= about
    return [layer]


def test_a_layer_of_opentelemetry_inside_is_the_same_invocation() -> None:
    """Beside Lambda's own segments, its log, or both."""
    records = [r for d in lambda_documents()[:2] for r in records_of(d)]
    by_aws = decoded(records, 5, LOG_ACCOUNT, LOG_REGION)
    inside = decoded(running_layer(), 5, LOG_ACCOUNT, LOG_REGION)
    own = [replace(each, version=1) for each in inside]
    function = NodeKey(LOG_ACCOUNT, "checkout", "AWS::Lambda::Function", LOG_REGION)
    for copies in (by_aws + inside, by_aws + own, own + by_aws + inside, own):
        for logs in ((), (telemetry(), invocation())):
            world = World(*copies)
            for record in logs:
                world.report(record)
                world.join()
            assert world.nodes[function] == 1


def test_clickhouse_counts_the_same(
    documents: list[Json], clickhouse_store: ClickHouseStore
) -> None:
    """Documents and their relayed copies, in batches in any order and counted in between; a layer inside a function."""
    random = Random(11)
    chosen = {each["trace_id"] for each in documents[:250]}
    some = [each for each in documents if each["trace_id"] in chosen]
    copies = [each for each in direct(some, T0 + 7) if random.random() < 0.6] + relayed(
        some, version=T0 + 9
    )
    layer = lambda_documents()[:2]
    copies += decoded([r for d in layer for r in records_of(d)], T0, LOG_ACCOUNT, LOG_REGION)
    copies += decoded([*SHOP, *running_layer()], T0, LOG_ACCOUNT, LOG_REGION)
    random.shuffle(copies)
    memory = MemoryStore()
    for number in range(0, len(copies), 120):
        for store in (memory, clickhouse_store):
            store.put(copies[number : number + 120], f"batch {number}")
        clickhouse_store.service_graph(WINDOW)
    for what, there in zip(drawn(memory), drawn(clickhouse_store, WINDOW), strict=True):
        assert there == what
    ids = sorted({each.trace_id for each in copies})[:40]
    expected, found = (s.get_traces(ids, raw=True) for s in (memory, clickhouse_store))
    assert {id: by_id(found[id]) for id in ids} == {id: by_id(expected[id]) for id in ids}


def by_id(trace: Trace) -> dict[str, Json]:
    """The documents of a trace, their subsegments in the order of their ids."""
    found = {each["id"]: each for each in processed_documents(trace)}
    for document in found.values():
        for part in (document, *subsegments_of(document)):
            part.get("subsegments", []).sort(key=lambda each: each["id"])
    return found


def test_the_second_decoder_reads_what_is_stored(documents: list[Json]) -> None:
    """`raymap verify --decode` compares the documents that were made of records."""
    assert agree(relayed(documents)) > 1000
    assert agree(decoded([*SHOP, *running_layer()], 1, LOG_ACCOUNT, LOG_REGION)) == 5
