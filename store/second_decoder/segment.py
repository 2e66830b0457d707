"""An X-Ray document as stored → what it is on the map. From docs/xray-format.md §2-§5, without the first decoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b

from store.model import (
    NO_NODE,
    Call,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    State,
)
from store.rules.service_names import canonical_service
from store.second_decoder.callee import (
    Callee,
    call_name,
    callees,
    of_caller,
    place_of_queue,
    resource_name,
    resources,
)
from store.second_decoder.outcome import exception_name, outcome
from store.second_decoder.places import account_of, region_of
from store.second_decoder.reading import (
    Json,
    block,
    flag,
    number,
    objects,
    span_id,
    status,
    text,
)
from store.second_decoder.sources import event_source, unknown_sender
from store.trace_id import parse_trace_id

MOST_LINKS = 100
UNKNOWN_OUTCOME = "outcome unknown"
YEAR_10000 = 253_402_300_800
ORIGINS = {"AWS::APIGateway::Stage": "AWS::ApiGateway::Stage"}
"""Spellings that occur → X-Ray's."""


def decode_segment(raw: bytes, version: int) -> Document:
    """What a stored document is on the map."""
    content: Json = json.loads(raw)
    if not isinstance(content, dict):
        raise ValueError("expected a JSON object")
    independent = text(content, "type") == "subsegment"
    inner = list(_inside(content))
    calling = [each for each in ([content] if independent else []) + inner if is_call(each)]
    times, state = _times(content, content), _state(content, content)
    parent = span_id(content, "parent_id")
    node, service = _callee(content, independent=independent)
    arn = text(block(content, "aws"), "event_source_arn")
    source = NO_NODE if independent else event_source(arn)
    return Document(
        trace_id=parse_trace_id(text(content, "trace_id")),
        id=span_id(content, "id"),
        parent_id=0 if parent == span_id(content, "id") else parent,
        independent=Independent.OF_PARENT if independent else Independent.NO,
        inferred=flag(content, "inferred"),
        start=times[0],
        end=times[1],
        last_end=max([times[1], *(_microseconds(each, "end_time") or 0 for each in inner)]),
        state=state,
        node=node,
        service=service,
        http=Http(
            status=_status(content), user_agent=text(_http(content, "request"), "user_agent")
        ),
        exception=_known_exception(content, state),
        members=tuple(i for each in inner if not is_call(each) and (i := span_id(each, "id"))),
        calls=tuple(_calls(content, calling, None if independent else node)),
        links=tuple(_links(content, inner, sourced=source != NO_NODE)),
        version=version,
        kind=Kind.CONSUMER if source != NO_NODE else kind_of(node, is_segment=not independent),
        before=source,
        fetched=Fetched.MESSAGES if source != NO_NODE else Fetched.NO,
    )


def kind_of(node: NodeKey, *, is_segment: bool) -> Kind:
    """None, but of a function's segment, inside of which a SERVER span may tell of the same request."""
    function = is_segment and node.type == "AWS::Lambda::Function"
    return Kind.SERVER if function else Kind.NONE


def is_call(subsegment: Json) -> bool:
    """Whether a subsegment leaves its service."""
    return text(subsegment, "namespace") in ("aws", "remote")


def _inside(content: Json) -> Iterator[Json]:
    for each in objects(content, "subsegments"):
        yield each
        yield from _inside(each)


def _microseconds(content: Json, key: str) -> int | None:
    """An instant, from 1970 to 9999."""
    seconds = number(content, key)
    if seconds is None or not 0 <= seconds < YEAR_10000:
        return None
    return round(seconds * 1_000_000)


def _times(content: Json, document: Json) -> tuple[int, int]:
    """What has no start begins with its document, and what has no end has none yet."""
    start = _microseconds(content, "start_time")
    if start is None:
        start = _microseconds(document, "start_time") or 0
    end = _microseconds(content, "end_time")
    return start, max(start, start if end is None or _in_progress(content) else end)


def _in_progress(content: Json) -> bool:
    return flag(content, "in_progress") or _microseconds(content, "end_time") is None


def _state(unit: Json, document: Json) -> State:
    if _in_progress(unit):
        return State.IN_PROGRESS
    return _ended(unit, document)


def _ended(unit: Json, document: Json) -> State:
    return outcome(
        error=flag(unit, "error"),
        throttle=flag(unit, "throttle"),
        fault=flag(unit, "fault"),
        status=_status(unit),
        aws=text(unit, "namespace") == "aws",
        exception=_exception(unit, document),
    )


def _http(unit: Json, side: str) -> Json:
    return block(block(unit, "http"), side)


def _status(unit: Json) -> int:
    return status(_http(unit, "response"), "status")


def _exception(unit: Json, document: Json) -> str:
    """The first exception of a unit that has a name; its cause may be the id of one elsewhere in the document."""
    cause = unit.get("cause")
    if isinstance(cause, dict):
        found = objects(cause, "exceptions")
    else:
        found = (
            each
            for part in (document, *_inside(document))
            for each in objects(block(part, "cause"), "exceptions")
            if cause and each.get("id") == cause
        )
    names = (exception_name(text(each, "type"), text(each, "message")) for each in found)
    return next(filter(None, names), "")


def _known_exception(document: Json, state: State) -> str:
    """Of the exceptions of a failed document and of what ended inside it like that the deepest, of equals the
    first; else one of what failed otherwise."""
    own = _exception(document, document)
    if state == State.OK and _is_unknown(document):
        return UNKNOWN_OUTCOME
    if state <= State.OK:
        return own
    alike, other = own, ""
    level = list(objects(document, "subsegments"))
    while level:
        ended = (each for each in level if not flag(each, "in_progress"))
        named = [(_ended(each, document), _exception(each, document)) for each in ended]
        here = [name for ended, name in named if name and ended is state]
        there = [name for ended, name in named if name and ended > State.OK and ended is not state]
        alike, other = (here or [alike])[0], other or (there or [""])[0]
        level = [inner for each in level for inner in objects(each, "subsegments")]
    return alike or other


def _is_unknown(document: Json) -> bool:
    """Whether a function's segment says that nothing tells how its handler ended (docs/lambda.md)."""
    is_function = text(document, "origin") in ("AWS::Lambda", "AWS::Lambda::Function")
    return is_function and text(block(document, "annotations"), "lambda_status") == "unknown"


def _callee(content: Json, *, independent: bool) -> Callee:
    """The node of a document: the service, but of a streamed subsegment what it calls, or its name."""
    if independent and is_call(content):
        return callees(content)[0]
    if independent:
        return Callee(NodeKey("", call_name(content), ""), call_name(content))
    aws, arn, name = block(content, "aws"), text(content, "resource_arn"), call_name(content)
    origin = ORIGINS.get(text(content, "origin"), text(content, "origin"))
    place = account_of(aws, arn), region_of(aws, arn)
    service = name
    if flag(content, "inferred") and origin.startswith("AWS::"):
        service = canonical_service(name)
        named = resources(service, aws)
        name = resource_name(service, named[0]) if named else service
        queue = place_of_queue(named[0]) if named and service == "SQS" else None
        place = (
            place[0] or (queue.account if queue else ""),
            place[1] or (queue.region if queue else ""),
        )
    return Callee(NodeKey(place[0], name, origin, place[1]), service)


def _calls(document: Json, calling: list[Json], caller: NodeKey | None) -> Iterator[Call]:
    """The calls of a document. Of several with one id the last counts; one without an id is a call, too.
    ``caller``: the node of a segment; whose work a streamed subsegment is, another document says."""
    trace_id = parse_trace_id(text(document, "trace_id"))
    calls: dict[object, Call] = {}
    for place, subsegment in enumerate(calling):
        given = span_id(subsegment, "id")
        start, end = _times(subsegment, document)
        aws = text(subsegment, "namespace") == "aws"
        for table, callee in enumerate(callees(subsegment)):
            key = (given, table) if given else (place, table, "nameless")
            traced = flag(subsegment, "traced") or flag(_http(subsegment, "request"), "traced")
            calls[key] = Call(
                id=given if given and not table else _own_id(trace_id, key),
                start=start,
                end=end,
                state=_state(subsegment, document),
                node=(of_caller(callee, caller) if caller else callee).node,
                service=callee.service,
                host="" if aws else call_name(subsegment),
                status=_status(subsegment),
                traced=traced and not table,
                exception=_exception(subsegment, document),
            )
    yield from calls.values()


def _own_id(trace_id: bytes, key: object) -> int:
    """An id for a call that has none, or of which several are made: any, so long as it is no other's."""
    return int.from_bytes(blake2b(trace_id + repr(key).encode(), digest_size=8).digest(), "big")


def _count(attributes: Json) -> int:
    """How many messages a link is for."""
    given = number(attributes, "raymap.messages")
    return int(given) if given is not None and given == given // 1 else 1


def _links(document: Json, inner: list[Json], *, sourced: bool) -> Iterator[Link]:
    """Links lead upstream, unless they say that the other trace is the child. Messages from an event source may have an
    unknown sender."""
    own = parse_trace_id(text(document, "trace_id"))
    given = [each for unit in (document, *inner) for each in objects(unit, "links")]
    for each in given[:MOST_LINKS]:
        attributes = block(each, "attributes")
        received = number(attributes, "aws.xray.reserved.received_event_end_time")
        try:
            other, id = parse_trace_id(text(each, "trace_id")), span_id(each, "id")
        except ValueError:
            if not sourced or each.get("trace_id") is not None or each.get("id") is not None:
                continue
            other, id = unknown_sender(own, span_id(document, "id"))
        if id and other != own:
            upstream = text(attributes, "aws.xray.reserved.reference_type") != "child"
            weight = max(1, min(_count(attributes), 100_000))
            yield Link(other, id, upstream, round((received or 0) * 1_000_000), weight)
