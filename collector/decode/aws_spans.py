"""Log events of the group ``aws/spans`` → X-Ray documents and requests of spans as they are decoded from other senders.

What a record means is `store.otel.aws_spans`. A damaged record costs itself only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from collector.decode.item_size import ITEM
from collector.decode.limits import check_json_item
from collector.decode.rejected import Reason, Rejected
from store.otel.aws_span_blocks import Json
from store.otel.aws_spans import document_of, is_finished, span_of, xray_of

MAX_COST = 200_000
"""Objects and twice the values of the records in one request of spans; a larger one is alone. A request is refused as a
whole above `collector.decode.limits.MAX_OBJECTS`."""
_ERRORS = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, OverflowError, TypeError)
_MEMBERS = (
    "traceId", "spanId", "parentSpanId", "traceState", "flags", "name", "kind",
    "startTimeUnixNano", "endTimeUnixNano",
)  # fmt: skip
_CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}


class Relayed(NamedTuple):
    """What some records are: documents of X-Ray, and requests in OTLP's JSON."""

    documents: list[bytes]
    requests: list[bytes]

    def add(self, other: Relayed) -> None:
        """Take those of other records as well."""
        self.documents.extend(other.documents)
        self.requests.extend(other.requests)


class AwsSpans(NamedTuple):
    """What came of records: of spans that have ended, and of others."""

    finished: Relayed
    running: Relayed

    def add(self, other: AwsSpans) -> None:
        """Take those of another stream as well."""
        self.finished.add(other.finished)
        self.running.add(other.running)


def no_spans() -> AwsSpans:
    """Those of no record."""
    return AwsSpans(Relayed([], []), Relayed([], []))


class _Span(NamedTuple):
    """A span that was none of X-Ray's, with its resource as JSON, and what reading it costs."""

    resource: bytes
    content: Json
    cost: int


def read_spans(
    messages: Iterable[str], account: str, region: str
) -> tuple[AwsSpans, list[Rejected]]:
    """The spans of log events. ``account``: whose log it is; ``region``: where it is."""
    found, rejected = no_spans(), []
    spans: tuple[list[_Span], list[_Span]] = [], []
    for message in messages:
        try:
            record = _read(message)
            ended = is_finished(record)
            read = _converted(record, message, account, region)
        except Rejected as rejection:
            rejected.append(rejection.as_value())
            continue
        if isinstance(read, bytes):
            (found.finished if ended else found.running).documents.append(read)
        else:
            spans[0 if ended else 1].append(read)
    found.finished.requests.extend(_requests(spans[0]))
    found.running.requests.extend(_requests(spans[1]))
    return found, rejected


def _read(message: str) -> Json:
    try:
        raw = message.encode()
        check_json_item("the span", raw, ITEM.in_json)
        record = msgspec.json.decode(raw)
    except _ERRORS as error:
        raise _damaged(f"not JSON: {error!s:.100}") from error
    if not isinstance(record, dict):
        raise _damaged("expected a span, a JSON object")
    return record


def _converted(record: Json, message: str, account: str, region: str) -> bytes | _Span:
    try:
        xray = xray_of(record)
        if xray is not None:
            return msgspec.json.encode(document_of(record, xray, account, region))
        resource, span = span_of(record, account, region)
        cost = message.count("{") + message.count("[") + 2 * message.count(",")
        return _Span(msgspec.json.encode(_pairs(resource)), _otlp(span), cost)
    except _ERRORS as error:
        id = record.get("spanId")
        raise _damaged(f"{error!s:.100}", id if isinstance(id, str) else None) from error


def _otlp(span: Json) -> Json:
    """A span in OTLP's JSON. What else is wrong with it is found when it is decoded."""
    content = {key: span[key] for key in _MEMBERS if span.get(key) is not None}
    status = span.get("status")
    if isinstance(status, dict):
        code = status.get("code")
        known = _CODES.get(code, 0) if isinstance(code, str) else code
        content["status"] = {"code": known or 0, "message": status.get("message") or ""}
    content["attributes"] = _pairs(span["attributes"])
    content["events"] = [_with_pairs(event) for event in _list(span, "events")]
    content["links"] = [_with_pairs(link) for link in _list(span, "links")]
    return content


def _list(span: Json, name: str) -> list[Any]:
    given = span.get(name)
    if given is not None and not isinstance(given, list):
        raise ValueError(f"{name}: expected an array")
    return given or []


def _with_pairs(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    attributes = part.get("attributes")
    return part | {"attributes": _pairs(attributes) if isinstance(attributes, dict) else attributes}


def _pairs(attributes: Json) -> list[Json]:
    return [
        {"key": key, "value": _value(value)}
        for key, value in attributes.items()
        if value is not None
    ]


def _value(value: Any) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
        case dict():
            return {"kvlistValue": {"values": _pairs(value)}}
        case None:
            return {}
        case _:
            return {"stringValue": value}


def _requests(spans: Sequence[_Span]) -> Iterator[bytes]:
    """Requests of spans, those of one resource together."""
    left, groups = MAX_COST, dict[bytes, list[Json]]()
    for span in spans:
        if groups and span.cost > left:
            yield _request(groups)
            left, groups = MAX_COST, {}
        groups.setdefault(span.resource, []).append(span.content)
        left -= span.cost
    if groups:
        yield _request(groups)


def _request(groups: dict[bytes, list[Json]]) -> bytes:
    parts = [
        {"resource": {"attributes": msgspec.Raw(resource)}, "scopeSpans": [{"spans": contents}]}
        for resource, contents in groups.items()
    ]
    return msgspec.json.encode({"resourceSpans": parts})


def _damaged(message: str, id: str | None = None) -> Rejected:
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, f"a record of aws/spans: {message}", id)
