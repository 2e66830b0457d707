"""Six traces, A to F: a checkout that fails two services deep, a page, a nightly job whose mail another service sends, a segment
of X-Ray's, a request in progress, and a call whose parent was never sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from store.model import Document
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    MILLISECOND,
    PRODUCER,
    SERVER,
    START,
    export,
    span,
)
from tests.collector.samples import segment_bytes
from tests.raymap.contrib.jaeger.conftest import ARRIVED

LETTERS = "ABCDEF"
SECOND = 1000
OK = Status(code=Status.STATUS_CODE_OK)
WEB = {"service.name": "web", "service.version": "1.0", "deployment.environment.name": "prod"}
ORDERS = {**WEB, "service.name": "orders", "service.version": "2.1"}


def id_of(letter: str) -> bytes:
    """The id of a trace, which says when it begins."""
    return (begins(letter) // 10**9).to_bytes(4, "big") + bytes(11) + letter.encode()


def begins(letter: str) -> int:
    """When a trace begins, epoch nanoseconds: ten seconds after the one before it."""
    return START + LETTERS.index(letter) * 10_000 * MILLISECOND


def made(
    letter: str, kind: int, name: str, id: int, parent: int, times: tuple[int, int | None],
    attributes: dict[str, Any] | None = None, **more: Any,
) -> Span:  # fmt: skip
    """A span of a trace; ``times``: milliseconds after its begin, None in progress."""
    first, last = times
    return span(
        kind,
        attributes,
        id=id,
        parent=parent.to_bytes(8, "big") if parent else b"",
        trace_id=id_of(letter),
        name=name,
        start_time_unix_nano=begins(letter) + first * MILLISECOND,
        end_time_unix_nano=0 if last is None else begins(letter) + last * MILLISECOND,
        **more,
    )


def exports() -> Iterator[bytes]:
    """The spans of all traces but D."""
    exception = {"exception.type": "OutOfStock", "exception.message": "none left"}
    yield export(
        made("A", SERVER, "GET /checkout", 1, 0, (0, 500),
             {"http.request.method": "GET", "http.response.status_code": 502}, failed=True),
        made("A", CLIENT, "POST", 2, 1, (100, 300),
             {"http.request.method": "POST", "http.response.status_code": 500}, failed=True),
        made("A", INTERNAL, "render", 5, 1, (400, 410)),
        resource=WEB,
    )  # fmt: skip
    yield export(
        made("A", SERVER, "POST /orders", 3, 2, (110, 290),
             {"http.response.status_code": 500, "tier": "gold", "items": 3},
             failed="out of stock", exceptions=[exception]),
        made("A", CLIENT, "INSERT orders", 4, 3, (120, 140), {"db.system.name": "postgresql"}),
        resource=ORDERS,
    )  # fmt: skip
    yield export(
        made("B", SERVER, "GET /", 1, 0, (0, 50),
             {"http.request.method": "GET", "http.response.status_code": 200}),
        resource=WEB,
    )  # fmt: skip
    yield export(
        made("C", INTERNAL, "nightly", 1, 0, (0, 20 * SECOND)),
        made("C", PRODUCER, "send", 2, 1, (SECOND, SECOND + 1), {"messaging.system": "kafka"}),
        resource={"service.name": "jobs"},
    )
    yield export(
        made("C", CONSUMER, "process mail", 3, 2, (2 * SECOND, 5 * SECOND), {"batch": 12},
             status=OK, links=[Span.Link(trace_id=id_of("A"), span_id=bytes(7) + b"\1")]),
        resource={"service.name": "mailer"},
    )  # fmt: skip
    yield export(
        made("E", SERVER, "POST /orders", 1, 0, (0, None),
             {"retry": True, "tags": ["a", "b"], "items": 5}),
        resource={**ORDERS, "service.version": "2.2", "deployment.environment.name": "staging"},
    )  # fmt: skip
    yield export(
        made("F", CLIENT, "UPDATE orders", 9, 0x77, (0, 30), {"ratio": 0.25}, status=OK),
        resource=ORDERS,
    )


def legacy() -> Document:
    """Trace D: a segment of 100 ms that failed, with a call of S3 and local work."""
    start = begins("D") / 1e9
    call = {"id": "00000000000000d2", "name": "S3", "namespace": "aws", "start_time": start + 0.01,
            "end_time": start + 0.05, "http": {"response": {"status": 200}},
            "aws": {"operation": "GetObject", "bucket_name": "invoices"}}  # fmt: skip
    local = {"id": "00000000000000d3", "name": "parse", "start_time": start + 0.06,
             "end_time": start + 0.07}  # fmt: skip
    id = id_of("D").hex()
    body = segment_bytes(
        name="legacy",
        id="00000000000000d1",
        trace_id=f"1-{id[:8]}-{id[8:]}",
        start_time=start,
        end_time=start + 0.1,
        http={"request": {"method": "GET", "url": "http://x/a"}, "response": {"status": 502}},
        annotations={"tier": "silver", "items": 7},
        fault=True,
        subsegments=[call, local],
    )
    return decode_document(body, ARRIVED)


def documents() -> list[Document]:
    """All of it, decoded."""
    decoded = [each for body in exports() for each in decode_otlp(body, ARRIVED)]
    return [legacy(), *(each for each in decoded if isinstance(each, Document))]
