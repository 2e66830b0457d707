"""Subsegments of a Lambda function whose segment never came → a segment in its place. Pure.

An X-Ray SDK in a function sends subsegments whose parent is the function's segment, which AWS writes to
X-Ray alone. Until a record of Lambda's platform arrives (`store.rules.invocations`), the parent is known by
what the trace says: the call that waits for an answer meanwhile, else an annotation of Powertools. Any
other document with its id replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable

from store.gateway_evidence import integrations_in
from store.invocation_evidence import SLACK, handler_in, is_handler, is_placeholder
from store.model import Document, Independent, NodeKey, OwnedCall, Trace, arrival_of, is_derived
from store.otel.stored_document import Json
from store.parents import ParentIndex, called_node
from store.rules.annotations import parse_annotation_item
from store.rules.invocations import FUNCTION, NAMESPACE, RECORD, STATUS, UNKNOWN_STATUS, Standing
from store.times import MINUTE, SECOND
from store.trace_id import format_trace_id

RANK = 0
"""For `store.model.derived_version`: every record knows more."""
UNKNOWN = "unknown function"
PATIENCE, LONG_PATIENCE = MINUTE, 3 * MINUTE
"""Since the last arrival, where a call waits for the function and where nothing but subsegments is there:
those may be streamed by a service that is still at work."""
MEND = (
    "Add the layer raymap-lambda to the function, or",
    "subscribe its log group to a Firehose stream to /firehose/logs (docs/lambda.md).",
)
"""How the platform's record gets here."""
_NAMES = ("Service", "service")
"""Annotations by which Powertools name the function's service."""


def missing_functions(trace: Trace, *, now: int) -> list[Json]:
    """A segment for each parent that is missing. ``now``: microseconds since the epoch."""
    found = []
    age = now - max(arrival_of(document.version) for document in trace.documents.values())
    for parent, children in _by_missing_parent(trace).items():
        if any(child.in_progress for child in children):
            continue
        caller = _waiting_call(trace, children)
        if age >= (PATIENCE if caller else LONG_PATIENCE):
            found.append(_segment(trace, parent, children, caller))
    return found


def _by_missing_parent(trace: Trace) -> dict[int, list[Document]]:
    """Reported subsegments by the parent that no document of the trace contains, unless in its place. Spans say
    themselves whose they are: they lack no function, whatever their parent was."""
    parents = ParentIndex(trace)
    found: dict[int, list[Document]] = {}
    for document in trace.documents.values():
        if document.independent != Independent.OF_PARENT or is_derived(document.version):
            continue
        above = parents.containing_document(document.parent_id)
        if above is None or is_placeholder(above):
            found.setdefault(document.parent_id, []).append(document)
    return found


def _waiting_call(trace: Trace, children: Iterable[Document]) -> OwnedCall | None:
    """The only call of a function that nothing answers and that lasts as long as the children."""
    start, end = _span(children)
    parents = ParentIndex(trace)
    answers = parents.answers_by_call
    waiting = [
        owned
        for owned in parents.once.calls.values()
        if owned.call.service == "Lambda"
        and owned.call.node.type == "AWS::Lambda"
        and all(map(is_placeholder, answers.get(owned.call.id, ())))
        and owned.call.start - SLACK <= start
        and end <= owned.call.end + SLACK
    ]
    return waiting[0] if len(waiting) == 1 else None


def _span(documents: Iterable[Document]) -> tuple[int, int]:
    return min(d.start for d in documents), max(d.end for d in documents)


def _segment(trace: Trace, id: int, children: list[Document], caller: OwnedCall | None) -> Json:
    start, end = _span(children)
    about = (
        called_node(caller, trace, ParentIndex(trace)) if caller else _called_from(trace, children)
    )
    document: Json = {
        "id": f"{id:016x}",
        "trace_id": format_trace_id(trace.trace_id),
        "name": (about.name if caller else "") or _annotated_name(children) or UNKNOWN,
        "start_time": start / SECOND,
        "end_time": end / SECOND,
        "origin": FUNCTION,
        "annotations": {RECORD: Standing.MISSING, **_outcome(trace, id)},
        "metadata": {NAMESPACE: {"platform_record_missing": list(MEND)}},
    }
    parent = caller.call.id if caller else _integration(trace)
    if parent:
        document["parent_id"] = f"{parent:016x}"
    place = {"account_id": about.account, "region": about.region}
    if known := {key: value for key, value in place.items() if value}:
        document["aws"] = known
    return document


def _integration(trace: Trace) -> int:
    """The only integration of a stage of API Gateway that nothing else answers; 0 if there is none."""
    answered = {d.parent_id for d in trace.documents.values() if not is_placeholder(d)}
    waiting = set(integrations_in(trace).values()) - answered
    return waiting.pop() if len(waiting) == 1 else 0


def _outcome(trace: Trace, id: int) -> Json:
    """That nothing says how the handler ended, unless the subsegment around it does."""
    handler = handler_in(trace, id)
    return {} if handler is not None and is_handler(handler) else {STATUS: UNKNOWN_STATUS}


def _called_from(trace: Trace, children: list[Document]) -> NodeKey:
    """The account and the region of AWS calls that the children are: mostly the function's own."""
    ids = {child.id for child in children}
    nodes = [o.call.node for o in trace.calls.values() if o.document_id in ids]
    regions = {node.region for node in nodes if node.region}
    return NodeKey("", "", FUNCTION, next(iter(regions)) if len(regions) == 1 else "")


def _annotated_name(children: Iterable[Document]) -> str:
    for child in children:
        for item in child.annotations:
            key, value = parse_annotation_item(item)
            if key in _NAMES and isinstance(value, str):
                return value[:200]
    return ""
