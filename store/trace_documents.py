"""A trace's documents as BatchGetTraces returns them (docs/xray-format.md §4). Pure.

Streamed subsegments are embedded in their parents, AWS services get canonical names and resources,
and every unanswered call gets an inferred segment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from store.cases import stands_for_request
from store.model import Document, State, Trace, precedence
from store.otel.derived_ids import derived_id
from store.otel.stored_document import Json, parse_document, subsegments_of
from store.parents import ParentIndex
from store.rules.identity import called_service, inferred_origin, resource_names
from store.rules.service_names import displayed_service
from store.trace_id import format_trace_id

KEY_ORDER = (
    "id",
    "name",
    "start_time",
    "trace_id",
    "end_time",
    "parent_id",
    "inferred",
    "http",
    "aws",
    "annotations",
    "metadata",
    "service",
    "user",
    "origin",
    "resource_arn",
    "cause",
)
"""X-Ray's order of members (§4.2); others follow, subsegments come last."""

FLAGS = ("error", "throttle", "fault")
_OF_TIME = ("start_time", "end_time", "in_progress")
_OF_UNIT = (*_OF_TIME, "http", "cause", *FLAGS)
"""Members that the segment around a span which enters its service copies from it; from a call only its times."""
COPIED = ("start_time", "end_time", "in_progress", "http", "aws", "sql", *FLAGS)
"""Members that an inferred segment copies from its call. Where several documents contain the call, one of them
is shown, and the newest, which the map counts, decides whether it failed (`Trace.calls`)."""

ONLY_ALONE = ("type", "parent_id", "trace_id")
"""Members of an independent subsegment, repeated by some SDKs in embedded ones; dropped on
embedding."""

_PLACE = {key: at for at, key in enumerate(KEY_ORDER)} | {"subsegments": len(KEY_ORDER) + 1}


class _Spot(NamedTuple):
    """An embedded subsegment: the document it came in, and its precedence over an independent
    copy."""

    host: int
    content: Json
    precedence: int


def processed_documents(trace: Trace) -> list[Json]:
    """Segments by start, then subsegments without a segment, then inferred segments."""
    parents = ParentIndex(trace)
    documents = reported_documents(trace, parents)
    calls = unanswered_calls(documents, trace, parents)
    documents += [inferred_segment(call, trace) for call in calls]
    for document in documents:
        for part in (document, *subsegments_of(document)):
            _arrange(part)
    return documents


def reported_documents(trace: Trace, parents: ParentIndex) -> list[Json]:
    """The same without inferred segments."""
    shown = _folded(trace, parents)
    for document in shown:
        for subsegment in subsegments_of(document):
            _strip(subsegment)
            _name_call(subsegment)
        if document.get("type") == "subsegment":
            _name_call(document)
        _drop_finished(document)
    return shown


def _folded(trace: Trace, parents: ParentIndex) -> list[Json]:
    """Segments with every independent subsegment embedded, then subsegments without a segment.

    Of two subsegments with one id, embedded and independent, the one with the greater precedence is
    shown (§3.3). Subsegments that name each other as parents in a cycle stay on their own.
    """
    order = sorted(trace.documents.values(), key=lambda d: (d.independent, d.start, d.id))
    if order and not order[-1].independent:
        return [parse_document(document) for document in order]
    entering = entering_spans(trace, parents)
    around = {document.id: segment for segment, document in entering.items()}
    contents = {document.id: parse_document(document) for document in order}
    spots = _spots(order, contents)
    documents = {d.id: d for d in order if not _superseded(d, spots)}
    nodes = {f"{id:016x}": contents[id] for id in documents}
    holders = {f"{id:016x}": id for id in documents}
    for id, spot in spots.items():
        if spot.host in documents and id not in nodes:
            nodes[id], holders[id] = spot.content, spot.host
    inside = {id: d for id, d in documents.items() if d.independent and id not in around}
    homes = {id: _home(d, spots, holders) for id, d in inside.items()}
    alone = {id for id in homes if not _leads_to_segment(id, homes)}
    for number, document in inside.items():
        if number not in alone:
            _put_in_place(contents[number], document, spots, nodes, alone)
    entered = [
        _segment_around(contents[id], d, around[id]) for id, d in documents.items() if id in around
    ]
    shown = [contents[id] for id, d in documents.items() if not d.independent or id in alone]
    return shown + entered


def entering_spans(trace: Trace, parents: ParentIndex) -> dict[str, Document]:
    """The spans that enter their services by the id of the segment that each is shown in."""
    return {
        derived_id(trace.trace_id, document.id.to_bytes(8, "big")).hex(): document
        for document in trace.documents.values()
        if parents.enters(document)
    }


def _segment_around(content: Json, document: Document, id: str) -> Json:
    """The request that a span is which enters its service, with the span inside."""
    copied = _OF_TIME if stands_for_request(document) else _OF_UNIT
    segment = {key: content[key] for key in copied if key in content}
    segment |= {
        "id": id,
        "name": document.node.name,
        "trace_id": format_trace_id(document.trace_id),
        "parent_id": content["parent_id"],
        "subsegments": [content],
    }
    if document.node.type:
        segment["origin"] = document.node.type
    return segment


def _spots(order: Iterable[Document], contents: Mapping[int, Json]) -> dict[str, _Spot]:
    """Every embedded subsegment by id; the first of several with one id."""
    spots: dict[str, _Spot] = {}
    for document in order:
        for part in subsegments_of(contents[document.id]):
            id = part.get("id")
            if isinstance(id, str):
                state = State.IN_PROGRESS if part.get("in_progress") is True else State.OK
                version = precedence(state, document.version)
                spots.setdefault(id.lower(), _Spot(document.id, part, version))
    return spots


def _superseded(document: Document, spots: Mapping[str, _Spot]) -> bool:
    """Whether an embedded copy takes precedence over this independent subsegment."""
    spot = spots.get(f"{document.id:016x}")
    if spot is None or not document.independent or spot.host == document.id:
        return False
    return spot.precedence > precedence(document.state, document.version)


def _home(document: Document, spots: Mapping[str, _Spot], holders: Mapping[str, int]) -> int | None:
    """The document to embed an independent subsegment in: that of its other copy, or of its
    parent."""
    spot = spots.get(f"{document.id:016x}")
    if spot is not None and spot.host in holders.values() and spot.host != document.id:
        return spot.host
    return holders.get(f"{document.parent_id:016x}")


def _leads_to_segment(id: int, homes: Mapping[int, int | None]) -> bool:
    """Whether following the homes ends at a segment or a subsegment on its own, rather than in a
    cycle."""
    seen = {id}
    home = homes[id]
    if home is None:
        return False
    while home is not None and home in homes:
        if home in seen:
            return False
        seen.add(home)
        home = homes[home]
    return True


def _put_in_place(
    content: Json,
    document: Document,
    spots: Mapping[str, _Spot],
    nodes: dict[str, Json],
    alone: set[int],
) -> None:
    """Embed a document: replace its embedded copy, else append it to its parent's subsegments."""
    id = str(content["id"])
    spot = spots.get(id)
    if spot is not None and spot.host != document.id:
        for part in subsegments_of(spot.content):
            nodes.pop(str(part.get("id")).lower(), None)
        spot.content.clear()
        spot.content.update(content)
        nodes[id] = spot.content
        nodes |= {str(part.get("id")).lower(): part for part in subsegments_of(spot.content)}
        return
    parent = nodes.get(f"{document.parent_id:016x}")
    if parent is None:
        alone.add(document.id)
        return
    if not isinstance(parent.get("subsegments"), list):
        parent["subsegments"] = []
    parent["subsegments"].append(content)


def _strip(subsegment: Json) -> None:
    """Drop the members that only an independent subsegment needs."""
    for key in ONLY_ALONE:
        subsegment.pop(key, None)
    _drop_finished(subsegment)


def _drop_finished(content: Json) -> None:
    if content.get("in_progress") is False:
        del content["in_progress"]


def _name_call(subsegment: Json) -> None:
    """Make an SDK's prefix the name of the AWS service called; add the resources the call names."""
    if subsegment.get("namespace") != "aws" or not isinstance(subsegment.get("name"), str):
        return
    aws = subsegment.get("aws")
    block = aws if isinstance(aws, dict) else {}
    service = called_service(subsegment["name"])
    subsegment["name"] = displayed_service(subsegment["name"])
    names = resource_names(service, block)
    if names:
        block["resource_names"] = names


def unanswered_calls(shown: Iterable[Json], trace: Trace, parents: ParentIndex) -> Iterator[Json]:
    """Calls of reported documents that count and that no request answers, each id once."""
    answered = parents.answers_by_call
    counted_as = parents.once.counted_as
    seen = {
        f"{id:016x}"
        for id in (*parents.children, *answered, *counted_as)
        if id in answered or id in counted_as or id not in trace.calls
    }
    for document in shown:
        parts = [*subsegments_of(document)]
        for call in [document, *parts] if document.get("type") == "subsegment" else parts:
            id = call.get("id")
            if call.get("namespace") not in ("aws", "remote") or not isinstance(id, str):
                continue
            if id.lower() not in seen:
                seen.add(id.lower())
                yield call


def inferred_segment(call: Json, trace: Trace) -> Json:
    """The inferred segment of a call (§4.3)."""
    trace_id = trace.trace_id
    aws = call.get("aws")
    name = call.get("name")
    name = name if isinstance(name, str) and name else "unknown"
    segment = {key: call[key] for key in COPIED if key in call}
    segment |= {
        "id": inferred_id(trace_id, call["id"]),
        "name": name,
        "trace_id": format_trace_id(trace_id),
        "parent_id": call["id"],
        "inferred": True,
    }
    block = aws if isinstance(aws, dict) else {}
    has_sql, given = isinstance(call.get("sql"), dict), call.get("origin")
    given = given if isinstance(given, str) else ""
    origin = inferred_origin(call["namespace"], name, block, has_sql, given)
    if origin:
        segment["origin"] = origin
    if any(map(segment.get, FLAGS)) and _newest_state(call["id"], trace) is State.OK:
        for member in (*FLAGS, "http"):
            segment.pop(member, None)
    return segment


def _newest_state(id: str, trace: Trace) -> State | None:
    """How the call with an id ended, by its newest copy; None if it is not stored under that id."""
    try:
        number = int(id, 16)
    except ValueError:
        return None
    owned = trace.calls.get(number) if f"{number:016x}" == id.lower() else None
    return owned.call.state if owned else None


def inferred_id(trace_id: bytes, call_id: str) -> str:
    """The id of a call's inferred segment: deterministic, its top two bits zero as X-Ray's are."""
    digest = hashlib.blake2b(trace_id + call_id.lower().encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest, 'big') & 0x3FFF_FFFF_FFFF_FFFF:016x}"


def _arrange(content: Json) -> None:
    """Sort the members into X-Ray's order."""
    items = sorted(content.items(), key=lambda item: _PLACE.get(item[0], len(KEY_ORDER)))
    content.clear()
    content.update(items)
