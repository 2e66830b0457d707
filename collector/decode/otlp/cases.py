"""What many spans have in common, judged once by the rules of `store.otel`.

A *case* is everything the rules read of a span: kind, status, resource, which attributes there are,
and the values of some. Which values these are is observed while the rules judge the first span of a
case (`Watched`); no list of them has to agree with the rules. Values that are stored as they are
(URL, addresses, user) are not part of a case: judging the span once more with the keys in place of
these values shows which attribute becomes which fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.request import flatten_span, is_chosen
from store.model import Document, Http
from store.otel.attributes import Attributes, read_attributes
from store.otel.http_block import (
    AGENT_KEYS,
    CLIENT_KEYS,
    TARGET_KEYS,
    URL_KEYS,
    join_url,
    url_origin,
    url_target,
)
from store.otel.merge_patch import DOCUMENT
from store.otel.resource import Resource
from store.otel.span_facts import USER_KEYS, Shape, SpanFacts, facts_of, read_span_facts

OWN_FIELDS = ("arn", "instance_id", "availability_zone", "version", "environment")
"""Fields of a resource that are stored as they are, and so are not part of a case."""
_JUDGED_FIELDS = frozenset(
    {
        "end_time_unix_nano",
        "events",
        "flags",
        "kind",
        "links",
        "name",
        "parent_span_id",
        "span_id",
        "start_time_unix_nano",
        "status",
        "trace_id",
        "trace_state",
    }
)
"""Fields of a span that `collector.decode.otlp.walk` takes into account."""
SPAN_NAME = "\0name"
"""In place of an operation that is the span's name."""
_FREE = frozenset({*URL_KEYS, *TARGET_KEYS, *AGENT_KEYS, *USER_KEYS})


class Unobservable(Exception):
    """A rule reads a span in a way that says nothing about what the result depends on."""


class Watched:
    """Attributes that record which values are read. Which keys are there, and how many, is no value."""

    def __init__(self, attributes: Attributes, free: Iterable[str] = ()) -> None:
        self._attributes = attributes
        self._free = frozenset(free)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        if key in self._attributes and key not in self._free:
            self.read.add(key)
        return self._attributes.get(key, default)

    def __getitem__(self, key: str) -> Any:
        value = self._attributes[key]
        if key not in self._free:
            self.read.add(key)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._attributes

    def __len__(self) -> int:
        return len(self._attributes)

    def __getattr__(self, name: str) -> Any:
        raise Unobservable(f"attributes.{name}")

    def _all(self, *_: object) -> Any:
        raise Unobservable("all attributes")

    __iter__ = __eq__ = __or__ = _all


class _WatchedSpan:
    """A span that records which fields are read."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._span, name)


class Case:
    """The document of a case: what its spans have in common, and where the rest comes from.

    ``url``, ``client``, ``agent``, ``user`` are places among the attributes, None for a text that
    is always empty. With ``origin``, the URL is that and the target in the attributes ``targets``
    (`joined_url`).
    ``items`` are the places of annotations; ``follows``: whether all attributes follow from them.
    """

    __slots__ = (
        "agent",
        "chosen",
        "client",
        "document",
        "entry",
        "follows",
        "in_progress",
        "items",
        "origin",
        "targets",
        "url",
        "user",
    )

    def __init__(self, document: Document, facts: SpanFacts, chosen: bool) -> None:
        self.document = document
        self.chosen = chosen
        self.in_progress = facts.in_progress
        self.entry = facts.shape is Shape.ENTRY_CALL
        self.url: int | None = None
        self.client: int | None = None
        self.agent: int | None = None
        self.user: int | None = None
        self.origin: str | None = None
        self.targets: list[tuple[str, int]] = []
        self.items: Sequence[int] = ()
        self.follows = False

    def place(self, places: Mapping[str, int]) -> None:
        """Set where URL, address, agent and user come from, by the keys the document has for them."""
        http = self.document.http
        self.url = places[http.url] if http.url in URL_KEYS else None
        self.client = places[http.client_ip] if http.client_ip else None
        self.agent = places[http.user_agent] if http.user_agent else None
        self.user = places[self.document.user] if self.document.user else None
        self.targets = [(key, places[key]) for key in TARGET_KEYS if key in places]


class Judgement:
    """A case, None if its spans are to be decoded one by one, and what it depends on: the values of
    the attributes ``keys``, and perhaps the name."""

    __slots__ = ("case", "exception", "keys", "reads_name")

    def __init__(
        self,
        case: Case | None,
        keys: Iterable[str] = (),
        reads_name: bool = False,
        exception: str = "",
    ) -> None:
        self.case = case
        self.keys = frozenset(keys)
        self.reads_name = reads_name
        self.exception = exception


def joined_url(case: Case, *texts: str) -> str:
    """The URL of a span whose case has an origin, from the texts of ``case.targets``."""
    parts = {key: text for (key, _), text in zip(case.targets, texts, strict=True)}
    return join_url(case.origin or "", url_target(parts))


def judge(span: Span, resource: Resource, places: Mapping[str, int]) -> Judgement:
    """The case of a valid span without links whose attributes have these places."""
    attributes = read_attributes(span.attributes)
    server = read_span_facts(span, resource).shape is Shape.SEGMENT
    free = _FREE.union(CLIENT_KEYS) if server else _FREE
    marked = {
        key: key if key in free and value and isinstance(value, str) else value
        for key, value in attributes.items()
    }
    seen: Any = _WatchedSpan(span)
    judged: Any = Watched(attributes)
    stored: Any = Watched(marked, free)
    own = _marked_resource(resource)
    try:
        facts = facts_of(seen, own, judged, stored, {})
        if DOCUMENT in attributes and facts.http.url:
            raise Unobservable("the path of the URL")
        document = flatten_span(facts, own, b"", 0, SPAN_NAME)
        case = Case(document, facts, is_chosen(facts))
        case.origin = _origin(document.http, marked, judged, server)
    except Unobservable:
        return Judgement(None)
    if facts.parent_id != span.parent_span_id and any(span.parent_span_id):
        return Judgement(None, reads_name=True)  # columns have the parent that is named
    case.place(places)
    whole = len(document.calls) < 2 and seen.read <= _JUDGED_FIELDS
    read = judged.read | stored.read
    return Judgement(case if whole else None, read, "name" in seen.read, facts.exception)


def _marked_resource(resource: Resource) -> Resource:
    """The resource with the names of the fields that are stored as they are in place of them."""
    marks: dict[str, Any] = {field: field for field in OWN_FIELDS}
    return replace(resource, **marks, attributes=Watched({}))


def _origin(http: Http, marked: Attributes, judged: Attributes, server: bool) -> str | None:
    """The origin of a URL that is joined from attributes; None if the URL is an attribute or there
    is none. Raises Unobservable if whether there is one depends on the values of its parts."""
    if not http.url or http.url in URL_KEYS:
        return None
    origin = url_origin(judged, server=server)
    alone = not (http.method or http.status or http.user_agent)
    if alone or http.url != join_url(origin, url_target(marked)):
        raise Unobservable("url")
    return origin
