"""One limit for documents, spans, log records and metrics of every format, and it is a setting."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from collector.decode.document import decode_document, decode_documents
from collector.decode.item_size import DEFAULT, ITEM, LARGEST, SMALLEST
from collector.decode.lambda_records.otlp_logs import decode_json_logs, decode_logs
from collector.decode.limits import SMALL_ITEM
from collector.decode.metrics.otlp import decode_json_metrics, decode_metrics
from collector.decode.otlp.datagram import decode_payload
from collector.decode.rejected import Rejected
from collector.decode.zipkin.wire import messages
from collector.journal.format import Kind
from collector.payloads import decode_again, decode_request
from collector.payloads import decode_documents as decode_many
from collector.receivers.grpc_messages import STREAM_MESSAGE
from collector.redaction.redactor import Redactor
from store.varint import varint
from tests.collector.otlp_samples import SERVER, export, span
from tests.collector.samples import segment_bytes

SIZES = [SMALLEST, DEFAULT, 3 << 20, LARGEST]


@pytest.fixture(autouse=True)
def default() -> Iterator[None]:
    """The setting is the process's."""
    yield
    ITEM.set(DEFAULT)


def padded(make: Callable[[str], bytes], size: int) -> bytes:
    """An item of exactly so many bytes, most of them one text."""
    length = size
    while len(found := make("x" * length)) != size:
        length += size - len(found)
    return found


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def below_resource(item: bytes) -> bytes:
    """The export request of any signal in protobuf with one item."""
    return field(1, field(2, field(2, item)))


def in_json(*keys: str) -> Callable[[bytes], bytes]:
    resources, scopes, items = keys
    return lambda item: (
        b'{"%s": [{"%s": [{"%s": [%s]}]}]}'
        % (
            *(key.encode() for key in (resources, scopes, items)),
            item,
        )
    )


def rejections(found: Any) -> list[Rejected]:
    """Those of a request, whatever its decoder returns."""
    if hasattr(found, "rejected"):
        pairs = [one[1] if isinstance(one, tuple) else one for one in found.rejected]
        return [one for one in pairs if isinstance(one, Rejected)]
    return [one for one in found if isinstance(one, Rejected)]


class Format(NamedTuple):
    """How an item of a format is made, what it stands in, and how that is decoded."""

    make: Callable[[str], bytes]
    around: Callable[[bytes], bytes]
    decode: Callable[[bytes], Any]
    times: int = 1


def protobuf_span(text: str) -> bytes:
    return bytes(span(SERVER, {"prompt": text}).SerializeToString())


def json_span(text: str) -> bytes:
    ids = {"traceId": "6b061440" + "0" * 22 + "01", "spanId": "00000000000000b1"}
    times = {"startTimeUnixNano": "1795560000000000000", "endTimeUnixNano": "1795560000000000001"}
    attributes = [{"key": "prompt", "value": {"stringValue": text}}]
    return json.dumps({**ids, **times, "name": "a", "attributes": attributes}).encode()


def zipkin_json(text: str) -> bytes:
    ids = {"traceId": "6b061440" + "0" * 22 + "01", "id": "00000000000000b1"}
    times = {"timestamp": 1795560000000000, "duration": 1}
    return json.dumps({**ids, **times, "name": "a", "tags": {"prompt": text}}).encode()


def zipkin_protobuf(text: str) -> bytes:
    one = messages["Span"](
        trace_id=bytes.fromhex("6b061440" + "0" * 22 + "01"),
        id=bytes.fromhex("00000000000000b1"),
        timestamp=1795560000000000,
        duration=1,
    )
    one.tags.add(key="prompt", value=text)
    return bytes(one.SerializeToString())


def spaced(item: bytes) -> Callable[[str], bytes]:
    """An item in JSON that is large as such alone: in protobuf it is small."""
    return lambda text: item[:1] + b" " * len(text) + item[1:]


def as_request(kind: Kind) -> Callable[[bytes], Any]:
    return lambda body: decode_request(kind, body, 1)


def no_change(item: bytes) -> bytes:
    return item


def segment(text: str) -> bytes:
    return segment_bytes(metadata={"default": {"prompt": text}})


FORMATS = {
    "document": Format(segment, no_change, lambda raw: decode_many([raw], 1)),
    "array": Format(segment, lambda raw: b"[%s]" % raw, lambda raw: decode_documents(raw, 1)),
    "columns": Format(segment, no_change, lambda raw: decode_many([raw] + [segment("")] * 40, 1)),
    "spans": Format(protobuf_span, below_resource, as_request(Kind.OTLP)),
    "in base64": Format(
        protobuf_span, below_resource, lambda body: decode_payload(b"T1S" + b64encode(body), 1)
    ),
    "spans in JSON": Format(
        spaced(json_span("")),
        in_json("resourceSpans", "scopeSpans", "spans"),
        as_request(Kind.OTLP_JSON),
        2,
    ),
    "Zipkin": Format(
        spaced(zipkin_json("")), lambda item: b"[%s]" % item, as_request(Kind.ZIPKIN_JSON), 2
    ),
    "Zipkin in protobuf": Format(
        lambda text: (
            zipkin_protobuf("") + field(15, text.encode())
        ),  # as OTLP it is a little larger
        lambda item: field(1, item),
        as_request(Kind.ZIPKIN_PROTOBUF),
    ),
    "log records": Format(
        lambda text: field(5, field(1, text.encode())), below_resource, decode_logs
    ),
    "log records in JSON": Format(
        spaced(b'{"body": {"stringValue": "a"}}'),
        in_json("resourceLogs", "scopeLogs", "logRecords"),
        decode_json_logs,
        2,
    ),
    "metrics": Format(lambda text: field(2, text.encode()), below_resource, decode_metrics),
    "metrics in JSON": Format(
        spaced(b'{"name": "a"}'),
        in_json("resourceMetrics", "scopeMetrics", "metrics"),
        decode_json_metrics,
        2,
    ),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_what_is_larger_than_the_setting_is_rejected_with_it(format: Format, size: int) -> None:
    """To the byte; where it is refused, the limit in force is named, and how it is set."""
    ITEM.set(size)
    most = format.times * size
    fits = padded(format.make, most)
    assert len(fits) == most
    assert rejections(format.decode(format.around(fits))) == []
    (rejected,) = rejections(format.decode(format.around(padded(format.make, most + 1))))
    flag = "twice --max-document-size" if format.times == 2 else "--max-document-size"
    assert f"has {most + 1:,} bytes, at most {most:,} are taken ({flag})" in rejected.message


SECRETS: list[tuple[Kind, Callable[[str], bytes], Callable[[bytes], bytes]]] = [
    (Kind.OTLP, protobuf_span, below_resource),
    (Kind.OTLP_JSON, json_span, in_json("resourceSpans", "scopeSpans", "spans")),
    (Kind.ZIPKIN_JSON, zipkin_json, lambda item: b"[%s]" % item),
    (Kind.ZIPKIN_PROTOBUF, zipkin_protobuf, lambda item: field(1, item)),
    (Kind.DOCUMENTS, segment, no_change),
]


@pytest.mark.parametrize(("kind", "make", "around"), SECRETS, ids=[str(k) for k, *_ in SECRETS])
def test_what_is_larger_than_usual_is_redacted_as_well(
    kind: Kind, make: Callable[[str], bytes], around: Callable[[bytes], bytes]
) -> None:
    """Whatever is taken is searched for secrets."""
    ITEM.set(LARGEST)
    body = around(make("token=hunter2-hunter2 " + "x" * (3 << 20)))
    redactor = Redactor()
    if kind is Kind.DOCUMENTS:
        (redacted,), _ = redactor.documents([body])
    else:
        redacted, _ = redactor.request(kind, body)
    assert len(redacted) > 3 << 20
    assert (b"hunter2" in body, b"hunter2" in redacted) == (True, False)


def test_a_smaller_setting_does_not_lose_what_waits() -> None:
    """What was acknowledged and is too large now is missing in the result, which replays count."""
    raw = segment("x" * (2 << 20))
    ITEM.set(LARGEST)
    assert decode_document(raw, 1)
    (body,) = [export(span(SERVER, {"prompt": "x" * (2 << 20)}))]
    assert len(decode_again(Kind.OTLP, 1, body)) == 1
    ITEM.set(DEFAULT)
    assert len(decode_again(Kind.OTLP, 1, body)) == 0


def test_the_bounds_agree_with_what_they_depend_on() -> None:
    assert SMALL_ITEM < SMALLEST <= DEFAULT <= LARGEST <= STREAM_MESSAGE
