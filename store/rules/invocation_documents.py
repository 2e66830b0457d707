"""An invocation of a Lambda function → the documents of its two segments (docs/lambda.md). Pure."""

from __future__ import annotations

from store.rules.event_sources import Messages
from store.rules.handler_failures import Failure
from store.rules.invocations import (
    COLD_START,
    FUNCTION,
    NAMESPACE,
    NOTHING,
    RECORD,
    SERVICE,
    STATUS,
    UNKNOWN_STATUS,
    Evidence,
    Invocation,
    Json,
    Pair,
    Standing,
    made_id,
    made_service,
    pair_of,
    record_of,
)
from store.rules.links import MESSAGES, RECEIVED, REFERENCE
from store.times import SECOND
from store.trace_id import format_trace_id

SUCCEEDED = ("", "success")
"""The states of a report that are no failure."""


def documents_of(invocation: Invocation, evidence: Evidence = NOTHING) -> list[Json]:
    """The segments as documents.

    Where the function or the service reported itself, what would count it twice is a subsegment, and
    so is what another assumption about an id makes.
    """
    pair = pair_of(invocation, evidence)
    reported = {evidence.function, evidence.service}
    # Another record, which names the function alone, may make a segment of the service.
    made = made_service(invocation, pair.function)
    spare = (set(evidence.derived) | {made}) - {*pair, *reported}
    documents = []
    cause = _cause(invocation, evidence)
    status = _status(invocation, cause, evidence)
    if pair.service not in reported:
        documents.append(
            _service(invocation, pair, evidence) | _failed(invocation, pair.service, cause)
        )
        documents[-1]["annotations"][STATUS] = status
    if not evidence.function:
        function = _function(invocation, pair) | _recorded(invocation, pair.function, status)
        documents.append(function | _failed(invocation, pair.function, cause))
    elif pair.function not in reported:
        about = _inside(invocation, pair.function, pair.service)
        documents.append(about | _recorded(invocation, pair.function, status))
    above = pair.service if evidence.function else pair.function
    spare.discard(event_id(invocation))
    documents += [_inside(invocation, id, above) for id in sorted(spare)]
    return documents + ([_event(invocation, pair, evidence)] if says_more(invocation) else [])


def event_id(invocation: Invocation) -> int:
    """The id of the subsegment that remembers what an invocation's event came from."""
    return made_id(invocation, "event")


def says_more(invocation: Invocation) -> bool:
    """Whether an event says more than the links do that AWS writes: one to each sender that a header names."""
    return any(not each.trace_id or each.number > 1 for each in invocation.messages)


def _event(invocation: Invocation, pair: Pair, evidence: Evidence) -> Json:
    """A subsegment that counts nowhere. AWS's own segments replace those that are derived; what they lack remains."""
    document = _inside(invocation, event_id(invocation), pair.service)
    standing = Standing.ALONE if evidence.settled else Standing.ASSUMED
    times = {"end_time": document["start_time"]}
    return document | times | {"name": "Event", "annotations": {RECORD: standing}}


def _service(invocation: Invocation, pair: Pair, evidence: Evidence) -> Json:
    document = _document(invocation, pair.service, SERVICE)
    parent = evidence.caller or _sender_here(invocation) or _caller_in_header(invocation)
    document["annotations"] = {RECORD: _standing(parent, evidence)}
    if not parent and not evidence.settled and not invocation.event_source:
        parent = made_id(invocation, "caller")  # of which it is not known yet whether it exists
    if parent:
        document["parent_id"] = f"{parent:016x}"
    document["http"] = {"response": {"status": 200}}
    document["aws"] = {"request_id": invocation.request_id}
    if arn := function_arn(invocation):
        document["resource_arn"] = arn
    else:
        document["aws"] |= _known(account_id=invocation.account, region=invocation.region)
    if invocation.event_source:
        document["aws"]["event_source_arn"] = evidence.bus or invocation.event_source
        document["annotations"] |= _oldest(invocation)
        document |= _known(links=links_of(invocation))
    return document


def _oldest(invocation: Invocation) -> Json:
    """How long the oldest message of the event had been under way, by when it was sent."""
    sent = min((each.sent for each in invocation.messages if each.sent), default=0)
    return {"lambda_message_age_ms": max(0, invocation.start - sent) / 1000} if sent else {}


def links_of(invocation: Invocation) -> list[Json]:
    """To what sent the messages. One message alone, of an unknown sender, needs none: its source is named."""
    others = [each for each in invocation.messages if each.trace_id != invocation.trace_id]
    if sum(each.number for each in others) == 1 and not others[0].trace_id:
        return []
    return [_link(invocation, each) for each in others]


def _link(invocation: Invocation, messages: Messages) -> Json:
    attributes = {REFERENCE: "parent", RECEIVED: invocation.start / SECOND}
    if messages.number > 1:
        attributes[MESSAGES] = messages.number
    if not messages.trace_id:
        return {"attributes": attributes}
    id = f"{messages.parent_id:016x}"
    return {
        "trace_id": format_trace_id(messages.trace_id),
        "id": id,
        "attributes": attributes,
    }


def _sender_here(invocation: Invocation) -> int:
    """What sent the event in the trace that the invocation goes on with."""
    own = (each for each in invocation.messages if each.trace_id == invocation.trace_id)
    return next((each.parent_id for each in own), 0)


def _standing(caller: int, evidence: Evidence) -> Standing:
    known = caller and evidence.parent and (evidence.handler or evidence.function)
    if not evidence.settled and not known:
        return Standing.ASSUMED
    return Standing.JOINED if caller else Standing.ALONE


def _caller_in_header(invocation: Invocation) -> int:
    """With tracing in mode PassThrough the header is the caller's own."""
    return 0 if invocation.span_id else invocation.parent_id


def _function(invocation: Invocation, pair: Pair) -> Json:
    document = _document(invocation, pair.function, FUNCTION)
    document["parent_id"] = f"{pair.service:016x}"
    document["aws"] = _about(invocation)
    if invocation.version:
        document["service"] = {"version": invocation.version}
    return document


def _recorded(invocation: Invocation, function: int, status: str) -> Json:
    """What only the platform knows of an invocation; other segments of the function lack it."""
    members: Json = {"annotations": _annotations(invocation, status)}
    if invocation.cold_start:
        members["subsegments"] = [_beginning(invocation, function)]
    return members


def _document(invocation: Invocation, id: int, origin: str) -> Json:
    return {
        "id": f"{id:016x}",
        "trace_id": format_trace_id(invocation.trace_id),
        "name": invocation.function,
        "start_time": invocation.start / SECOND,
        "end_time": invocation.end / SECOND,
        "origin": origin,
        "metadata": {NAMESPACE: {"platform_record": record_of(invocation)}},
    }


def _failed(invocation: Invocation, id: int, cause: Failure | None) -> Json:
    """The members of a failed segment; none if it did not fail."""
    if cause is None:
        return {}
    named = {"id": f"{made_id(invocation, f'exception of {id:016x}'):016x}", "type": cause.type}
    exception = named | _known(message=cause.message)
    return {"fault": True, "cause": {"exceptions": [exception]}}


def _cause(invocation: Invocation, evidence: Evidence) -> Failure | None:
    """What the runtime says, else the subsegment around the handler, else the platform."""
    if invocation.failure:
        return Failure(invocation.failure, invocation.failure_message)
    if evidence.failure is not None or invocation.status in SUCCEEDED:
        return evidence.failure
    if invocation.status == "timeout":
        seconds = invocation.duration / SECOND
        message = f"Task timed out after {seconds:.2f} seconds"
        return Failure(invocation.error_type or "Lambda.Timeout", message)
    message = f"The platform reported status {invocation.status}"
    return Failure(invocation.error_type or "Lambda.Error", message)


def _about(invocation: Invocation) -> Json:
    logs = [{"log_group": invocation.log_group}] if invocation.log_group else None
    return _known(
        account_id=invocation.account,
        region=invocation.region,
        function_arn=function_arn(invocation),
        resource_names=[invocation.function],
        request_id=invocation.request_id,
        cloudwatch_logs=logs,
    )


def _known(**members: object) -> Json:
    return {key: value for key, value in members.items() if value}


def _annotations(invocation: Invocation, status: str) -> Json:
    annotations: Json = {COLD_START: invocation.cold_start, STATUS: status}
    if invocation.version:
        annotations["lambda_version"] = invocation.version
    return annotations


def _status(invocation: Invocation, cause: Failure | None, evidence: Evidence) -> str:
    """The platform's, whose success includes handlers that raised: then what else is known."""
    if invocation.status not in SUCCEEDED:
        return invocation.status
    if cause:
        return "error"
    return "success" if evidence.tells else UNKNOWN_STATUS


def _beginning(invocation: Invocation, function: int) -> Json:
    """Initialization, or the restoring of a snapshot, before the invocation."""
    name = "Restore" if invocation.restore else "Initialization"
    return {
        "id": f"{made_id(invocation, f'{name} of {function:016x}'):016x}",
        "name": name,
        "start_time": (invocation.start - (invocation.restore or invocation.init)) / SECOND,
        "end_time": invocation.start / SECOND,
    }


def _inside(invocation: Invocation, id: int, parent: int) -> Json:
    """A subsegment that counts nowhere."""
    document = _document(invocation, id, "")
    del document["origin"]
    return document | {"name": "Invocation", "type": "subsegment", "parent_id": f"{parent:016x}"}


def function_arn(invocation: Invocation) -> str:
    """Without a version, as in X-Ray's segments; '' when the account or the region is unknown."""
    account, region = invocation.account, invocation.region
    if not account or not region:
        return ""
    return f"arn:aws:lambda:{region}:{account}:function:{invocation.function}"
