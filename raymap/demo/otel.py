"""Services that are instrumented with OpenTelemetry: their spans as an SDK records them, and their export."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from raymap.demo import aws, latency
from raymap.demo.deliveries import Deliveries
from raymap.demo.latency import Latency
from raymap.demo.trace import Span, Trace

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
Attributes = Mapping[str, Any]
HAS_REMOTE, IS_REMOTE = 0x100, 0x200
"""Flags of a span: whether they say where its parent is, and that it is in another process."""


@dataclass(frozen=True)
class Service:
    """A workload on Kubernetes."""

    name: str
    language: str
    version: str

    @property
    def resource(self) -> dict[str, Any]:
        return {
            "service.name": self.name,
            "service.version": self.version,
            "deployment.environment.name": "prod",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.language": self.language,
            "cloud.provider": "aws",
            "cloud.platform": "aws_eks",
            "cloud.account.id": aws.ACCOUNT,
            "cloud.region": aws.REGION,
            "k8s.namespace.name": "loyalty",
        }


@dataclass(slots=True)
class Work:
    """What a service does below a span, and the time on its clock. ``attributes``: those of that span."""

    trace: Trace
    service: Service
    now: float
    span_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def wait(self, takes: Latency) -> None:
        self.now += takes.draw(self.trace.random)

    @contextmanager
    def span(
        self, name: str, kind: int, attributes: Attributes, remote: bool = False
    ) -> Iterator[Work]:
        """Record what happens inside, success or exception; the exception goes on. ``remote``: its parent is
        in another process."""
        inner = Work(self.trace, self.service, self.now, self.trace.new_id(), dict(attributes))
        failure: Exception | None = None
        try:
            yield inner
        except Exception as error:
            failure = error
            raise
        finally:
            self.trace.export(_span(self, inner, name, kind, remote, failure), inner.now)
            self.now = inner.now

    def call(self, service: Service, serve: Callable[[Work], None]) -> None:
        """Have another service work below the span that this one is in; its failures are its own."""
        there = Work(self.trace, service, self.now, self.span_id)
        serve(there)
        self.now = there.now


def started(trace: Trace, service: Service) -> Work:
    """The begin of a trace."""
    return Work(trace, service, trace.start)


def serve(
    work: Work, method: str, route: str, answer: Callable[[Work], int], *, sidecar: bool = False
) -> None:
    """A request to a service; ``sidecar``: through a proxy, which reports it under the same name."""
    head = {
        "http.request.method": method,
        "url.path": route,
        "http.route": route,
        "url.scheme": "http",
    }
    if sidecar:
        proxied = {
            "component": "proxy",
            "http.method": method,
            "http.url": f"http://{work.service.name}{route}",
        }
        with work.span(f"{work.service.name}:8080/*", SERVER, proxied, remote=True) as proxy:
            proxy.wait(latency.SIDECAR)
            proxy.attributes["http.status_code"] = _answered(
                proxy, f"{method} {route}", head, answer
            )
            proxy.wait(latency.SIDECAR)
    else:
        _answered(work, f"{method} {route}", head, answer)


def _answered(work: Work, name: str, head: Attributes, answer: Callable[[Work], int]) -> int:
    status = 500
    try:
        with work.span(name, SERVER, head, remote=True) as request:
            request.wait(latency.CODE)
            request.attributes["http.response.status_code"] = status
            status = answer(request)
            request.attributes["http.response.status_code"] = status
    except Exception:  # the framework answers for it
        return status
    return status


def _span(
    outer: Work, inner: Work, name: str, kind: int, remote: bool, failure: Exception | None
) -> Span:
    body: dict[str, Any] = {
        "traceId": outer.trace.id[2:10] + outer.trace.id[11:],
        "spanId": inner.span_id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(round(outer.now * 1e9)),
        "endTimeUnixNano": str(round(inner.now * 1e9)),
        "attributes": _pairs(inner.attributes),
    }
    if outer.span_id:
        body["parentSpanId"] = outer.span_id
        body["flags"] = HAS_REMOTE | (IS_REMOTE if remote else 0)
    if failure is not None:
        body["status"] = {"code": 2, "message": str(failure)}
        body["events"] = [_exception(failure, inner.now)]
    elif inner.attributes.get("http.response.status_code", 0) >= 500:
        body["status"] = {"code": 2}
    return Span(outer.service.resource, body)


def _exception(failure: Exception, at: float) -> dict[str, Any]:
    reported = {
        "exception.type": type(failure).__name__,
        "exception.message": str(failure),
        "exception.stacktrace": "".join(traceback.format_exception(failure)),
    }
    return {
        "name": "exception",
        "timeUnixNano": str(round(at * 1e9)),
        "attributes": _pairs(reported),
    }


def _pairs(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}


def spans(address: str) -> Deliveries[Span]:
    """Spans that wait for an export."""
    token = os.environ.get("RAYMAP_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Deliveries(address, "/v1/traces", headers, export)


def export(exported: list[Span]) -> dict[str, Any]:
    """A request of OTLP over HTTP: the spans of each resource together, as its own exporter sends them."""
    by_name: dict[str, dict[str, Any]] = {}
    for span in exported:
        name = span.resource["service.name"]
        resource = {"attributes": _pairs(span.resource)}
        scope = {"scope": {"name": "raymap.demo"}, "spans": []}
        group = by_name.setdefault(name, {"resource": resource, "scopeSpans": [scope]})
        group["scopeSpans"][0]["spans"].append(span.body)
    return {"resourceSpans": list(by_name.values())}
