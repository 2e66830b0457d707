"""Spans decoded by column are what each of them is alone."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from bench.shop import Shop
from collector.decode.item_size import DEFAULT
from collector.decode.otlp import cases
from collector.decode.otlp import columns as by_column
from collector.decode.otlp.columns import Spans, decode_otlp_columns, decode_otlp_json_columns
from collector.decode.otlp.memory import Memory
from collector.decode.otlp.request import (
    decode_otlp,
    decode_span,
)
from collector.decode.otlp.walk import Walked, walk
from collector.decode.rejected import Rejected
from store.columnar import BodyParts, CallColumns, ColumnarDocuments, DocumentColumns, columns_of
from store.model import Document
from store.otel import span_facts
from store.otel.attribute_field import field_of
from store.otel.from_xray import to_json
from store.otel.stored_span import join_span
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    PARENT,
    PRODUCER,
    SERVER,
    START,
    TRACE,
    checkout_export,
    export,
    pairs,
    span,
)
from tests.otlp_json import decode_otlp_json

Rejections = list[tuple[int, str]]


def alone(decode: Callable[[], Any]) -> tuple[list[Document], Rejections] | str:
    """What the spans of a request are one by one."""
    try:
        results = list(decode())
    except Rejected as rejected:
        return repr(rejected)
    documents = [result for result in results if isinstance(result, Document)]
    return documents, [
        (place, repr(result))
        for place, result in enumerate(results)
        if isinstance(result, Rejected)
    ]


def together(decode: Callable[[], Spans]) -> tuple[Sequence[Document], Rejections] | str:
    """The same by column."""
    try:
        found = decode()
    except Rejected as rejected:
        return repr(rejected)
    return found.documents, [(place, repr(rejected)) for place, rejected in found.rejected]


def agree(body: bytes, *, sampled: bool = True, as_json: bool = False) -> int:
    """Documents and columns are the same as one by one, of spans that come for the first, the second and further times;
    the number of documents."""
    one, many = (
        (decode_otlp_json, decode_otlp_json_columns)
        if as_json
        else (decode_otlp, decode_otlp_columns)
    )
    expected = alone(lambda: one(body, 7, sampled=sampled))
    for few in (0, by_column.FEW) * 2:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(by_column, "FEW", few)
            found = together(lambda: many(body, 7, sampled=sampled))
        if isinstance(expected, str) or isinstance(found, str):
            assert found == expected
            continue
        assert found[1] == expected[1]
        assert list(found[0]) == expected[0]
        together_again = columns_of(found[0])
        if together_again.parts is not None:
            assert joined(together_again, together_again.parts) == [d.raw for d in expected[0]]
        if isinstance(found[0], ColumnarDocuments):
            start = 0
            for columns in found[0].columns:
                same_columns(columns, expected[0][start : start + len(columns)])
                start += len(columns)
    return 0 if isinstance(expected, str) else len(expected[0])


def same_columns(columns: DocumentColumns, documents: Sequence[Document]) -> None:
    """Columns are those of documents, field by field."""
    expected = columns_of(documents)
    for field in DocumentColumns.__struct_fields__:
        if field not in ("calls", "parts"):
            assert list(getattr(columns, field)) == list(getattr(expected, field)), field
    if columns.parts is not None:
        assert joined(columns, columns.parts) == [document.raw for document in documents]
    for field in CallColumns.__struct_fields__:
        assert list(getattr(columns.calls, field)) == list(getattr(expected.calls, field)), field


def joined(columns: DocumentColumns, parts: BodyParts) -> list[bytes]:
    """The documents that are in parts, as they are put together when they are read."""
    attributes, annotations = iter(parts.attributes.parts), iter(columns.annotations)
    bodies = []
    for (
        trace_id,
        id,
        parent,
        start,
        end,
        items,
        marked,
        scope,
        head,
        rest,
        count,
        tail,
        nanos,
    ) in zip(
        columns.trace_ids,
        columns.ids,
        columns.parent_ids,
        columns.starts,
        columns.ends,
        columns.annotation_counts,
        parts.marked,
        parts.scopes,
        parts.heads,
        parts.rests,
        parts.attribute_counts,
        parts.tails,
        parts.nanos,
        strict=True,
    ):
        fields = [field_of(next(annotations)) for _ in range(items)]
        packed = [next(attributes) for _ in range(count)]
        begin = b""
        if head:
            begin = b"\n\x10" + trace_id + b"\x12\x08" + id.to_bytes(8, "big")
            begin += b"\x22\x08" + parent.to_bytes(8, "big") if parent else b""
            begin += head[1:]
            begin += b"\x39" + (start * 1000 + nanos // 1000).to_bytes(8, "little")
            begin += b"\x41" + (end * 1000 + nanos % 1000).to_bytes(8, "little")
        if head[:1] == b"\x02":
            assert not packed
            begin += b"".join(fields)
        span = begin + rest + b"".join(each[len(each) - size(each) :] for each in packed) + tail
        bodies.append(join_span(marked, scope, span) if marked else span)
    assert next(attributes, None) is None
    return bodies


def size(packed: bytes) -> int:
    """The number that a text in `PackedTexts` begins with."""
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(_length(packed)))


def _length(packed: bytes) -> bytes:
    end = next(place for place, byte in enumerate(packed) if byte < 0x80)
    return packed[: end + 1]


KEYS = (
    # what the rules read
    "http.request.method", "http.method", "url.full", "http.url", "url.path", "url.query",
    "http.target", "url.scheme", "server.address", "server.port", "http.host", "net.peer.name",
    "network.peer.address", "http.response.status_code", "http.status_code", "client.address",
    "http.client_ip", "user_agent.original", "enduser.id", "user.id", "peer.service",
    "aws.remote.service", "aws.local.service", "aws.span.kind", "db.system.name", "db.system",
    "db.namespace", "db.connection_string", "messaging.system", "messaging.destination.name",
    "messaging.destination.temporary", "rpc.system", "rpc.service", "rpc.method",
    "rpc.grpc.status_code", "aws.dynamodb.table_names", "aws.table_name", "error.type",
    "gen_ai.system", "gen_ai.operation.name", "gen_ai.agent.name", "gen_ai.tool.name",
    "mcp.method.name", "service.peer.name", "faas.invoked_name", "faas.invoked_provider",
    "code.function", "net.sock.peer.addr", "aws.xray.inprogress", "aws.xray.traced", "aws.xray.fault",
    "aws.xray.annotations", "aws.xray.document", "aws.xray.call", "aws.trace.flag.sampled",
    # and what they do not
    "thread.id", "shop.tier", "a=b", "p%q", "ключ", "",
)  # fmt: skip
TEXTS = (
    "", "GET", "postgresql", "redis", "kafka", "aws_sqs", "aws-api", "DynamoDB", "S3", "/", "/a/b",
    "?q=1", "q=1", "http://h.example:81/x?y", "//", "10.0.0.1", "::1", "h.example", "https",
    "LOCAL_ROOT", "шар 🎈", 'q"uo\\te', "line\nbreak\x01", "y" * 1000, "y" * 1001, "200", "503",
    "127.0.0.1", "localhost", "http://localhost:81/", "aws", "gcp", "invoke_agent", "orders|public",
    "429", "404", "NotFoundError",
    "RESOURCE_EXHAUSTED", "UnknownRemoteService", "url.path", "client.address", "{}",
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from([0, 1, -1, 80, 200, 404, 429, 503, 1000, 2**63 - 1, True, False, 1.5, 3.0]),
    st.sampled_from([float("nan"), float("inf"), b"\xff", None, [], ["a", "b"], {"k": 1}, [[1]]]),
)
EXCEPTIONS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "exception.type": st.sampled_from(
            ["KeyError", "botocore.exceptions.ClientError", "openai.RateLimitError", ""]
        ),
        "exception.message": st.sampled_from(
            [
                "boom",
                "Error code: 429 - {}",
                "Error code: 404",
                "An error occurred (ThrottlingException) when calling the X operation",
                "Rate exceeded (Service: DynamoDb, Status Code: 400, Request ID: 1)",
            ]
        ),
    },
)
EVENTS = st.lists(
    st.builds(
        lambda name, attributes: Span.Event(name=name, attributes=pairs(attributes)),
        st.sampled_from(["exception", "message"]),
        EXCEPTIONS,
    ),
    max_size=2,
)
CHANGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["GET /x", "work", "", "POST", "шаг", "documentLoad", "n" * 300]),
        "trace_id": st.sampled_from([TRACE[:-1] + b"\x02", b"", bytes(16), b"short"]),
        "span_id": st.sampled_from([b"", bytes(8), b"short", PARENT]),
        "parent_span_id": st.sampled_from([b"", bytes(8), b"short", b"\0" * 7 + b"\xb1"]),
        "flags": st.sampled_from([0, 1, 0x100, 0x300, 0x301]),
        "start_time_unix_nano": st.sampled_from([0, START, 2**63, 2**64 - 1]),
        "end_time_unix_nano": st.sampled_from([0, 1, START, START + 1_999, 2**64 - 1]),
        "trace_state": st.sampled_from(
            ["ot=th:8", "ot=p:3", "ot=p:2;r:1", "ot=th:fd70a4;rv:ffffffffffffff", "x=y", "ot=th:c"]
        ),
        "status": st.builds(
            Status,
            code=st.sampled_from([0, 1, 2]),
            message=st.sampled_from(["", "bad", "Error code: 429", "m" * 300]),
        ),
        "events": EVENTS,
        "links": st.just([Span.Link(trace_id=TRACE[:-1] + b"\x03", span_id=PARENT)]),
        "dropped_attributes_count": st.just(3),
    },
)
KINDS = st.sampled_from([SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL, 0, 9])
SPANS = st.builds(
    lambda kind, attributes, change: span(kind, attributes, **change),
    KINDS,
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=7),
    CHANGES,
)
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "service.name": st.sampled_from(["shop", "pay"]),
        "service.namespace": st.sampled_from(["", "eu"]),
        "telemetry.sdk.language": st.sampled_from(["webjs", "java"]),
        "host.id": st.sampled_from(["i-1", "i-2"]),
        "cloud.resource_id": st.just("arn:aws:lambda:eu-west-1:123456789012:function:f"),
        "service.version": st.sampled_from(["1.3", "1.4", 5]),
        "deployment.environment.name": st.sampled_from(["prod", "dev"]),
        "cloud.availability_zone": st.just("eu-west-1a"),
        "cloud.platform": st.sampled_from(["aws_ec2", "aws_ecs", "gcp_x"]),
        "cloud.account.id": st.sampled_from(["111122223333", "4"]),
    },
)


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    """Some spans under some resources and scopes; often several of one case."""
    message = ExportTraceServiceRequest()
    pool = draw(st.lists(SPANS, min_size=1, max_size=3))
    for resource in draw(st.lists(RESOURCES, min_size=1, max_size=2)):
        part = message.resource_spans.add(schema_url=draw(st.sampled_from(["", "u"])))
        part.resource.attributes.extend(pairs(resource))
        for _ in range(draw(st.integers(1, 2))):
            scope = part.scope_spans.add(schema_url=draw(st.sampled_from(["", "v"])))
            scope.scope.name = draw(st.sampled_from(["", "tests"]))
            for chosen in draw(st.lists(st.sampled_from(pool), max_size=5)):
                added = scope.spans.add()
                added.CopyFrom(chosen)
                _change(draw, added)
    return message


def _change(draw: st.DrawFn, added: Span) -> None:
    """Another span of the same or of a neighbouring case; rarely with a key that occurs twice."""
    twice = draw(st.integers(0, 9)) == 0
    for key, value in draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=2)).items():
        same = [pair for pair in added.attributes if pair.key == key]
        if same and not twice:
            same[0].value.CopyFrom(pairs({key: value})[0].value)
        else:
            added.attributes.extend(pairs({key: value}))


MUTATIONS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["set", "flip", "delete", "insert", "repeat", "cut"]),
        st.integers(0, 255),
    ),
    max_size=4,
)


def mutated(body: bytes, mutations: Sequence[tuple[float, str, int]]) -> bytes:
    """The bytes with some of them changed."""
    changed = bytearray(body)
    for share, what, value in mutations:
        at = int(share * len(changed))
        if what == "set" and changed:
            changed[at] = value
        elif what == "flip" and changed:
            changed[at] ^= 1 << value % 8
        elif what == "delete":
            del changed[at : at + 1 + value % 9]
        elif what == "insert":
            changed[at:at] = bytes([value])
        elif what == "repeat":
            changed[at:at] = changed[at : at + value]
        elif what == "cut":
            del changed[at:]
    return bytes(changed)


@pytest.mark.slow
@given(requests(), MUTATIONS, st.booleans())
def test_protobuf(
    request: ExportTraceServiceRequest, mutations: list[tuple[float, str, int]], sampled: bool
) -> None:
    """Whatever bytes come: the same documents, and the same rejections for the same reasons."""
    body = request.SerializeToString()
    agree(body, sampled=sampled)
    if mutations:
        agree(mutated(body, mutations))


@pytest.mark.slow
@given(requests(), MUTATIONS)
def test_json(request: ExportTraceServiceRequest, mutations: list[tuple[float, str, int]]) -> None:
    data = TracesData(resource_spans=request.resource_spans)
    body = json.dumps(to_json(data)).encode()
    agree(body, as_json=True)
    if mutations:
        agree(mutated(body, mutations), as_json=True)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A memory of its own, before and after."""
    monkeypatch.setattr(by_column, "memory", Memory())
    yield
    by_column.forget()


def decoded_alone(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """The spans that are decoded one by one from now on."""
    seen: set[bytes] = set()

    def decode(raw: bytes, *rest: Any) -> Document | Rejected:
        seen.add(raw)
        return decode_span(raw, *rest)

    monkeypatch.setattr("collector.decode.otlp.walk.decode_span", decode)
    return seen


@pytest.mark.usefixtures("forgetful")
def test_usual_spans_are_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a shop's spans none is decoded by itself once its like came twice, and few are judged."""
    shop = Shop(30, 40)
    for _ in range(2):
        assert sum(map(agree, shop.bodies)) == 300
        assert agree(checkout_export()) == 7
    seen = decoded_alone(monkeypatch)
    assert sum(map(agree, shop.bodies)) == 300
    assert not seen
    cases = [case for pattern in by_column.memory.patterns.values() for case in pattern.cases]
    assert 10 < len(cases) < 50
    assert agree(checkout_export()) == 7
    assert len(seen) == 1  # the one whose annotations are named


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("ends", [(1_000, 999), (999, 1_000), (0, 1), (1, 0)])
def test_an_end_of_less_than_a_microsecond_is_none(ends: tuple[int, int]) -> None:
    """The same span with another end is in progress, or is not, whichever comes first."""
    for end in ends:
        span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="work", start_time_unix_nano=2**63)
        span.end_time_unix_nano = end
        assert agree(export(span)) == 1


@pytest.mark.usefixtures("forgetful")
def test_the_load_of_a_page_has_no_parent() -> None:
    """Whichever of the spans of a page and of a server comes first."""
    named = [span(INTERNAL, name=name) for name in ("documentLoad", "documentFetch")]
    for language in ("java", "webjs", "java", "webjs"):
        for spans in (named, named[::-1]):
            body = export(
                *spans, resource={"service.name": "page", "telemetry.sdk.language": language}
            )
            assert agree(body) == 2
            parents = {
                each.operation: each.parent_id for each in decode_otlp_columns(body, 1).documents
            }
            assert bool(parents["documentLoad"]) is (language == "java")
            assert parents["documentFetch"]


@pytest.mark.usefixtures("forgetful")
def test_what_a_rule_begins_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list has to name the attributes that rules read: spans that differ in one are cases of
    their own as soon as a rule reads it."""

    def by_tier(attributes: Any) -> int:
        return {"gold": 500, "silver": 429}.get(attributes.get("shop.tier"), 200)

    tiers = ("gold", "silver", "gold", "basic", "silver")
    body = export(*[span(SERVER, {"shop.tier": t, "n": n}, id=n + 1) for n, t in enumerate(tiers)])
    agree(body)
    monkeypatch.setattr("store.otel.span_facts.http_status", by_tier)
    by_column.forget()
    agree(body)
    seen = decoded_alone(monkeypatch)
    agree(body)
    documents = decode_otlp_columns(body, 7).documents
    assert [document.http.status for document in documents] == [500, 429, 500, 200, 429]
    assert not seen


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    "rule",
    [
        lambda attributes: 200 + sum(value == "x" for value in attributes.values()),
        lambda attributes: 200 + len({**attributes}),
    ],
)
def test_a_rule_that_reads_all_attributes(
    monkeypatch: pytest.MonkeyPatch, rule: Callable[[Any], int]
) -> None:
    """What depends on everything is no case."""
    monkeypatch.setattr("store.otel.span_facts.http_status", rule)
    seen = decoded_alone(monkeypatch)
    for id, value in enumerate(("x", "y", "x"), 1):
        agree(export(span(SERVER, {"a": value, "b": "x"}, id=id)))
    assert len(seen) == 3


@pytest.mark.usefixtures("forgetful")
def test_a_rule_that_counts_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many there are is known of every case, whichever values they have."""
    monkeypatch.setattr(
        "store.otel.span_facts.http_status", lambda attributes: 200 + len(attributes)
    )
    bodies = [
        export(span(SERVER, dict.fromkeys(keys, f"x{id}"), id=id))
        for id, keys in enumerate(("a", "ab", "ab", ""), 1)
    ]
    for body in bodies:
        agree(body)
    seen = decoded_alone(monkeypatch)
    for body in bodies:
        agree(body)
    assert not seen


@pytest.mark.usefixtures("forgetful")
def test_a_rule_that_reads_another_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what depends on a field of the span that cases do not differ in."""

    def facts_of(message: Span, *rest: Any) -> span_facts.SpanFacts:
        found = original(message, *rest)
        return replace(found, status=message.dropped_attributes_count)

    original = span_facts.facts_of
    monkeypatch.setattr(span_facts, "facts_of", facts_of)
    monkeypatch.setattr("collector.decode.otlp.cases.facts_of", facts_of)
    seen = decoded_alone(monkeypatch)
    agree(export(*[span(id=n + 1, dropped_attributes_count=n % 2) for n in range(4)]))
    assert len(seen) == 4


@pytest.mark.usefixtures("forgetful")
def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many distinct cases and attributes come, few are remembered."""
    monkeypatch.setattr("collector.decode.otlp.memory.MAX_CASES", 40)
    monkeypatch.setattr("collector.decode.otlp.attribute_table.MAX_BYTES", 60_000)
    monkeypatch.setattr("collector.decode.otlp.memory.MAX_BYTES", 60_000)
    for number in range(60):
        few = [
            span(
                CLIENT,
                {"peer.service": f"p{number}-{n}", f"k{number}": "v" * n, "id": f"{number}-{n}"},
                id=n + 1,
            )
            for n in range(20)
        ]
        agree(export(*few, resource={"service.name": f"s{number}"}))
        memory = by_column.memory
        assert sum(len(pattern.cases) for pattern in memory.patterns.values()) <= 60
        assert len(memory.patterns) <= 61
        assert memory.attributes.size < 90_000


@pytest.mark.slow
@pytest.mark.usefixtures("forgetful")
def test_nothing_large_is_remembered() -> None:
    """However long keys, values, names and messages are, and however many attributes a span has."""
    many = {f"k{n}": n for n in range(2000)}
    long = "x" * 100_000
    tracemalloc.start()
    for number in range(40):
        odd = long + str(number)
        spans = [
            span(SERVER, {odd: 1}, id=1),
            span(CLIENT, {"peer.service": odd}, id=2),
            span(CLIENT, name=odd, id=3),
            span(CLIENT, failed=odd, id=4),
            span(CLIENT, exceptions=[{"exception.type": odd}], failed=True, id=5),
            span(SERVER, {**many, f"n{number}": 1}, id=6),
        ]
        assert len(decode_otlp_columns(export(*spans), 7).documents) == 6
        resource = {"cloud.account.id": odd, "service.name": odd}
        assert len(decode_otlp_columns(export(span(id=1), resource=resource), 7).documents) == 1
        by_column.memory.within_bounds()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 4 << 20
    agree(export(*spans))
    agree(export(span(id=1), resource=resource))


def judged_spans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the spans that are judged from now on."""
    found: list[int] = []

    def counting(message: Span, *rest: Any) -> cases.Judgement:
        found.append(int.from_bytes(message.span_id, "big"))
        return cases.judge(message, *rest)

    monkeypatch.setattr("collector.decode.otlp.memory.judge", counting)
    return found


@pytest.mark.usefixtures("forgetful")
def test_what_never_comes_again_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """But the second, which looks like the first until it is known what its case depends on."""
    judged = judged_spans(monkeypatch)
    distinct = [span(CLIENT, {"peer.service": f"p-{n}"}, id=n + 1_000) for n in range(200)]
    decode_otlp_columns(export(*distinct), 7)
    assert judged == [1_001]
    decode_otlp_columns(export(*distinct), 7)
    assert judged == [*range(1_001, 1_200)]
    decode_otlp_columns(export(*distinct), 7)
    seen = decoded_alone(monkeypatch)
    assert agree(export(*distinct)) == 200
    assert (len(judged), seen) == (200, set())


@pytest.mark.usefixtures("forgetful")
def test_many_services_of_one_pattern_are_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway's exports of 2,000 services, whose spans have the same attributes."""
    services = [
        export(*[span(SERVER, id=n + 1) for n in range(40)], resource={"service.name": f"s{s}"})
        for s in range(2_000)
    ]
    bodies = [b"".join(services[start : start + 100]) for start in range(0, 2_000, 100)]
    for _ in range(2):
        for body in bodies:
            decode_otlp_columns(body, 7)
    seen = decoded_alone(monkeypatch)
    for body in bodies:
        decode_otlp_columns(body, 7)
    assert not seen
    assert sum(len(pattern.cases) for pattern in by_column.memory.patterns.values()) == 2_000


@pytest.mark.usefixtures("forgetful")
def test_what_came_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.decode.otlp.memory.MAX_ONCE", 50)
    distinct = [span(CLIENT, {"peer.service": f"p-{n}"}, id=n + 1_000) for n in range(200)]
    for _ in range(3):
        decode_otlp_columns(export(*distinct), 7)
    assert len(by_column.memory._once) <= 50
    assert agree(export(*distinct)) == 200


@pytest.mark.usefixtures("forgetful")
def test_a_service_whose_spans_are_all_distinct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are its spans looked at any more, for a while."""
    walked: list[int] = []

    def counting(memory: Memory, raws: Sequence[bytes], *rest: Any) -> Walked:
        walked.append(len(raws))
        return walk(memory, raws, *rest)

    monkeypatch.setattr("collector.decode.otlp.columns.walk", counting)
    link = [Span.Link(trace_id=TRACE[:-1] + b"\x03", span_id=PARENT)]
    linked = export(*[span(CONSUMER, id=n + 1000, links=link) for n in range(300)])
    usual = export(*[span(SERVER, id=n + 1000) for n in range(300)], resource={"service.name": "b"})
    for body in (linked, linked, usual, usual):
        decode_otlp_columns(body, 7)
    assert walked == [300, 300, 300]
    assert agree(linked) == 300
    assert agree(export(*[span(CONSUMER, id=n + 1, links=link) for n in range(9)])) == 9
    for _ in range(14):
        decode_otlp_columns(linked, 7)
    assert walked.count(300) > 3


def test_what_cannot_be_placed() -> None:
    """Valid spans below a resource or a scope that is not readable are rejections."""
    spans = [span(id=n + 1) for n in range(3)]
    body = export(*spans, resource={"x": "spoilt"})
    assert agree(body) == 3
    assert agree(body.replace(b"spoilt", b"sp\xff\xfel!")) == 0
    assert agree(body.replace(b"tests", b"te\xffts")) == 0


def test_threads() -> None:
    """Several requests may be decoded at once, while tables grow and are replaced."""
    bodies = [body for number in range(6) for body in Shop(8, 20, distinct=number % 2 == 0).bodies]
    expected = [list(decode_otlp(body, 7)) for body in bodies]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda body: decode_otlp_columns(body, 7), bodies * 2))
    for columns, documents in zip(found, expected * 2, strict=True):
        assert list(columns.documents) == documents


def test_a_value_that_nests_too_deeply() -> None:
    """As deep as protobuf reads it within a span, and not a level deeper."""
    found = set()
    for depth in range(40, 60):
        value = b"\x0a\x01x"  # text; around it, arrays of one value
        for _ in range(depth):
            array = b"\x0a" + _sized(value)
            value = b"\x2a" + _sized(array)
        pair = b"\x0a\x04deep\x12" + _sized(value)
        raw = span(SERVER).SerializeToString() + b"\x4a" + _sized(pair)
        part = b"\x12" + _sized(b"\x12" + _sized(raw))
        found.add(agree(b"\x0a" + _sized(part)))
    assert found == {0, 1}


def _sized(message: bytes) -> bytes:
    """A message behind its length."""
    size = len(message)
    return (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + message


def test_a_long_span() -> None:
    long = span(SERVER, {"prompt": "x" * DEFAULT}, id=2)
    assert agree(export(span(id=1), long, span(id=3))) == 2
