"""A trace's documents and log lines → which lines to read, and under which segment each stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from store.log_lines import NO_TRACE, LogLine, StreamSpan, Wanted, order
from store.model import TimeRange
from store.otel.stored_document import Json, member
from store.rules import namespaces
from store.rules.invocations import FUNCTION, NAMESPACE, SAME_ATTEMPT, SERVICE
from store.times import MINUTE, SECOND

MARGIN = 5 * MINUTE
"""Around a trace in which its lines are looked for: an environment is initialized before it, and clocks
differ."""
SLACK = 2 * SECOND
"""After an invocation, in which its last lines are written."""
MOST_PLACES = 10_000


class Place(NamedTuple):
    """A segment or subsegment with what its lines have in common with it; empty text if unknown."""

    id: str
    parent: str
    service: str
    """The name of the segment that it is in."""
    start: int
    end: int
    is_document: bool = False
    """Whether it came as a document of its own."""
    is_function: bool = False
    request_id: str = ""
    log_stream: str = ""
    log_groups: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    full_name: str = ""
    """``service`` with its namespace, by which lines may name it, too (`store.rules.namespaces`)."""


class Placed(NamedTuple):
    """A line, and the id of the segment or subsegment that wrote it; empty if that is not known."""

    line: LogLine
    place: str


def places_in(documents: Iterable[Json]) -> list[Place]:
    """The segments and subsegments of processed documents, parents first, at most `MOST_PLACES`."""
    places: list[Place] = []
    for document in documents:
        for place in _places(document):
            if len(places) == MOST_PLACES:
                return places
            places.append(place)
    return places


def _places(document: Json) -> Iterator[Place]:
    service = str(document.get("name", ""))
    full_name = _full_name(service, document)
    stack = [(document, str(document.get("parent_id") or ""))]
    while stack:
        content, parent = stack.pop()
        id = str(content.get("id") or "")
        if id:
            yield _place(content, id, parent, service, full_name, content is document)
        inner = content.get("subsegments")
        children = (
            [each for each in inner if isinstance(each, dict)] if isinstance(inner, list) else []
        )
        stack += [(child, id) for child in reversed(children)]


def _full_name(service: str, document: Json) -> str:
    resource = member(member(document, "metadata"), "default")
    namespace = _first(resource.get("otel.resource.service.namespace"))
    return namespace and namespaces.full_name(namespace, service, str(document.get("origin") or ""))


def _place(
    content: Json, id: str, parent: str, service: str, full_name: str, is_document: bool
) -> Place:
    aws, own = member(content, "aws"), member(member(content, "metadata"), NAMESPACE)
    start = _instant(content.get("start_time"))
    origin = content.get("origin")
    is_lambda = origin in (FUNCTION, SERVICE)
    otel = member(member(content, "metadata"), "default")
    request = _first(aws.get("request_id"), otel.get("faas.invocation_id"))
    return Place(
        id,
        parent,
        service,
        start,
        max(start, _instant(content.get("end_time"))),
        is_document,
        origin == FUNCTION,
        request if is_lambda else "",
        _first(member(own, "platform_record").get("log_stream")),
        tuple(_log_groups(aws.get("cloudwatch_logs"))),
        _first(aws.get("account_id")),
        _first(aws.get("region")),
        full_name,
    )


def _first(*values: Any) -> str:
    return next((value for value in values if isinstance(value, str) and value), "")


def _log_groups(value: object) -> Iterator[str]:
    for entry in value if isinstance(value, list) else ():
        group = entry.get("log_group") if isinstance(entry, dict) else None
        if isinstance(group, str) and group:
            yield group


def _instant(value: object) -> int:
    return round(value * SECOND) if isinstance(value, int | float) else 0


def wanted_lines(trace_id: bytes, places: Sequence[Place]) -> Wanted:
    """What to read for a trace; at least one place."""
    first = min(place.start for place in places)
    last = max(place.end for place in places)
    requests = dict.fromkeys(place.request_id for place in places if place.request_id)
    spans = dict.fromkeys(
        StreamSpan(place.log_stream, place.start, place.end + SLACK)
        for place in places
        if place.is_function and place.log_stream
    )
    window = TimeRange(max(0, first - MARGIN), last + MARGIN)
    return Wanted(window, trace_id, tuple(requests), tuple(spans))


def place_lines(lines: Iterable[LogLine], places: Sequence[Place]) -> list[Placed]:
    """Each line with its place, one copy of each, by time."""
    writers = _Writers(places)
    placed: list[Placed] = []
    for line in lines:
        found = writers.of(line)
        if found is not None and found.request_id and not line.request_id:
            line = structs.replace(line, request_id=found.request_id)
        placed.append(Placed(line, found.id if found else ""))
    return _one_of_each(placed)


class _Writers:
    """The places of a trace by what their lines may name."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._by_id = {place.id: place for place in places}
        self._by_request: dict[str, Place] = {}
        self._by_stream: dict[str, list[Place]] = {}
        self._by_service: dict[str, list[Place]] = {}
        for place in sorted(places, key=lambda place: not place.is_function):
            if place.request_id:
                self._by_request.setdefault(place.request_id, place)
            if place.is_function and place.log_stream:
                self._by_stream.setdefault(place.log_stream, []).append(place)
            if place.is_document:
                for name in {place.service, place.full_name or place.service}:
                    self._by_service.setdefault(name, []).append(place)

    def of(self, line: LogLine) -> Place | None:
        """By span, by request, by log stream and time, by service and time."""
        named = self._by_id.get(f"{line.span_id:016x}") or self._by_request.get(line.request_id)
        if named is not None:
            return named
        for place in self._by_stream.get(line.log_stream, ()):
            if place.start <= line.time <= place.end + SLACK:
                return place
        if line.trace_id == NO_TRACE:
            return None
        around = (p for p in self._by_service.get(line.name, ()) if p.start <= line.time <= p.end)
        return min(around, key=lambda place: place.end - place.start, default=None)


def _one_of_each(placed: Iterable[Placed]) -> list[Placed]:
    """Sources that knew less of a line may have stored it as another: of those with one request and
    text, and of the platform's lines of one attempt, the one that says most."""
    found: dict[tuple[Any, ...], list[Placed]] = {}
    for each in sorted(placed, key=lambda each: order(each.line)):
        line = each.line
        same = found.setdefault(_key(line), [])
        last = same[-1].line if same else None
        if last is None or not _is_copy(line, last):
            same.append(each)
        elif line.known > last.known:
            same[-1] = each
    return sorted((each for same in found.values() for each in same), key=lambda e: order(e.line))


def _key(line: LogLine) -> tuple[Any, ...]:
    if line.record and line.request_id:
        return line.name, line.request_id, line.record
    return (
        line.name,
        line.request_id,
        line.log_stream * (not line.request_id),
        line.body,
        line.ordinal,
    )


def _is_copy(line: LogLine, earlier: LogLine) -> bool:
    apart = line.time - earlier.time
    return apart < SAME_ATTEMPT if line.record else apart < 1_000
