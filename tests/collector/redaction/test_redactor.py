"""Whole payloads: in every format the secrets are gone, everything else is as it was."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.decode.zipkin.wire import messages
from collector.journal.format import Kind
from collector.payloads import decode_documents, decode_request
from collector.redaction.defaults import DEFAULTS
from collector.redaction.redactor import Redactor
from collector.redaction.rules import Action, Detect, Rule
from store.model import Document
from tests.collector.otlp_samples import export, pairs, span
from tests.collector.samples import segment_bytes, segment_json

SECRET = "hunter2-hunter2"
CARD = "4111111111111111"
ATTRIBUTES = {
    "http.request.header.authorization": f"Bearer {SECRET}",
    "url.full": f"https://shop/pay?token={SECRET}&page=2",
    "user.password": SECRET,
    "note": f"card {CARD}",
    "card": int(CARD),
    "tags": ["a", f"token={SECRET}"],
    "nested": {"cookie": SECRET, "fine": "yes"},
    "gen_ai.usage.input_tokens": 7,
    "fine": "yes",
}


def documents(*raws: bytes, rules: Sequence[Rule] = DEFAULTS) -> list[bytes]:
    return list(Redactor(rules).documents(raws)[0])


def is_clean(content: bytes) -> bool:
    return SECRET.encode() not in content and CARD.encode() not in content


def test_a_segment() -> None:
    raw = segment_bytes(
        user="ana",
        annotations={"password": SECRET, "fine": "yes", "card": int(CARD)},
        metadata={"default": {"request": {"headers": {"Cookie": SECRET, "Accept": "text/html"}}}},
        http={"request": {"url": f"https://shop/pay?token={SECRET}", "method": "GET"}},
        cause={"exceptions": [{"id": CARD, "message": f"declined {CARD}", "type": "Declined"}]},
        subsegments=[
            {
                "id": "00000000000000b1", "name": "db", "start_time": 1.0, "end_time": 2.0,
                "sql": {"connection_string": f"host=db;password={SECRET}", "sanitized_query": "SELECT 1"},
                "metadata": {"a": [{"api_key": SECRET}, [SECRET[:3]]]},
            }
        ],
    )  # fmt: skip
    redactor = Redactor()
    (redacted,), counts = redactor.documents([raw])
    found = json.loads(redacted)
    assert is_clean(redacted.replace(f'"id":"{CARD}"'.encode(), b""))
    assert found["annotations"] == {
        "password": "***password***",
        "fine": "yes",
        "card": "***card***",
    }
    headers = found["metadata"]["default"]["request"]["headers"]
    assert headers == {"Cookie": "***cookie***", "Accept": "text/html"}
    assert found["http"]["request"]["url"] == "https://shop/pay?token=***token***"
    assert found["cause"]["exceptions"][0] == {
        "id": CARD, "message": "declined ***card***", "type": "Declined",
    }  # fmt: skip
    inner = found["subsegments"][0]
    assert inner["sql"] == {
        "connection_string": "host=db;password=***password***", "sanitized_query": "SELECT 1",
    }  # fmt: skip
    assert inner["metadata"] == {"a": [{"api_key": "***token***"}, ["hun"]]}
    assert counts == {"password": 2, "cookie": 1, "token": 2, "card": 2}
    assert redactor.documents([redacted])[0] == [redacted], "redacting again changes nothing"
    assert len(decode_documents([redacted], 1).documents) == 1


def test_ids_and_times_stay() -> None:
    """An id may look like the number of a card."""
    raw = segment_bytes(CARD, parent_id="5555555555554444", annotations={"token": 1})
    (redacted,) = documents(raw)
    before, after = json.loads(raw), json.loads(redacted)
    assert after.pop("annotations") == {"token": "***token***"}
    before.pop("annotations")
    assert before == after


def test_nothing_matches() -> None:
    """The same objects, without a copy."""
    raws = [segment_bytes(annotations={"tokens": 1}), segment_bytes(CARD)]
    redactor = Redactor()
    assert redactor.documents(raws)[0] is raws or redactor.documents(raws)[0] == raws
    body = export(span(attributes={"gen_ai.usage.input_tokens": 1}))
    assert redactor.request(Kind.OTLP, body)[0] is body
    assert not redactor.may_match(body)


def test_an_array_and_its_bad_elements() -> None:
    good = segment_bytes(annotations={"password": SECRET})
    raw = b"[" + good + b', {"id": 1, "password": "x"}, ' + segment_bytes("00000000000000a2") + b"]"
    (redacted,) = documents(raw)
    decoded, before = decode_documents([redacted], 1), decode_documents([raw], 1)
    assert [document.id for document in decoded.documents] == [0xA1, 0xA2]
    assert [str(r) for _, r in decoded.rejected] == [str(r) for _, r in before.rejected]
    assert is_clean(redacted)


def test_deep_metadata() -> None:
    deep = '{"a": ' * 300 + f'{{"password": "{SECRET}"}}' + "}" * 300
    (redacted,) = documents(segment_bytes(metadata="MARK").replace(b'"MARK"', deep.encode()))
    assert is_clean(redacted)
    assert len(decode_documents([redacted], 1).documents) == 1


@pytest.mark.parametrize("text", ['"\\ud800"', "[" * 2000 + "]" * 2000, "01", '"\x01"'])
def test_what_cannot_be_searched_is_not_stored(text: str) -> None:
    raw = segment_bytes(metadata={"password": SECRET, "x": "MARK"}).replace(
        b'"MARK"', text.encode()
    )
    (redacted,) = documents(raw)
    assert not decode_documents([redacted], 1).documents
    assert str(decode_documents([redacted], 1).rejected) == str(decode_documents([raw], 1).rejected)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damaged_documents_are_clean_or_rejected(noise: bytes, at: int) -> None:
    raw = segment_bytes(annotations={"password": SECRET})
    damaged = raw[:at] + noise + raw[at:]
    (redacted,) = documents(damaged)
    for document in decode_documents([redacted], 1).documents:
        assert is_clean(document.raw) or b'"password"' not in damaged


def otlp() -> bytes:
    return export(
        span(
            attributes=ATTRIBUTES,
            failed=f"refused: ?token={SECRET}",
            exceptions=[{"exception.message": f"card {CARD}", "exception.type": "E"}],
        ),
        span(id=0xB2, attributes={"fine": "yes"}),
        resource={
            "service.name": "shop",
            "process.command_args": ["--password", f"--token={SECRET}"],
        },
    )


def of_json(body: bytes) -> dict[str, Any]:
    message = ExportTraceServiceRequest.FromString(body)
    found: dict[str, Any] = json_format.MessageToDict(message)
    return found


def attributes_of(decoded: Sequence[Document]) -> set[str]:
    return {item for document in decoded for item in document.annotations}


def test_otlp() -> None:
    body, counts = Redactor().request(Kind.OTLP, otlp())
    assert is_clean(body)
    decoded = decode_request(Kind.OTLP, body, 1)
    assert len(decoded.documents) == 2
    for document in decoded.documents:
        assert is_clean(document.raw)
    assert counts == {"authorization": 1, "token": 4, "password": 1, "card": 3, "cookie": 1}
    found = of_json(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    texts = {each["key"]: each["value"] for each in found[0]["attributes"]}
    assert texts["url.full"] == {"stringValue": "https://shop/pay?token=***token***&page=2"}
    assert texts["card"] == {"stringValue": "***card***"}
    assert texts["gen_ai.usage.input_tokens"] == {"intValue": "7"}
    assert found[1] == of_json(otlp())["resourceSpans"][0]["scopeSpans"][0]["spans"][1]
    assert Redactor().request(Kind.OTLP, body) == (body, {})


def test_otlp_json_is_redacted_as_protobuf_is() -> None:
    as_json = json_format.MessageToJson(ExportTraceServiceRequest.FromString(otlp()))
    found = json.loads(as_json)
    for each in found["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            each[key] = base64.b64decode(each[key]).hex()
    body, counts = Redactor().request(Kind.OTLP_JSON, json.dumps(found).encode())
    assert is_clean(body)
    plain, expected = Redactor().request(Kind.OTLP, otlp())
    assert counts == expected
    left = decode_request(Kind.OTLP_JSON, body, 1).documents
    right = decode_request(Kind.OTLP, plain, 1).documents
    assert attributes_of(left) == attributes_of(right)
    assert len(left) == 2
    assert all(is_clean(document.raw) for document in left)


def test_otlp_in_a_datagram() -> None:
    raw = b"T1S" + base64.b64encode(otlp())
    (redacted,) = documents(raw)
    assert is_clean(base64.b64decode(redacted[3:]))
    assert [d.id for d in decode_documents([redacted], 1).documents] == [
        d.id for d in decode_documents([raw], 1).documents
    ]
    assert documents(b"T1S!!", b"M1token=") == [b"T1S!!", b"M1token="]


@pytest.mark.parametrize("kind", [Kind.ZIPKIN_JSON, Kind.ZIPKIN_PROTOBUF])
def test_zipkin(kind: Kind) -> None:
    tags = {"http.url": f"/pay?token={SECRET}", "password": SECRET, "fine": "yes"}
    if kind is Kind.ZIPKIN_JSON:
        one = {
            "id": "0000000000000001", "traceId": "6b061440" + "0" * 23 + "1", "name": "pay",
            "timestamp": 1_795_560_000_000_000, "duration": 5, "kind": "SERVER", "tags": tags,
            "localEndpoint": {"serviceName": "shop"},
            "annotations": [{"timestamp": 1_795_560_000_000_001, "value": f"card {CARD}"}],
        }  # fmt: skip
        body = json.dumps([one, {"id": "x", "tags": {"password": SECRET}}]).encode()
    else:
        message = messages["Span"](
            id=b"\0" * 7 + b"\1", trace_id=bytes.fromhex("6b061440" + "0" * 23 + "1"), name="pay",
            timestamp=1_795_560_000_000_000, duration=5, kind=2,
        )  # fmt: skip
        for key, value in tags.items():
            message.tags.add(key=key, value=value)
        message.annotations.add(timestamp=1_795_560_000_000_001, value=f"card {CARD}")
        body = messages["ListOfSpans"](spans=[message.SerializeToString()]).SerializeToString()
    redacted, counts = Redactor().request(kind, body)
    assert is_clean(redacted)
    (document,) = decode_request(kind, redacted, 1).documents
    assert is_clean(document.raw)
    assert b"fine" in document.raw
    assert counts["token"] == 1
    assert counts["card"] == 1
    clean = body.replace(SECRET.encode(), b"***").replace(CARD.encode(), b"1")
    assert Redactor().request(kind, b"\xff" + body)[0] == b"\xff" + body, "rejected by its decoder"
    assert clean


@pytest.mark.parametrize("kind", [Kind.OTLP, Kind.OTLP_JSON])
def test_drop(kind: Kind) -> None:
    rules = (
        Rule("p", Action.DROP, keys=("password", "cookie")),
        Rule("s", Action.DROP, detect=Detect.SQL),
    )
    attributes = {
        "password": SECRET, "db.statement": "SELECT 1", "nested": {"cookie": "x", "fine": "yes"}, "fine": "yes",
    }  # fmt: skip
    body = export(span(attributes=attributes))
    if kind is Kind.OTLP_JSON:
        body = json.dumps(of_json(body)).encode()
    redacted, counts = Redactor(rules).request(kind, body)
    found = of_json(redacted) if kind is Kind.OTLP else json.loads(redacted)
    left = found["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert [each["key"] for each in left] == ["nested", "fine"]
    assert [each["key"] for each in left[0]["value"]["kvlistValue"]["values"]] == ["fine"]
    assert counts == {"p": 2, "s": 1}


def test_an_unreadable_span_costs_none_of_its_neighbours() -> None:
    body = otlp() + export(span(id=0xB3, attributes={"token": SECRET}))
    broken = body.replace(b"user.password", b"user.\xff\xffssword")
    redacted, _ = Redactor().request(Kind.OTLP, broken)
    before, after = decode_request(Kind.OTLP, broken, 1), decode_request(Kind.OTLP, redacted, 1)
    assert len(after.documents) == len(before.documents) == 2
    assert [str(r) for _, r in after.rejected] == [str(r) for _, r in before.rejected]
    assert all(is_clean(document.raw) for document in after.documents)


def test_scope_and_resource() -> None:
    message = ExportTraceServiceRequest.FromString(export(span()))
    part = message.resource_spans[0]
    part.resource.CopyFrom(Resource(attributes=pairs({"api_key": SECRET})))
    part.scope_spans[0].scope.CopyFrom(InstrumentationScope(attributes=pairs({"secret": SECRET})))
    redacted, counts = Redactor().request(Kind.OTLP, message.SerializeToString())
    assert is_clean(redacted)
    assert counts == {"token": 1, "password": 1}


def test_no_rules() -> None:
    raw = segment_bytes(annotations={"password": SECRET})
    assert documents(raw, rules=()) == [raw]


def test_a_pattern_sees_every_document() -> None:
    rule = Rule("street", pattern="Übergang \\d+")
    raw = json.dumps(segment_json(annotations={"where": "Übergang 7"})).encode()
    assert b"Uebergang" not in raw
    assert b"\\u00dc" in raw
    (redacted,) = documents(raw, rules=(rule,))
    assert json.loads(redacted)["annotations"] == {"where": "***street***"}
