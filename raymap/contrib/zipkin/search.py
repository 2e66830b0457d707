"""Finds traces as Zipkin does: what is wanted may be of several spans of one service.

The store narrows which traces are read as for Jaeger (raymap.contrib.jaeger.search).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from api.context import Context
from raymap.contrib.jaeger.params import SpanQuery
from raymap.contrib.jaeger.search import NEWER_NAMES, Found, search
from raymap.contrib.jaeger.spans import MOST_SPANS, ReadTrace
from raymap.contrib.zipkin.schemas import ZipkinSpan
from raymap.contrib.zipkin.spans import zipkin_spans
from store.model import TimeRange


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
    return search(context, narrowed, partial(_matching, query))


def _matching(query: ZipkinQuery, read: ReadTrace) -> list[ZipkinSpan] | None:
    spans = spans_of(read)
    return spans if matches(spans, query) else None


def spans_of(read: ReadTrace) -> list[ZipkinSpan]:
    """The spans of a trace."""
    return zipkin_spans(read.exported, MOST_SPANS)


def matches(spans: Sequence[ZipkinSpan], query: ZipkinQuery) -> bool:
    """Whether spans of the service have everything that is wanted, each what it has (zipkin2.storage.QueryRequest.test)."""
    own = [
        s for s in spans if not query.service or s["localEndpoint"]["serviceName"] == query.service
    ]
    remote = {s["remoteEndpoint"]["serviceName"] for s in own if "remoteEndpoint" in s}
    return (
        bool(own)
        and (not query.remote or query.remote in remote)
        and (not query.span or any(s["name"] == query.span for s in own))
        and all(any(_has(s, key, value) for s in own) for key, value in query.terms.items())
        and (query.shortest is None or any(_lasts(s, query) for s in own))
    )


def _has(span: ZipkinSpan, key: str, value: str) -> bool:
    tags = span["tags"]
    found = {tags[each] for each in (key, NEWER_NAMES.get(key, key)) if each in tags}
    if value:
        return value in found
    return bool(found) or any(each["value"] == key for each in span["annotations"])


def _lasts(span: ZipkinSpan, query: ZipkinQuery) -> bool:
    length = span.get("duration", 0)
    return length >= (query.shortest or 0) and (query.longest is None or length <= query.longest)
