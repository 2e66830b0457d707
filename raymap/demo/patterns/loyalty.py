"""The loyalty programme: services on Kubernetes, instrumented with OpenTelemetry, in a mesh.

`loyalty` keeps points in PostgreSQL: its ORM and the driver below it are both instrumented. It tells Kafka what was
earned, and `loyalty-mailer` reads that. `assistant` asks a language model, and `loyalty` through both sidecars. A
job without a caller, `points-expiry`, works once in a while.
"""

from __future__ import annotations

from typing import Any

from raymap.demo import latency
from raymap.demo.failures import RateLimitError, SerializationFailure
from raymap.demo.http import visitor
from raymap.demo.otel import CLIENT, CONSUMER, INTERNAL, PRODUCER, Service, Work, serve, started
from raymap.demo.trace import Trace

LOYALTY = Service("loyalty", "python", "3.4.1")
ASSISTANT = Service("assistant", "python", "0.9.2")
MAILER = Service("loyalty-mailer", "go", "1.12.0")
EXPIRY = Service("points-expiry", "python", "3.4.1")
POSTGRES = {
    "db.system.name": "postgresql",
    "db.namespace": "loyalty",
    "server.address": "loyalty-db",
}
TOPIC = "points-earned"
KAFKA = {"messaging.system": "kafka", "messaging.destination.name": TOPIC}
MODEL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "server.address": "api.openai.com",
}


def earn_points(trace: Trace) -> None:
    """A visitor's purchase earns points, and a mail tells so."""
    request = started(trace, LOYALTY)
    serve(request, "POST", "/points", _earn, sidecar=True)


def ask_assistant(trace: Trace) -> None:
    """A visitor asks how many points there are."""
    serve(started(trace, ASSISTANT), "POST", "/ask", _ask)


def expire_points(trace: Trace) -> None:
    """A job, which no one calls: points of a year ago expire, in batches."""
    with started(trace, EXPIRY).span("expire points", INTERNAL, {}) as job:
        for _ in range(trace.random.randint(3, 8)):
            _query(job, "UPDATE", "UPDATE entries SET expired = true WHERE earned < %s")
            job.wait(latency.RESIZE)


def _earn(request: Work) -> int:
    if request.trace.chance(0.02):
        return 400
    request.attributes["enduser.id"] = visitor(request.trace.random).user
    _query(request, "INSERT", "INSERT INTO entries (member, points) VALUES (%s, %s)", fails=0.01)
    with request.span(
        f"{TOPIC} send", PRODUCER, {**KAFKA, "messaging.operation.type": "send"}
    ) as sent:
        sent.wait(latency.KAFKA_SEND)
    later = Work(request.trace, MAILER, sent.now, sent.span_id)
    later.wait(latency.KAFKA_LAG)
    received = {
        **KAFKA,
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "mailer",
    }
    with later.span(f"{TOPIC} process", CONSUMER, received, remote=True) as message:
        message.wait(latency.CODE)
        _http(message, "POST", "mail.example.com", "/v2/send", latency.MAIL_PROVIDER)
    return 202


def _ask(request: Work) -> int:
    with request.span("GET", CLIENT, _to("GET", "loyalty", "/points")) as called:
        proxied = {"component": "proxy", "http.method": "GET", "http.url": "http://loyalty/points"}
        with called.span("loyalty:8080/*", CLIENT, proxied) as proxy:
            proxy.wait(latency.NETWORK)
            proxy.call(LOYALTY, lambda there: serve(there, "GET", "/points", _read, sidecar=True))
            proxy.attributes["http.status_code"] = 200
        called.attributes["http.response.status_code"] = 200
    with request.span("chat gpt-5-mini", CLIENT, MODEL) as chat:
        status = 429 if request.trace.chance(0.05) else 200
        _http(chat, "POST", "api.openai.com", "/v1/chat/completions", latency.CHAT, status)
        if status == 429:
            chat.attributes["error.type"] = RateLimitError.__name__
            raise RateLimitError("Error code: 429")
        chat.attributes["gen_ai.usage.input_tokens"] = request.trace.random.randint(200, 2000)
        chat.attributes["gen_ai.usage.output_tokens"] = request.trace.random.randint(40, 400)
    return 200


def _read(request: Work) -> int:
    _query(request, "SELECT", "SELECT sum(points) FROM entries WHERE member = %s")
    return 200


def _query(work: Work, operation: str, text: str, fails: float = 0.0) -> None:
    """A statement as an ORM's instrumentation and the driver's report it, each in a span."""
    statement = {**POSTGRES, "db.operation.name": operation}
    with (
        work.span(f"{operation} loyalty", CLIENT, statement) as orm,
        orm.span(operation, CLIENT, {**statement, "db.query.text": text}) as driver,
    ):
        driver.wait(latency.SQL_QUERY)
        if work.trace.chance(fails):
            raise SerializationFailure("could not serialize access due to concurrent update")


def _http(work: Work, method: str, host: str, path: str, takes: Any, status: int = 200) -> None:
    with work.span(method, CLIENT, _to(method, host, path)) as called:
        called.wait(takes)
        called.attributes["http.response.status_code"] = status


def _to(method: str, host: str, path: str) -> dict[str, Any]:
    return {
        "http.request.method": method,
        "server.address": host,
        "url.full": f"https://{host}{path}",
    }
