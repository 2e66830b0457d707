"""Spans: the second decoder, written from docs/ and the conventions, says what the first one says."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import (
    cloud_attributes,
    db_attributes,
    faas_attributes,
    gen_ai_attributes,
    messaging_attributes,
)

from collector.decode.document import decode_documents
from collector.decode.otlp.request import decode_otlp
from collector.decode.zipkin.spans import decode_zipkin
from tests.collector import test_any_order
from tests.collector.decode.otlp.test_columns import EXCEPTIONS, RESOURCES, SPANS
from tests.collector.decode.otlp.test_nodes import AWS, AWS_CALLS, OTHER_CALLS
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    PARENT,
    PRODUCER,
    SERVER,
    TRACE,
    checkout_export,
    export,
    pairs,
    results,
    span,
)
from tests.collector.second_decoder.agreement import agree
from tests.collector.test_service_graph_cases import CASES as SERVICE_GRAPH_CASES
from tests.collector.zipkin_dependencies.notation import json_body, spans_of, twice
from tests.collector.zipkin_dependencies.test_dependencies import CASES
from tests.otlp_json import decode_otlp_json
from tests.vectors import SAMPLES, files

KINDS = (CLIENT, PRODUCER, CONSUMER, SERVER, INTERNAL, 0)


def same(*spans: Span, resource: dict[str, Any] | None = None) -> int:
    return agree(decode_otlp(export(*spans, resource=resource), 7))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parent", [b"", PARENT])
def test_callees(kind: int, parent: bytes) -> None:
    """Whom a call leads to, for spans of all kinds, with and without a parent."""
    calls = [{**AWS, **attributes} for attributes, _, _ in AWS_CALLS]
    calls += [attributes for attributes, _, _ in OTHER_CALLS]
    spans = [span(kind, attributes, id=n, parent=parent) for n, attributes in enumerate(calls, 1)]
    assert same(*spans) == len(calls)
    place = {"cloud.region": "eu-west-1", "cloud.account.id": "111122223333", "service.name": "w"}
    assert same(*spans, resource=place) == len(calls)


PIECES = (
    "b", "B", ".", ":", "80", "[", "]", "::1", "%e", "/", "//", "///", "?", "@", ",", " ", "dns", "ipv4", "xds", "unix", "http", "\\", "_", "é", "127.0.0.1", "localhost",
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@example("dns:53")
@example("dns://8.8.8.8/b:50051")
@example("[::1]:80")
@example("http://u@B.:80/x@y?z")
def test_hosts(address: str) -> None:
    """Whom a call leads to, whatever stands for a host."""
    keys = "server.address", "net.sock.peer.addr", "http.host", "url.full", "db.connection_string", "aws.remote.service"  # fmt: skip
    spans = [span(CLIENT, {key: address}, id=n) for n, key in enumerate(keys, 1)]
    assert same(*spans) == len(keys)


def values(key: str, kinds: type[Enum], **more: Any) -> list[dict[str, Any]]:
    """Attributes with every value that the conventions list."""
    return [{key: each.value, **more} for each in kinds]


def test_listed_values() -> None:
    """Every database, broker, platform, cloud and model of the conventions' registry, by old and new names."""
    calls = [
        *values("db.system.name", db_attributes.DbSystemNameValues),
        *values("db.system", db_attributes.DbSystemValues),
        *values("messaging.system", messaging_attributes.MessagingSystemValues, **{"messaging.destination.name": "q"}),
        *values("faas.invoked_provider", faas_attributes.FaasInvokedProviderValues, **{"faas.invoked_name": "f"}),
        *values("gen_ai.provider.name", gen_ai_attributes.GenAiProviderNameValues),
        *values("gen_ai.system", gen_ai_attributes.GenAiSystemValues),
        *({"gen_ai.system": each} for each in ("Anthropic", "Cohere", "Groq", "MistralAI", "OpenAI", "Watsonx", "Other")),
    ]  # fmt: skip
    for kind in (CLIENT, PRODUCER, CONSUMER):
        assert same(*(span(kind, each, id=n) for n, each in enumerate(calls, 1))) == len(calls)
    for platform in cloud_attributes.CloudPlatformValues:
        for provider in (None, "aws", "azure", "gcp"):
            resource = {"cloud.platform": platform.value, "cloud.provider": provider}
            same(span(SERVER), resource={k: v for k, v in resource.items() if v})


def test_outcomes() -> None:
    """Every combination of kind, status, HTTP and gRPC codes and failures."""
    codes: list[dict[str, Any]] = [
        {}, {"http.response.status_code": 200}, {"http.status_code": 404}, {"http.response.status_code": "429"},
        {"http.response.status_code": 503}, {"rpc.grpc.status_code": 0}, {"rpc.grpc.status_code": 8},
        {"rpc.grpc.status_code": 5}, {"rpc.grpc.status_code": 13}, {"rpc.response.status_code": "UNAVAILABLE"}, {"grpc.status_code": "8"},
        {"grpc.status_code": "NOT_FOUND"}, {"grpc.status_code": "0"}, {"rpc.connect_rpc.error_code": "resource_exhausted"},
        {"method": "GET", "status": "404", "outcome": "CLIENT_ERROR"}, {"method": "GET", "status": "404", "outcome": "x"},
        {"error.type": "429"}, {"error.type": "503"}, {"error.type": "404", "db.system.name": "postgresql"},
        {"error.type": "rate_limit_exceeded", "gen_ai.system": "openai"}, {"gen_ai.provider.name": "openai"},
        {"error.type": "openai.RateLimitError"}, AWS, {**AWS, "http.status_code": 400},
        {**AWS, "http.status_code": 503}, {"aws.xray.throttle": True}, {"aws.xray.fault": True},
        {"aws.xray.inprogress": True},
    ]  # fmt: skip
    thrown = [
        [],
        [{"exception.type": "KeyError", "exception.message": "x"}],
        [{"exception.type": "ThrottlingException"}],
        [
            {
                "exception.type": "a.ClientError",
                "exception.message": "An error occurred (SlowDown) when calling x",
            }
        ],
        [
            {
                "exception.message": "Rate exceeded (Service: DynamoDb, Status Code: 400, Request ID: 1)"
            }
        ],
        [{"exception.type": "openai.RateLimitError", "exception.message": "Error code: 429 - {}"}],
        [{"exception.type": "google.api_core.exceptions.NotFound", "exception.message": "404"}],
    ]
    failed: tuple[bool | str, ...] = (False, True, "Error code: 429 - x")
    total = 0
    for kind, code in itertools.product(KINDS, codes):
        spans = [
            span(kind, code, id=n, failed=how, exceptions=each)
            for n, (how, each) in enumerate(itertools.product(failed, thrown), 1)
        ]
        total += same(*spans)
    assert total == len(KINDS) * len(codes) * len(failed) * len(thrown)


def test_messages() -> None:
    """What was sent, fetched and processed, with links and without."""
    operations = ("receive", "poll", "process", "send", "publish", "settle", "create", None)
    counts: tuple[int | str | None, ...] = (None, 0, "0", 3)
    link = Span.Link(trace_id=TRACE[:-1] + b"\x03", span_id=PARENT)
    own = Span.Link(trace_id=TRACE, span_id=PARENT)
    total = 0
    systems = itertools.product(KINDS, ("kafka", "aws_sqs", None), (None, "Microsoft.EventHub"))
    for kind, system, azure in systems:
        spans: list[Span] = []
        for operation, count, links in itertools.product(operations, counts, ([], [link], [own])):
            attributes = {
                "messaging.system": system,
                "messaging.operation.type": operation,
                "messaging.batch.message_count": count,
                "messaging.destination.name": "orders" if count is None else None,
                "peer.service": "broker",
                "az.namespace": azure,
            }
            attributes = {key: value for key, value in attributes.items() if value is not None}
            spans.append(span(kind, attributes, id=len(spans) + 1, links=links))
        total += same(*spans)
    assert total == len(KINDS) * 3 * 2 * len(operations) * len(counts) * 3


def test_a_fetch_that_says_nothing() -> None:
    """By its name alone; one with attributes is what it always was."""
    found = [
        span(kind, attributes, id=id, name=name)
        for id, (kind, attributes, name) in enumerate(
            itertools.product(KINDS, ({}, {"peer.service": "broker"}), ("recv", "receive")), 1
        )
    ]
    assert same(*found) == len(KINDS) * 4


def test_a_wait_for_a_connection() -> None:
    """By its name and the pool's settings."""
    pool: dict[str, Any] = {
        "db.system": "postgresql",
        "db.name": "o",
        "db.postgresql.max.client": 10,
    }
    found = [
        span(kind, attributes, id=id, name=name)
        for id, (kind, attributes, name) in enumerate(
            itertools.product(
                KINDS, (pool, {"db.system": "postgresql"}), ("pg-pool.connect", "pg.query")
            ),
            1,
        )
    ]
    assert same(*found) == len(KINDS) * 4


def test_likely_hosts() -> None:
    """Addresses, sockets and URLs, with ports and without, of this machine and of others."""
    named = ("h.example", "localhost", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "10.0.0.1", "")
    spans: list[Span] = []
    for key in ("server.address", "net.peer.name", "http.host", "url.full", "network.peer.address"):
        for host, port in itertools.product(named, (None, 0, 81)):
            value = {"url.full": f"http://{host}:82/x", "http.host": f"{host}:83"}.get(key, host)
            attributes = {key: value} if port is None else {key: value, "server.port": port}
            spans.append(span(CLIENT, attributes, id=len(spans) + 1))
    assert same(*spans) == 5 * len(named) * 3


FLAGS = (0, 1, 0x100, 0x200, 0x300, 0x301)


def test_whose_work() -> None:
    """Parents, flags, names of services, and what renders X-Ray's documents as spans."""
    resources: list[dict[str, Any]] = [
        {}, {"service.name": ""}, {"service.name": "unknown_service"}, {"service.name": "unknown_service:python"},
        {"service.name": "GET", "cloud.provider": "aws"}, {"service.name": "GET", "cloud.provider": "unknown"},
        {"service.name": "GET", "cloud.provider": "aws", "telemetry.sdk.name": "opentelemetry"},
        {"service.namespace": "shop"}, {"service.name": "api", "service.namespace": "shop"},
        {"service.name": "api", "service.namespace": "s" * 300}, {"aws.local.service": "local", "service.namespace": "s"},
        {"service.name": "f", "service.namespace": "shop", "cloud.platform": "aws_lambda"},
        {"aws.local.service": "local"}, {"faas.name": "f", "cloud.provider": "aws"},
        {"aws.ecs.task.arn": "arn:aws:ecs:eu-west-1:111122223333:task/shop/1", "cloud.platform": "aws_ecs",
         "aws.ecs.launchtype": "FARGATE"},
        {"cloud.resource_id": "arn:aws:lambda:eu-west-1:111122223333:function:f", "cloud.provider": "gcp"},
    ]  # fmt: skip
    marks: list[dict[str, Any]] = [
        {}, {"aws.span.kind": "LOCAL_ROOT"}, {"aws.local.service": "other"}, {"peer.service": "pay"},
        {"aws.xray.document": "{}"}, {"peer.service": "pay", "aws.xray.document": "{}"},
        {"user_agent.original": "CloudWatchSynthetics/1"},
    ]  # fmt: skip
    for kind, resource in itertools.product(KINDS, resources):
        spans = [
            span(
                kind,
                mark,
                id=n,
                flags=flags,
                parent=parent,
                trace_state="ot=th:8;rv:ffffffffffffff",
            )
            for n, (mark, flags, parent) in enumerate(
                itertools.product(marks, FLAGS, (b"", PARENT)), 1
            )
        ]
        assert same(*spans, resource=resource) == len(spans)


@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(SPANS, RESOURCES)
def test_whatever_comes(found: Span, resource: dict[str, Any]) -> None:
    same(found, resource=resource)


CALLED = st.sampled_from([{**AWS, **a} for a, _, _ in AWS_CALLS] + [a for a, _, _ in OTHER_CALLS])
ENDED: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "http.response.status_code": st.sampled_from([200, 400, 404, 429, 500, 503, "404"]),
        "rpc.grpc.status_code": st.sampled_from([0, 4, 5, 8, 99]),
        "error.type": st.sampled_from(["429", "RateLimitError", "_OTHER", "KeyError"]),
        "peer.service": st.just("pay"),
        "server.address": st.sampled_from(["h.example", "127.0.0.1"]),
        "aws.region": st.sampled_from(["eu-west-1", "nowhere"]),
    },
)


HOST_LIKE = {
    "aws.remote.service": "AWS::DynamoDB",
    "rpc.service": "shop.Cart",
    "server.address": "cart",
}


@example(CLIENT, HOST_LIKE, {}, {"http.response.status_code": 400}, [], True)
@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    st.sampled_from(KINDS), CALLED, CALLED, ENDED, st.lists(EXCEPTIONS, max_size=2), st.booleans()
)
def test_likely_spans(
    kind: int,
    one: dict[str, Any],
    two: dict[str, Any],
    end: dict[str, Any],
    thrown: list[Any],
    failed: bool,
) -> None:
    """Attributes of calls of many releases and languages, mixed, with outcomes."""
    same(span(kind, {**one, **two, **end}, failed=failed, exceptions=thrown))


def recorded() -> Iterator[tuple[str, list[Any]]]:
    """Spans and documents that SDKs sent."""
    for path in sorted(SAMPLES.glob("*/*.jsonl")):
        found: list[Any] = []
        for line in path.read_text().splitlines():
            content = json.loads(line) if line.startswith("{") else {}
            if "resourceSpans" in content:
                found += decode_otlp_json(line.encode(), 1)
            elif "trace_id" in content:
                found += decode_documents(line.encode(), 1)
        yield path.name, found
    for path in files("otlp/*.pb"):
        yield path.name, list(decode_otlp(path.read_bytes(), 1))


def test_recordings() -> None:
    """AWS calls of six tracers with X-Ray and OpenTelemetry, functions with both, and other recordings."""
    found = {name: agree(documents) for name, documents in recorded()}
    assert len([name for name, number in found.items() if number >= 20]) >= 14
    assert agree(results(checkout_export())[0]) == 7


def test_forests() -> None:
    """Services that share ids, sidecars, messages."""
    total = 0
    for seed in range(25):
        for decode, shares in ((test_any_order.zipkin, True), (test_any_order.otlp, False)):
            forest = test_any_order.Forest(seed, shares_ids=shares)
            total += (
                agree(decode(forest.spans, test_any_order.START * 1_000_000)) if forest.spans else 0
            )
    assert total > 500


def test_zipkin_cases() -> None:
    """Zipkin's own, as they are stored."""
    for case in CASES:
        for part in twice(spans_of(case)):
            assert agree(decode_zipkin(json_body(part), 1).documents)


def test_service_graph_cases() -> None:
    """The Collector's."""
    for case in SERVICE_GRAPH_CASES:
        for sent in case.spans:
            parent = sent.parent.to_bytes(8, "big") if sent.parent else b""
            found = span(sent.kind, sent.attributes, id=sent.id, parent=parent, failed=sent.failed)
            assert same(found, resource={"service.name": sent.service}) == 1


def test_link_in_excess_and_other_attributes() -> None:
    """Links beyond the limit, one to the span's own trace, and directions that X-Ray's attributes give."""
    child = {"aws.xray.reserved.reference_type": "child",
             "aws.xray.reserved.received_event_end_time": 1_795_560_000.5}  # fmt: skip
    links = [
        Span.Link(
            trace_id=TRACE[:-1] + bytes([n]),
            span_id=PARENT,
            attributes=pairs(child if n % 2 else {}),
        )
        for n in range(120)
    ]
    assert (
        same(span(CONSUMER, links=links), span(CLIENT, {"peer.service": "x"}, id=5, links=links))
        == 2
    )
