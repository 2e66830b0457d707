"""Zipkin's tags and endpoints in OpenTelemetry's words, as far as instrumentations agree on them."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.zipkin.wire import ZipkinSpan

_SAME = {
    "grpc.status_code": "rpc.grpc.status_code",
    "http.path": "url.path",
    "sql.query": "db.query.text",
}
"""Tags with another name in OpenTelemetry; both are stored."""

_DESTINATIONS = {
    "jms.queue": "jms",
    "jms.topic": "jms",
    "kafka.topic": "kafka",
    "rabbit.exchange": "rabbitmq",
    "rabbit.queue": "rabbitmq",
}
"""Tags that name a queue or topic → the messaging system."""

_DATABASES = {
    "cassandra.query": "cassandra",
    "mongodb.command": "mongodb",
    "redis.command": "redis",
}
"""Tags that only one database's clients write."""

_CALLS = frozenset({Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER})


def attributes_of(span: ZipkinSpan, kind: int) -> dict[str, str]:
    """The tags, and what tags and endpoints mean."""
    found = dict(span.tags)
    for tag, name in _SAME.items():
        if tag in found:
            found.setdefault(name, found[tag])
    for tag, system in _DESTINATIONS.items():
        if tag in found:
            found.setdefault("messaging.system", system)
            found.setdefault("messaging.destination.name", found[tag])
    if kind == Span.SPAN_KIND_SERVER:
        if span.remote_service:
            found.setdefault("peer.service", span.remote_service)
        if span.remote_ip:
            found.setdefault("client.address", span.remote_ip)
    elif kind == Span.SPAN_KIND_CONSUMER:
        if span.remote_service:
            found.setdefault("peer.service", span.remote_service)
    elif kind in _CALLS:
        _add_callee(found, span)
    return found


def _add_callee(found: dict[str, str], span: ZipkinSpan) -> None:
    system = "other_sql" if "sql.query" in found else ""
    for tag, name in _DATABASES.items():
        system = name if tag in found else system
    if system and "db.system.name" not in found and "db.system" not in found:
        found["db.system.name"] = system
        if span.remote_service:  # Zipkin's own name for the node
            found.setdefault("db.namespace", span.remote_service)
            return
    if span.remote_service:
        found.setdefault("peer.service", span.remote_service)
    if span.remote_ip:
        found.setdefault("network.peer.address", span.remote_ip)
        if span.remote_port:
            found.setdefault("network.peer.port", str(span.remote_port))
