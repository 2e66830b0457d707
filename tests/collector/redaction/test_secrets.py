"""Each secret alone in a payload of each format: found by the search in bytes, and gone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode.zipkin.wire import messages
from collector.journal.format import Kind
from collector.payloads import decode_request
from collector.redaction.redactor import Redactor
from tests.collector.otlp_samples import export, span
from tests.collector.samples import segment_bytes

REDACTOR = Redactor()
PW = "hunter4-hunter4"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
IN_TEXTS = {
    "userinfo": (f"https://u:{PW}@h/p", PW),
    "user alone": ("https://hunter4hunter4@h/p", "hunter4hunter4"),
    "escaped slashes": (f"amqp://u:{PW}@h", PW),
    "dsn": (f"postgres://u:{PW}@h/db", PW),
    "jdbc": (f"jdbc:mysql://u:{PW}@h/db", PW),
    "oracle": (f"jdbc:oracle:thin:u/{PW}@h:1521/x", PW),
    "go dsn": (f"u:{PW}@tcp(h:3306)/db", PW),
    "pwd": (f"Server=h;Uid=u;Pwd={PW};", PW),
    **{
        name: (f"https://h/p?x=1&{name}={PW}", PW)
        for name in (
            *("sig", "Signature", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"),
            *("X-Goog-Signature", "AWSAccessKeyId", "code", "key", "session_id", "token"),
        )
    },
    "spoken": (f"login with password {PW} failed", PW),
    "colon": (f"invalid token: {PW}", PW),
    "basic": ("Authorization: Basic aHVudGVyNDpodW50ZXI0", "aHVudGVyNDpodW50ZXI0"),
    "basic alone": ("sent Basic aHVudGVyNDpodW50ZXI0", "aHVudGVyNDpodW50ZXI0"),
    "set-cookie": (f"Set-Cookie: sid={PW}; Path=/", PW),
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEhunter4\n-----END RSA PRIVATE KEY-----", "hunter4"),
    "aws": ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "github": ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
    "jwt": (f"got {JWT}", JWT),
    "member": (json.dumps({"db_pass": PW}), PW),
    "python": (str({"jwt": PW}), PW),
    "card": ("paid with 4111111111111111", "4111111111111111"),
    "groups": ("paid with 4111 1111 1111 1111", "1111 1111"),
}  # fmt: skip
UNDER_KEYS = [
    "pwd", "db.pass", "credential", "jwt", "cvv", "ssn", "iban", "passwords", "apiKeys", "passwordHash",
    "X-Auth", "http.request.header.x-session-id", "userPwd", "PASS",
]  # fmt: skip


def segment(key: str, value: str) -> bytes:
    return b"".join(REDACTOR.documents([segment_bytes(annotations={key: value})])[0])


def otlp(key: str, value: str) -> bytes:
    body = export(span(attributes={key: value}))
    return REDACTOR.request(Kind.OTLP, body)[0]


def exception(key: str, value: str) -> bytes:
    body = export(span(failed=value, exceptions=[{"exception.message": value, key: value}]))
    return REDACTOR.request(Kind.OTLP, body)[0]


def otlp_json(key: str, value: str) -> bytes:
    attribute = {"key": key, "value": {"stringValue": value}}
    scope = {"spans": [{"name": "n", "attributes": [attribute]}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [scope]}]}).encode()
    return REDACTOR.request(Kind.OTLP_JSON, body)[0]


def zipkin_json(key: str, value: str) -> bytes:
    body = json.dumps([{"id": "1", "traceId": "1", "tags": {key: value}}]).encode()
    return REDACTOR.request(Kind.ZIPKIN_JSON, body)[0]


def zipkin_protobuf(key: str, value: str) -> bytes:
    message = messages["Span"](id=b"\0" * 7 + b"\1", trace_id=b"\0" * 15 + b"\1")
    message.tags.add(key=key, value=value)
    body = messages["ListOfSpans"](spans=[message.SerializeToString()]).SerializeToString()
    return REDACTOR.request(Kind.ZIPKIN_PROTOBUF, body)[0]


FORMATS = [segment, otlp, otlp_json, zipkin_json, zipkin_protobuf]
Format = Callable[[str, str], bytes]


@pytest.mark.parametrize("write", [*FORMATS, exception])
@pytest.mark.parametrize("text", IN_TEXTS)
def test_in_texts(write: Format, text: str) -> None:
    value, secret = IN_TEXTS[text]
    left = write("note", value)
    assert secret.encode() not in left
    assert b"***" in left


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("key", UNDER_KEYS)
def test_under_keys(write: Format, key: str) -> None:
    left = write(key, PW)
    assert PW.encode() not in left
    assert b"***" in left


@pytest.mark.parametrize("write", FORMATS)
def test_queries_without_their_question_mark(write: Format) -> None:
    assert PW.encode() not in write("url.query", f"code={PW}")
    assert PW.encode() not in write("note", f"code={PW}&grant_type=authorization_code")


@pytest.mark.parametrize("text", IN_TEXTS)
def test_whatever_its_length_is_in_bytes(text: str) -> None:
    """What is before a text in protobuf is its length, which may look like a digit or a letter."""
    value, secret = IN_TEXTS[text]
    for length in range(130):
        assert secret.encode() not in otlp("note", value + " " + "x" * length)


@pytest.mark.parametrize(
    "text", ["https:\\/\\/u:hunter4@h", "/?x=1\\u0026key=hunter4", "/?key\\u003dhunter4"]
)
def test_characters_that_other_serializers_escape(text: str) -> None:
    """PHP escapes slashes, Go ampersands, Gson equal signs."""
    raw = segment_bytes(annotations={"note": "MARK"}).replace(b"MARK", text.encode())
    assert b"hunter4" not in REDACTOR.documents([raw])[0][0]


def test_texts_of_log_lines() -> None:
    for value, secret in IN_TEXTS.values():
        (line,), counts = REDACTOR.texts([value])
        assert secret not in line
        assert sum(counts.values()) == 1


NAME = "svc-4111111111111111"


def test_names_stay_in_every_format() -> None:
    """Also where another value is masked."""
    secret = {"password": PW}
    raw = segment_bytes(
        name=NAME,
        annotations=secret,
        subsegments=[{"id": "00000000000000b1", "name": NAME, "start_time": 1.0, "end_time": 2.0}],
        http={"request": {"url": f"http://{NAME}/4111111111111111"}},
        aws={"table_name": NAME},
    )  # fmt: skip
    found = json.loads(REDACTOR.documents([raw])[0][0])
    assert found["name"] == found["subsegments"][0]["name"] == found["aws"]["table_name"] == NAME
    assert found["http"]["request"]["url"] == f"http://{NAME}/***card***"
    attributes = {**secret, "peer.service": NAME, "server.address": NAME, "rpc.method": NAME}
    body = export(span(name=NAME, attributes=attributes), resource={"service.name": NAME})
    redacted, counts = REDACTOR.request(Kind.OTLP, body)
    assert counts == {"password": 1}
    assert redacted.count(NAME.encode()) == body.count(NAME.encode()) == 5
    (document,) = decode_request(Kind.OTLP, redacted, 1).documents
    assert document.node.name == NAME
    tags = {"id": "1", "traceId": "1", "name": NAME, "tags": secret}
    as_json = json.dumps([{**tags, "localEndpoint": {"serviceName": NAME}}]).encode()
    assert REDACTOR.request(Kind.ZIPKIN_JSON, as_json)[0].count(NAME.encode()) == 2


def test_numbers_in_bytes() -> None:
    """A whole number has no digits to be searched for in protobuf; its key is found."""
    body = export(span(attributes={"card.pan": 4111111111111111, "order": 4111111111111111}))
    redacted, counts = REDACTOR.request(Kind.OTLP, body)
    assert counts == {"card": 1}
    (part,) = ExportTraceServiceRequest.FromString(redacted).resource_spans
    values = {each.key: each.value for each in part.scope_spans[0].spans[0].attributes}
    assert values["card.pan"].string_value == "***card***"
    assert values["order"].int_value == 4111111111111111
