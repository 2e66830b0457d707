"""Finds traces as Zipkin does: what is wanted may be of several spans of one service.

The store narrows which traces are read as for Jaeger (raymap.contrib.jaeger.search).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from api.context import Context
from raymap.contrib.jaeger.params import SpanQuery
from raymap.contrib.jaeger.search import NEWER_NAMES, Found, search
from raymap.contrib.jaeger.spans import MOST_SPANS, ReadTrace, service_of
from raymap.contrib.zipkin.schemas import ZipkinSpan
from raymap.contrib.zipkin.spans import (
    annotation_of,
    answers,
    duration_of,
    remote_name,
    tags_among,
    zipkin_spans,
)
from store.filters.ast import EdgeMatch, Expression, MayHaveCalled, Or, Selector
from store.model import TimeRange
from store.otel.resource import read_resource


class ZipkinQuery(NamedTuple):
    """A search; an empty text is any. ``terms``: tags with their values, or, with '', tags and annotations that occur."""

    service: str
    remote: str
    span: str
    terms: Mapping[str, str]
    shortest: int | None
    longest: int | None
    window: TimeRange
    limit: int


def parse_terms(text: str) -> dict[str, str]:
    """The terms of an ``annotationQuery``: ``error and http.method=GET``."""
    found = {}
    for part in text.split(" and "):
        key, _, value = part.strip().partition("=")
        if key:
            found[key] = value
    return found


def find(context: Context, query: ZipkinQuery) -> Found[list[ZipkinSpan]]:
    """The newest traces that match, bounded as Jaeger's searches are; an annotation ``error`` of work that did not fail is
    not looked for."""
    tags = {key: value for key, value in query.terms.items() if value}
    if query.terms.get("error") == "":
        tags["error"] = "true"
    narrowed = SpanQuery(
        query.service, query.span, tags, query.shortest, None, query.window, query.limit
    )
    called = may_have_called(query.service, query.remote) if query.remote else None
    return search(context, narrowed, partial(_matching, query), besides=called)


def may_have_called(service: str, remote: str) -> Expression:
    """What the store can say of a call whose other side is called so: a caller said it, or this is who answered."""
    answered = EdgeMatch(Selector(name=service), Selector(name=remote))
    return Or((MayHaveCalled(service, remote), answered))


def _matching(query: ZipkinQuery, read: ReadTrace) -> list[ZipkinSpan] | None:
    return spans_of(read) if matches(read.exported, query) else None


def spans_of(read: ReadTrace) -> list[ZipkinSpan]:
    """The spans of a trace."""
    return zipkin_spans(read.exported, MOST_SPANS)


def matches(exported: TracesData, query: ZipkinQuery) -> bool:
    """Whether spans of the service have everything that is wanted, each what it has (zipkin2.storage.QueryRequest.test). Of
    a trace that does not match only what is wanted is made Zipkin's."""
    parts = [
        (part, part.resource.attributes)
        for part in exported.resource_spans
        if not query.service or service_of(part.resource) == query.service
    ]
    own = [
        (span, scope.scope, common)
        for part, common in parts
        for scope in part.scope_spans
        for span in scope.spans
    ]
    return (
        bool(own)
        and (not query.span or any(span.name == query.span for span, _, _ in own))
        and (query.shortest is None or any(_lasts(span, query) for span, _, _ in own))
        and (not query.remote or _calls(exported, [part for part, _ in parts], query.remote))
        and all(any(_has(*each, key, value) for each in own) for key, value in query.terms.items())
    )


def _calls(exported: TracesData, parts: Sequence[ResourceSpans], remote: str) -> bool:
    answered = answers(exported)
    return any(
        remote_name(span, resource, answered) == remote
        for part in parts
        for resource in [read_resource(part.resource.attributes)]
        for scope in part.scope_spans
        for span in scope.spans
    )


def _has(
    span: Span, scope: InstrumentationScope, common: Sequence[KeyValue], key: str, value: str
) -> bool:
    found = tags_among((key, NEWER_NAMES.get(key, key)), span, scope, common).values()
    if value:
        return value in found
    return bool(found) or any(annotation_of(event) == key for event in span.events)


def _lasts(span: Span, query: ZipkinQuery) -> bool:
    length = duration_of(span)
    return length >= (query.shortest or 0) and (query.longest is None or length <= query.longest)
