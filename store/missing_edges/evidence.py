"""What a trace shows of its calls, and of the requests that nothing in it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from store.missing_edges.names import Services
from store.model import Call, Document, Kind, NodeKey, State, Trace
from store.parents import ParentIndex, called_node, calling_node, is_root
from store.places import REMOTE
from store.rules.annotations import split_annotation_item
from store.rules.gateway_requests import STAGE
from store.rules.invocations import FUNCTION, RECORD, Standing

LEAST_SKEW = 10_000
"""Microseconds by which clocks must differ: those of machines whose clocks are synchronized differ by less."""
SERVER_ERROR = 500
GATEWAY_HOST = ".execute-api."


class CallSeen(NamedTuple):
    """A call that ended, or is running. ``callee``: the service that answered it, or that it means.

    ``answer``: the request that answered it. ``skew``: by how much that lies outside of it, microseconds.
    """

    trace_id: bytes
    caller: NodeKey
    callee: NodeKey | None
    call: Call
    answer: Document | None = None
    skew: int = 0

    @property
    def ahead(self) -> int:
        """By how much the clock of what answered is ahead of the caller's, at least."""
        return -self.skew if self.answer and self.answer.start < self.call.start else self.skew


class Orphan(NamedTuple):
    """A request that names a parent which is not there. ``caller``: what was at work then, if that is one service.

    ``running``: that has not ended. ``platform``: the parent is a record of Lambda or API Gateway.
    """

    trace_id: bytes
    document: Document
    caller: NodeKey | None
    running: bool
    platform: bool


class Work(NamedTuple):
    """A request of a node. ``is_entry``: no parent is named. ``callees``: what it called."""

    trace_id: bytes
    node: NodeKey
    start: int
    end: int
    is_entry: bool
    callees: frozenset[NodeKey]


class Placeholder(NamedTuple):
    """A segment that stands for one of Lambda's own."""

    trace_id: bytes
    document: Document


class Seen(NamedTuple):
    """What traces show."""

    calls: list[CallSeen]
    orphans: list[Orphan]
    works: list[Work]
    placeholders: list[Placeholder]


def read_traces(traces: Iterable[Trace], services: Services, settled_before: int) -> Seen:
    """What some traces show of what began before ``settled_before``, microseconds: of the rest an answer, or a parent,
    may still arrive."""
    seen = Seen([], [], [], [])
    for trace in traces:
        parents = ParentIndex(trace)
        calls = list(_calls(trace, parents, services))
        orphans = [
            _orphan(document, trace, parents, calls)
            for document in trace.documents.values()
            if _lacks_parent(document, trace, parents) and document.start < settled_before
        ]
        behind_gateway = any(each.platform for each in orphans)
        for each in calls:
            is_platform = behind_gateway and each.answer is None and _is_platform(each.call)
            if each.answer or (each.call.end < settled_before and not is_platform):
                seen.calls.append(each)
        seen.orphans.extend(orphans)
        seen.works.extend(_works(trace, parents, calls))
        seen.placeholders.extend(
            Placeholder(trace.trace_id, document)
            for document in trace.documents.values()
            if any(map(_says_missing, document.annotations))
        )
    return seen


def answered_calls(trace: Trace) -> Iterator[CallSeen]:
    """The calls of a trace that a request answered."""
    calls = _calls(trace, ParentIndex(trace), Services({}))
    return (each for each in calls if each.answer is not None)


def _calls(trace: Trace, parents: ParentIndex, services: Services) -> Iterator[CallSeen]:
    """Calls that were answered, and those that something should have answered."""
    answered = parents.answers_by_call
    for owned in parents.once.calls.values():
        caller = calling_node(owned, trace, parents)
        if caller is None or not owned.call.node.name:
            continue
        if answers := answered.get(owned.call.id):
            answer = min(answers, key=lambda each: (each.start, each.id))
            yield CallSeen(
                trace.trace_id, caller, answer.node, owned.call, answer, _skew(owned.call, answer)
            )
        elif owned.call.id not in parents.children and _reached(owned.call):
            place = called_node(owned, trace, parents)
            callee = services.called(owned, caller)
            if callee or services.reports_elsewhere(owned.call, place, caller):
                yield CallSeen(trace.trace_id, caller, callee, owned.call)


def _reached(call: Call) -> bool:
    """Whether a call got to what it called, or waits for it: one that failed on the way is answered by no request."""
    if call.state in (State.OK, State.IN_PROGRESS):
        return True
    return call.status == SERVER_ERROR


def _skew(call: Call, answer: Document) -> int:
    """By how much a request lies outside of the call that made it. A call of AWS, and one that sends, may have ended
    when its work begins."""
    before = call.start - answer.start
    after = 0
    if call.node.type in ("", REMOTE) and call.state is not State.IN_PROGRESS:
        after = answer.start - call.end
    skew = max(before, after)
    return skew if skew >= LEAST_SKEW else 0


def _lacks_parent(document: Document, trace: Trace, parents: ParentIndex) -> bool:
    """Whether a request names a parent that is not in its trace, or is part of a segment that is not, and no link tells
    what caused it."""
    if not document.parent_id or document.id in trace.caused or document.queue.name:
        return False
    return is_root(document, trace, parents) or _is_below_streamed(document, trace, parents)


def _is_below_streamed(document: Document, trace: Trace, parents: ParentIndex) -> bool:
    """Whether what made a request was streamed, by a segment that has not come: that is sent when it ends."""
    if document.independent:
        return False
    call = trace.calls.get(document.parent_id)
    if call is not None:
        return calling_node(call, trace, parents) is None
    return parents.owner(parents.containing_document(document.parent_id)) is None


def _orphan(
    document: Document, trace: Trace, parents: ParentIndex, calls: Iterable[CallSeen]
) -> Orphan:
    gateway = next((each for each in calls if _passed_by_gateway(each, document)), None)
    around = [
        each
        for each in trace.documents.values()
        if each.node != document.node
        and not each.independent
        and each.start <= document.start
        and (each.in_progress or document.start <= each.end)
    ]
    open_ones = [each for each in around if each.in_progress]
    above = open_ones or around
    nodes = {each.node for each in above}
    caller = max(above, key=lambda each: each.start).node if len(nodes) == 1 or open_ones else None
    platform = gateway is not None or document.node.type == FUNCTION
    if gateway:
        caller = gateway.caller
    running = bool(open_ones) or not is_root(document, trace, parents)
    return Orphan(trace.trace_id, document, caller, running and not platform, platform)


def _passed_by_gateway(call: CallSeen, document: Document) -> bool:
    return (
        call.answer is None
        and _is_platform(call.call)
        and call.call.start <= document.start <= call.call.end
    )


def _is_platform(call: Call) -> bool:
    """Whether a call leads to API Gateway."""
    return call.node.type == STAGE or GATEWAY_HOST in call.node.name or GATEWAY_HOST in call.host


def _works(trace: Trace, parents: ParentIndex, calls: Iterable[CallSeen]) -> Iterator[Work]:
    callees: dict[NodeKey, set[NodeKey]] = {}
    for each in calls:
        if each.callee:
            callees.setdefault(each.caller, set()).add(each.callee)
    for document in trace.documents.values():
        if document.independent or document.in_progress:
            continue
        if not parents.is_request(document):
            continue
        is_entry = (
            not document.parent_id
            and document.kind in (Kind.NONE, Kind.SERVER)
            and document.id not in trace.caused
            and not document.before.name
        )
        called = frozenset(callees.get(document.node, ()))
        times = document.start, document.end
        yield Work(trace.trace_id, document.node, *times, is_entry, called)


def _says_missing(item: str) -> bool:
    key, value = split_annotation_item(item)
    return key == RECORD and value.strip('"') == Standing.MISSING
