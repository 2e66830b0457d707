"""A trace with records of a Lambda invocation → what it says of the invocation's segments. Pure.

By id where there is one in common, else by time: what was sent from inside an invocation lies inside
it (`store.rules.invocations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import structs

from store.gateway_evidence import integrations_in
from store.model import Document, OwnedCall, State, Trace, is_derived
from store.otel.stored_document import (
    Json,
    derived_record,
    member,
    parse_document,
    subsegments_of,
)
from store.parents import ParentIndex
from store.rules.event_sources import bus_arn, is_same_source, source_node
from store.rules.handler_failures import Failure
from store.rules.invocations import (
    FUNCTION,
    SERVICE,
    Evidence,
    Invocation,
    pair_of,
    rank_of,
    read_record,
)
from store.times import SECOND

SLACK = SECOND // 10
"""Clocks of the platform and of the function differ by less; both are of one machine."""
HANDLER = "## "
"""Begins the names that Powertools gives the subsegment around a handler, in all its languages."""
SETTLED = 60 * SECOND
"""After this time a caller that has not arrived is no longer expected."""


class Found(NamedTuple):
    """One attempt in a trace: its best record, and the documents derived from any record of it."""

    invocation: Invocation
    documents: frozenset[int]


def invocations_in(trace: Trace) -> list[Found]:
    """Each attempt whose records are in a trace that was read with its raw documents."""
    found: list[Found] = []
    for document in sorted(trace.documents.values(), key=lambda d: d.id):
        record = _record(document)
        if record is None:
            continue
        for at, other in enumerate(found):
            if record.is_attempt_of(other.invocation):
                found[at] = Found(
                    _merged(other.invocation, record), other.documents | {document.id}
                )
                break
        else:
            found.append(Found(record, frozenset((document.id,))))
    return found


def _merged(one: Invocation, other: Invocation) -> Invocation:
    """The record that knows more of the trace, with the failure that either knows."""

    def of_trace(record: Invocation) -> int:
        return rank_of(structs.replace(record, failure=""))

    worse, better = sorted((one, other), key=of_trace)
    if better.failure or not worse.failure:
        return better
    return structs.replace(better, failure=worse.failure, failure_message=worse.failure_message)


def is_placeholder(document: Document) -> bool:
    """Whether it stands in place of a segment of which there is no record."""
    return is_derived(document.version) and _record(document) is None


def _record(document: Document) -> Invocation | None:
    return read_record(document.trace_id, derived_record(document, "platform_record"))


def evidence_in(trace: Trace, found: Found, *, now: int, telling: bool = False) -> Evidence:
    """What the trace says of one attempt. ``now``: microseconds since the epoch; ``telling``: whether its runtime would
    have logged a failure."""
    invocation = found.invocation
    function, above = _reported_function(trace, found)
    parent = above or (0 if function else _parent_named_inside(trace, found))
    service = _reported_service(trace, invocation)
    id = pair_of(invocation, Evidence(parent=parent, service=service)).function
    handler = handler_in(trace, id)
    around = trace.documents[function] if function else handler
    failed = around is not None and around.state == State.FAULT
    return Evidence(
        parent=parent,
        caller=_caller(trace, invocation),
        function=function,
        service=service,
        derived=found.documents,
        settled=now - invocation.end > SETTLED,
        handler=handler is not None and is_handler(handler),
        telling=telling,
        failure=_failure_of(around) if around is not None and failed else None,
        bus=_bus(trace, invocation),
    )


def handler_in(trace: Trace, function: int) -> Document | None:
    """The subsegment that encloses all work directly below a function's segment, if it is no call: what
    Powertools sends as ``## handler``. Inside it is what the handler survived."""
    below = [
        document
        for document in trace.documents.values()
        if document.parent_id == function
        and document.independent
        and not is_derived(document.version)
    ]
    first = min(below, key=lambda d: (d.start, -d.end, d.id), default=None)
    if first is None or first.in_progress or first.id in trace.calls:
        return None
    return first if first.end >= max(document.end for document in below) else None


def is_handler(document: Document) -> bool:
    """Whether a subsegment is the handler by its name as well: any other one that succeeded may be
    followed by a failure outside of it."""
    return document.service.startswith(HANDLER)


def is_unknown(trace: Trace, function: Document) -> bool:
    """Whether the trace leaves open how a handler ended: its segment is made of the platform's record, which
    says success also of one that raised."""
    of_record = is_derived(function.version) and function.node.type == FUNCTION
    if not of_record or function.state != State.OK:
        return False
    handler = handler_in(trace, function.id)
    return handler is None or not is_handler(handler)


def _failure_of(document: Document) -> Failure:
    """Its exception; the message is in the document itself."""
    return Failure(document.exception or f"failure of {document.service}")


def _reported(trace: Trace, type: str) -> Iterator[Document]:
    for document in trace.documents.values():
        of_type = not document.independent and document.node.type == type
        if of_type and not is_derived(document.version):
            yield document


def _reported_function(trace: Trace, found: Found) -> tuple[int, int]:
    """The segment of the function itself, and the parent it names, where that is no segment that
    AWS reported: OpenTelemetry's layers report the function below what they know as its parent."""
    invocation = found.invocation
    known = {invocation.span_id, invocation.segment_id}
    candidates = [
        document
        for document in _reported(trace, FUNCTION)
        if document.id in known
        or (
            document.node.name == invocation.function
            and (document.parent_id in found.documents or _inside(document, invocation))
        )
    ]
    if not candidates:
        return 0, 0
    best = min(candidates, key=lambda d: (d.id not in known, d.start, d.id))
    services = {document.id for document in _reported(trace, SERVICE)}
    alone = best.id in known or best.parent_id in services
    return best.id, 0 if alone else best.parent_id


def _reported_service(trace: Trace, invocation: Invocation) -> int:
    for document in _reported(trace, SERVICE):
        aws = member(parse_document(document), "aws")
        if aws.get("request_id") == invocation.request_id:
            return document.id
    return 0


def _parent_named_inside(trace: Trace, found: Found) -> int:
    """The one parent that is no reported document, named by subsegments within the invocation.

    One that a record names is preferred; of several others none is chosen.
    """
    invocation = found.invocation
    parents = ParentIndex(trace)
    claimed = set(_claimed_by_others(trace, found))
    named = set()
    for document in trace.documents.values():
        if not document.independent or is_derived(document.version):
            continue
        above = parents.containing_document(document.parent_id)
        known = above is not None and not _is_assumed(above, found)
        if not known and document.parent_id not in claimed and _inside(document, invocation):
            named.add(document.parent_id)
    ids = {invocation.span_id, invocation.segment_id, invocation.parent_id}
    return next(iter(named & ids or (named if len(named) == 1 else ())), 0)


def _is_assumed(document: Document, found: Found) -> bool:
    """Whether it is only there because of this attempt, or in place of a missing record."""
    if not is_derived(document.version):
        return False
    return document.id in found.documents or is_placeholder(document)


def _claimed_by_others(trace: Trace, found: Found) -> Iterator[int]:
    """The functions' segments of other invocations in the trace."""
    for other in invocations_in(trace):
        if not other.invocation.is_attempt_of(found.invocation):
            yield pair_of(other.invocation).function


def _inside(document: Document, invocation: Invocation) -> bool:
    earliest = invocation.start - invocation.init - invocation.restore - SLACK
    return earliest <= document.start and document.end <= invocation.end + SLACK


def _caller(trace: Trace, invocation: Invocation) -> int:
    """The call of the function: by the request id it was answered with, a stage's integration among them, else the
    only one around the invocation."""
    calls = [
        owned
        for owned in trace.calls.values()
        if owned.call.service == "Lambda" and owned.call.node.name == invocation.function
    ]
    request_ids = _request_ids(trace, calls)
    if not calls and (sent := _sending(trace, invocation)):
        return sent.call.id
    same = [o for o in calls if request_ids.get(o.call.id) == invocation.request_id]
    if not same and (stage := integrations_in(trace).get(invocation.request_id)):
        return stage
    unknown = [o for o in calls if o.call.id not in request_ids and _around(o, invocation)]
    if same:
        return min(owned.call.id for owned in same)
    return unknown[0].call.id if len(unknown) == 1 else 0


PASSES_TRACE_ON = ("AWS::SNS", "AWS::Events")
"""Types of event sources whose invocations go on with the trace of what sent the event, which has no trace header."""


def _sending(trace: Trace, invocation: Invocation) -> OwnedCall | None:
    """The only call before the invocation of what its event came from."""
    source = source_node(invocation.event_source)
    if source.type not in PASSES_TRACE_ON:
        return None
    sent = [
        owned
        for owned in trace.calls.values()
        if is_same_source(owned.call.node, source) and owned.call.start <= invocation.start + SLACK
    ]
    return sent[0] if len(sent) == 1 else None


def _bus(trace: Trace, invocation: Invocation) -> str:
    sent = _sending(trace, invocation)
    return bus_arn(invocation.event_source, sent.call.node) if sent else ""


def _around(owned: OwnedCall, invocation: Invocation) -> bool:
    call = owned.call
    return call.start - SLACK <= invocation.start and invocation.end <= call.end + SLACK


def _request_ids(trace: Trace, calls: Iterable[OwnedCall]) -> dict[int, str]:
    """The ``aws.request_id`` of calls, read from the documents that contain them."""
    wanted = {f"{owned.call.id:016x}": owned.call.id for owned in calls}
    found: dict[int, str] = {}
    for document_id in {owned.document_id for owned in calls}:
        document = trace.documents.get(document_id)
        if document is None:
            continue
        content = parse_document(document)
        for part in (content, *subsegments_of(content)):
            id = wanted.get(str(part.get("id")).lower())
            request_id = _request_id(part)
            if id and request_id:
                found[id] = request_id
    return found


def _request_id(part: Json) -> str:
    value = member(part, "aws").get("request_id")
    return value if isinstance(value, str) else ""
