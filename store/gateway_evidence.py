"""A trace with requests of API Gateway's access log → what it says of their segments. Pure.

By id where there is one in common, else by time (`store.rules.gateway_requests`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.model import Document, Trace, is_derived
from store.otel.stored_document import Json, derived_record, member, parse_document
from store.parents import ParentIndex
from store.rules.gateway_requests import (
    RECORD,
    STAGE,
    GatewayEvidence,
    GatewayRequest,
    made_id,
    read_record,
)
from store.times import SECOND

SLACK = SECOND // 10
"""Clocks of API Gateway and of what is behind it differ by less."""
NEAR = SECOND
"""A stage's segment without a request id is of a request that began at the same time."""
SETTLED = 60 * SECOND
"""After this time a caller that has not arrived is no longer expected."""


def requests_in(trace: Trace) -> list[GatewayRequest]:
    """Those whose lines are in a trace that was read with its raw documents."""
    found = (_record(document) for document in trace.documents.values())
    return sorted((each for each in found if each), key=lambda each: (each.start, each.request_id))


def _record(document: Document) -> GatewayRequest | None:
    return read_record(derived_record(document, RECORD))


def integrations_in(trace: Trace) -> dict[str, int]:
    """The subsegment of the integration by the request id that it answered with, of stages that AWS did not report."""
    found: dict[str, int] = {}
    for document in trace.documents.values():
        if document.node.type != STAGE or document.independent:
            continue
        request = _record(document)
        if request is None or not request.integration_request:
            continue
        for part in parse_document(document).get("subsegments", ()):
            found[request.integration_request] = int(part["id"], 16)
    return found


def evidence_of(trace: Trace, request: GatewayRequest, *, now: int) -> GatewayEvidence:
    """What the trace says of one request. ``now``: microseconds since the epoch."""
    reported = _reported(trace, request)
    if reported:
        return GatewayEvidence(reported=reported)
    integration = _parent_named_behind(trace, request)
    own = made_id(request, "integration")
    return GatewayEvidence(
        caller=_caller(trace, request),
        integration=integration,
        answered=bool(integration) or any(d.parent_id == own for d in trace.documents.values()),
        settled=now - request.end > SETTLED,
    )


def _reported(trace: Trace, request: GatewayRequest) -> int:
    """The stage's segment that AWS reported, by the request's id; one that names none, by its start."""
    near = 0
    for document in sorted(trace.documents.values(), key=lambda d: d.id):
        of_stage = not document.independent and document.node.type == STAGE
        if not of_stage or is_derived(document.version):
            continue
        named = _request_ids(parse_document(document))
        if request.request_id in named:
            return document.id
        if not named and abs(document.start - request.start) < NEAR:
            near = near or document.id
    return near


def _request_ids(content: Json) -> set[Any]:
    aws, notes = member(content, "aws"), member(member(content, "metadata"), "default")
    ids = (
        member(aws, "api_gateway").get("request_id"),
        aws.get("request_id"),
        notes.get("request_id"),
    )
    return {each for each in ids if isinstance(each, str) and each}


def _caller(trace: Trace, request: GatewayRequest) -> int:
    """The only call of the API's host around the request."""
    calls = [
        owned.call.id
        for owned in trace.calls.values()
        if request.domain
        and request.domain in (owned.call.host, owned.call.node.name)
        and owned.call.start - SLACK <= request.start
        and request.end <= owned.call.end + SLACK
    ]
    return calls[0] if len(calls) == 1 else 0


def _parent_named_behind(trace: Trace, request: GatewayRequest) -> int:
    """The one id that is in no document and that segments within the request name as their parent. Of several none is
    chosen, and none beside another request."""
    if len(requests_in(trace)) > 1:
        return 0
    named = set(_unknown_parents(trace, request, ParentIndex(trace)))
    return named.pop() if len(named) == 1 else 0


def _unknown_parents(trace: Trace, request: GatewayRequest, parents: ParentIndex) -> Iterator[int]:
    own = made_id(request, "stage")
    for document in trace.documents.values():
        if document.independent or not document.parent_id or is_derived(document.version):
            continue
        above = parents.containing_document(document.parent_id)
        inside = request.start - SLACK <= document.start <= request.end + SLACK
        if inside and document.id != own and (above is None or above.id == own):
            yield document.parent_id
