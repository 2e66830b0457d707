"""Apps in which an edge of the map is missing, and the same mended: what their SDKs send, printed as lines of JSON.

    python -m tests.api.v1.broken_apps APP

Each is a shop that calls a stock by HTTP, eight times. In a process of its own, since SDKs patch libraries for good: the
broken one first.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from aws_xray_sdk.core import patch_all, xray_recorder
from aws_xray_sdk.core.recorder import AWSXRayRecorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind
from werkzeug.serving import make_server

REQUESTS = 8
PAUSE = 0.4
"""Between two requests: so that few would fit into each other by chance."""
sent: list[tuple[str, bytes]] = []
_look_up = socket.getaddrinfo


def _here(host: Any, *more: Any, **named: Any) -> Any:
    return _look_up("127.0.0.1" if host in ("stock", "api.house.test") else host, *more, **named)


class _Emitter:
    """In place of the daemon."""

    def send_entity(self, entity: Any) -> None:
        sent.append(("xray", entity.serialize().encode()))

    def set_daemon_address(self, address: str) -> None: ...


class _Lost(_Emitter):
    """In place of a daemon that is not there."""

    def send_entity(self, entity: Any) -> None: ...


class _Exporter(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        sent.append(("otlp", encode_spans(spans).SerializeToString()))
        return SpanExportResult.SUCCESS


def _recorder(name: str, recorder: Any = None, emitter: Any = None) -> Any:
    recorder = recorder or AWSXRayRecorder()
    recorder.configure(
        service=name, sampling=False, emitter=emitter or _Emitter(), context_missing="IGNORE_ERROR"
    )
    return recorder


@contextmanager
def _served(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()


def _shop(url: str, requested: int = REQUESTS) -> None:
    """The shop's requests, in X-Ray's SDK."""
    for _ in range(requested):
        xray_recorder.begin_segment("shop")
        requests.get(url, timeout=10)
        xray_recorder.end_segment()
        time.sleep(PAUSE)


def _work() -> str:
    time.sleep(0.005)
    return "ok"


def no_exit_span(*, mended: bool) -> None:
    """The shop's client is not patched."""
    _recorder("shop", xray_recorder)
    if mended:
        patch_all()
    app = Flask("stock")
    XRayMiddleware(app, _recorder("stock"))
    app.add_url_rule("/", view_func=_work)
    with _served(app) as port:
        _shop(f"http://stock:{port}/", 2 * REQUESTS)


def header_not_passed(*, mended: bool) -> None:
    """The stock begins segments by itself, without the header; it is called at a host of another name."""
    _recorder("shop", xray_recorder)
    patch_all()
    app, recorder = Flask("stock"), _recorder("stock")
    if mended:
        XRayMiddleware(app, recorder)
        app.add_url_rule("/", view_func=_work)
    else:

        def begin() -> str:
            segment = recorder.begin_segment("stock")
            segment.put_http_meta("url", "http://api.house.test/")
            segment.put_http_meta("method", "GET")
            try:
                return _work()
            finally:
                recorder.end_segment()

        app.add_url_rule("/", view_func=begin)
    with _served(app) as port:
        _shop(f"http://api.house.test:{port}/")


def lost_segments(*, mended: bool) -> None:
    """The shop's daemon is not there."""
    _recorder("shop", xray_recorder, emitter=None if mended else _Lost())
    patch_all()
    app = Flask("stock")
    XRayMiddleware(app, _recorder("stock"))
    app.add_url_rule("/", view_func=_work)
    with _served(app) as port:
        _shop(f"http://stock:{port}/")


class _Service:
    """A process with OpenTelemetry's SDK."""

    def __init__(
        self, name: str, sampler: Sampler = ALWAYS_ON, resource: Mapping[str, str] | None = None
    ) -> None:
        self.provider = TracerProvider(
            sampler=sampler, resource=Resource.create({"service.name": name, **(resource or {})})
        )
        self.provider.add_span_processor(
            BatchSpanProcessor(_Exporter(), schedule_delay_millis=60_000)
        )
        self.tracer = self.provider.get_tracer("tests")


def _call(
    shop: _Service,
    answer: Callable[[dict[str, str]], None],
    host: str = "stock",
) -> None:
    request: dict[str, Any] = {"http.request.method": "GET", "url.path": "/"}
    call = {**request, "server.address": host, "http.response.status_code": 200}
    with (
        shop.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=request),
        shop.tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=call),
    ):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        thread = threading.Thread(target=answer, args=(headers,))
        thread.start()
        thread.join()


def _answers(stock: _Service, behind: float = 0.0) -> Callable[[dict[str, str]], None]:
    """A request of the stock, whose clock may be behind."""

    def answer(headers: dict[str, str]) -> None:
        now = time.time_ns()
        span = stock.tracer.start_span(
            "GET /",
            context=propagate.extract(headers),
            kind=SpanKind.SERVER,
            start_time=now - int(behind * 1e9),
            attributes={"http.request.method": "GET", "http.response.status_code": 200},
        )
        _work()
        span.end(time.time_ns() - int(behind * 1e9))

    return answer


def parent_missing(*, mended: bool) -> None:
    """The shop's process ends without sending what waits."""
    shop, stock = _Service("shop"), _Service("stock")
    for _ in range(REQUESTS):
        _call(shop, _answers(stock))
    stock.provider.shutdown()
    if mended:
        shop.provider.shutdown()


def not_sampled(*, mended: bool) -> None:
    """The stock decides by itself what to record."""
    sampler = TraceIdRatioBased(0.5)
    shop, stock = _Service("shop"), _Service("stock", ParentBased(sampler) if mended else sampler)
    for _ in range(4 * REQUESTS):
        _call(shop, _answers(stock))
    shop.provider.shutdown()
    stock.provider.shutdown()


def clock_skew(*, mended: bool) -> None:
    """The stock's clock is three seconds behind."""
    shop, stock = _Service("shop"), _Service("stock")
    for _ in range(REQUESTS):
        _call(shop, _answers(stock, 0.0 if mended else 3.0))
    shop.provider.shutdown()
    stock.provider.shutdown()


def platform_record_missing(*, mended: bool) -> None:
    """A function's span names the segment that Lambda writes; mended, that comes with the platform's records."""
    lambda_segment = 0x1A3BDA
    shop = _Service(
        "stock",
        resource={
            "cloud.platform": "aws_lambda",
            "cloud.account.id": "111122223333",
            "cloud.region": "us-east-1",
            "faas.name": "stock",
        },
    )
    for number in range(REQUESTS):
        trace_id = int(f"{int(time.time()):08x}{number + 1:024x}", 16)
        parent = trace.SpanContext(trace_id, lambda_segment, True, trace.TraceFlags(1))
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
        span = shop.tracer.start_span(
            "stock", context=context, kind=SpanKind.SERVER, attributes={"faas.trigger": "http"}
        )
        now = time.time()
        _work()
        span.end()
        if mended:
            record = {
                "id": f"{lambda_segment:016x}",
                "trace_id": f"{trace_id:032x}",
                "name": "stock",
                "origin": "AWS::Lambda",
                "start_time": now - 0.001,
                "end_time": time.time() + 0.001,
                "resource_arn": "arn:aws:lambda:us-east-1:111122223333:function:stock",
            }
            sent.append(("xray", json.dumps(record).encode()))
    shop.provider.shutdown()


def still_running(*, mended: bool) -> None:
    """A request of the shop streams its calls and has not ended."""
    _recorder("shop", xray_recorder).configure(streaming_threshold=0)
    patch_all()
    app = Flask("stock")
    XRayMiddleware(app, _recorder("stock"))
    app.add_url_rule("/", view_func=_work)
    with _served(app) as port:
        xray_recorder.begin_segment("shop")
        for _ in range(REQUESTS):
            requests.get(f"http://stock:{port}/", timeout=10)
        if mended:
            xray_recorder.end_segment()


def other_account(*, mended: bool) -> None:
    """The stock is traced, and reports to another server: documents as the SDKs for Node.js and Java write them."""
    app, elsewhere = Flask("stock"), _recorder("stock", emitter=None if mended else _Lost())
    XRayMiddleware(app, elsewhere)
    app.add_url_rule("/", view_func=_work)
    recorder = _recorder("shop", xray_recorder, emitter=_Traced())
    patch_all()
    with _served(app) as port:
        _shop(f"http://stock:{port}/")
    del recorder


class _Traced(_Emitter):
    """Adds what the SDK for Python leaves out."""

    def send_entity(self, entity: Any) -> None:
        document = json.loads(entity.serialize())
        for call in document.get("subsegments", ()):
            call.get("http", {}).get("request", {})["traced"] = True
            call["traced"] = True
        sent.append(("xray", json.dumps(document).encode()))


APPS = {
    each.__name__: each
    for each in (
        no_exit_span,
        header_not_passed,
        parent_missing,
        lost_segments,
        not_sampled,
        clock_skew,
        other_account,
        platform_record_missing,
        still_running,
    )
}


if __name__ == "__main__":
    socket.getaddrinfo = _here
    for is_mended in (False, True):
        sent.clear()
        APPS[sys.argv[1]](mended=is_mended)
        for kind, body in sent:
            print(json.dumps([is_mended, kind, base64.b64encode(body).decode()]))
