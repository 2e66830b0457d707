"""Names of tags and their values, for Grafana's completion: of the newest traces, and of the store's indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from api import names
from api.context import Context
from api.errors import ApiError
from raymap.contrib.jaeger.search import Bounds
from raymap.contrib.tempo.schemas import TagScope, TagValue
from raymap.contrib.tempo.search import Inspected, find
from raymap.contrib.tempo.traceql.ast import (
    INTRINSICS,
    Attribute,
    Pipeline,
    Scope,
    SpanFilter,
    SpanKind,
    Status,
)
from raymap.contrib.tempo.traceql.cursor import Cursor
from raymap.contrib.tempo.traceql.evaluate import SpanSet
from raymap.contrib.tempo.traceql.fields import parse_attribute
from raymap.contrib.tempo.traceql.parse import parse
from raymap.contrib.tempo.traceql.spans import SpanView, TraceView
from raymap.contrib.tempo.values import text_of, type_name
from store.filters.ast import Field
from store.model import TimeRange

SAMPLED = 100
"""The newest traces, of which names and values are listed."""
MOST_SPANS = 20_000
MOST_TAGS = 5000
EVERYTHING = Pipeline((SpanFilter(None),))
SCOPES = ("resource", "span", "event", "link", "instrumentation", "intrinsic")
_SERVICES = (
    Attribute(Scope.INTRINSIC, "rootServiceName"),
    Attribute(Scope.RESOURCE, "service.name"),
)
_NUMBERED = ("nestedSetLeft", "nestedSetRight", "nestedSetParent")
"""Intrinsic fields that Tempo leaves out of its lists."""


class TagQuery(NamedTuple):
    """Which tags: of traces in a window, those that a query finds."""

    window: TimeRange
    pipeline: Pipeline
    limit: int


def parse_pipeline(text: str) -> Pipeline:
    """The query by which tags are narrowed. One that is not finished, as while it is typed, narrows nothing."""
    try:
        return parse(text.strip() or "{}").pipeline
    except ApiError:
        return EVERYTHING


def tag_names(context: Context, query: TagQuery, wanted: str) -> list[TagScope]:
    """Names of tags by scope, or of one scope."""
    if wanted and wanted not in (*SCOPES, "none"):
        raise ApiError(f"invalid scope: expected one of {', '.join(SCOPES)}, got {wanted[:20]!r}")
    if wanted == "intrinsic":
        return [_intrinsics()]
    found: dict[str, set[str]] = {scope: set() for scope in SCOPES[:-1]}
    for span in _sample(context, query):
        for scope, keys in _keys(span):
            found[scope].update(keys)
    if query.pipeline == EVERYTHING:
        annotations = context.store.annotation_keys(query.window, limit=query.limit)
        found["span"].update({str(key) for key, _ in annotations} - found["resource"])
    scopes: list[TagScope] = [
        {"name": name, "tags": sorted(tags)[: query.limit]} for name, tags in found.items() if tags
    ]
    return [each for each in (*scopes, _intrinsics()) if wanted in ("", "none", each["name"])]


def tag_values(context: Context, tag: str, query: TagQuery) -> list[TagValue]:
    """Values of a tag: of the newest traces, and of services and annotations by index."""
    field = _field(tag)
    if field == Attribute(Scope.INTRINSIC, "status"):
        return _listed(Status)
    if field == Attribute(Scope.INTRINSIC, "kind"):
        return _listed(SpanKind)
    found = {
        _typed(value): None for span in _sample(context, query) for value in _values(span, field)
    }
    if query.pipeline == EVERYTHING:
        found.update((_typed(value), None) for value in _indexed(context, field, query))
    return [{"type": type, "value": value} for type, value in sorted(found)[: query.limit]]


def _field(tag: str) -> Attribute:
    """The field that a tag names: scoped, intrinsic, or as in searches without TraceQL a name alone. Grafana encodes it
    twice."""
    text = unquote(tag) if "%" in tag else tag
    for spelled in (text, f".{text}"):
        try:
            cursor = Cursor(spelled)
            field = parse_attribute(cursor)
        except ApiError:
            continue
        if cursor.next.kind == "end":
            return field
    raise ApiError(f"invalid tag: {tag[:60]!r} names no attribute")


def _sample(context: Context, query: TagQuery) -> Iterator[SpanView]:
    """The spans that a query finds in the newest traces."""

    def take(trace: TraceView, sets: Sequence[SpanSet]) -> list[SpanView]:
        return [span for each in sets for span in each.spans]

    bounds = Bounds(query.window, SAMPLED, MOST_SPANS)
    for spans in find(context, query.pipeline, bounds, take, Inspected()).traces:
        yield from spans


def _keys(span: SpanView) -> Iterator[tuple[str, Iterable[str]]]:
    yield "resource", span.resource
    yield "span", span.attributes
    for event in span.events:
        yield "event", _attributes(event)
    for link in span.links:
        yield "link", _attributes(link)
    yield "instrumentation", (pair.key for pair in span.scope.attributes)


def _attributes(values: Mapping[str, Any]) -> Iterable[str]:
    return (key for key in values if key not in INTRINSICS)


def _values(span: SpanView, field: Attribute) -> Iterable[Any]:
    value = span.value(field)
    if field.scope is Scope.INTRINSIC and INTRINSICS[field.name].name == "NUMBER":
        return ()
    return value if isinstance(value, list) else () if value is None else (value,)


def _indexed(context: Context, field: Attribute, query: TagQuery) -> Iterable[Any]:
    if field in _SERVICES or field == Attribute(Scope.ANY, "service.name"):
        return names.service_names(context, query.window.start)
    if field.scope in (Scope.ANY, Scope.SPAN):
        found = context.store.field_values(
            Field("annotation", field.name), query.window, prefix="", limit=query.limit
        )
        return [_whole(value) for value, _ in found]
    return ()


def _whole(value: Any) -> Any:
    """A whole number as one: annotations do not tell 3 from 3.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _typed(value: Any) -> tuple[str, str]:
    return type_name(value), text_of(value)


def _listed(values: Iterable[Any]) -> list[TagValue]:
    return [{"type": "keyword", "value": text_of(each)} for each in values]


def _intrinsics() -> TagScope:
    return {"name": "intrinsic", "tags": sorted({*INTRINSICS} - {*_NUMBERED})}
