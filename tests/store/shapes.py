"""What is special about the traces of an example of `tests.store.test_agreement`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.cases import stands_for_request
from store.memory import MemoryStore
from store.messages import links_once, units_elsewhere
from store.model import Document, Fetched, Independent, Kind, State, Trace
from store.otel.derived_ids import shared_server_id
from store.parents import ParentIndex
from store.rules.brokers import is_broker
from store.units import NodeUnit, all_units
from tests.builders import trace_id

SHAPES = (
    "a server that shares its client's id", "work that names a shared id", "a span that enters its service",
    "a failed call in place of its request", "a call within a call", "a sidecar's request", "a call that names nothing, answered", "a call that names nothing within a call",
    "a call answered by two services", "a consumer below what sent its message", "a message through two brokers",
    "what fetched messages for consumers below it", "a link of two spans", "background work", "a caller that a root names",
    "an orphan that names its service", "a service with a namespace",
)  # fmt: skip


def shapes_of(batches: list[list[Document]]) -> set[str]:
    """Those of `SHAPES` that some traces have."""
    store = MemoryStore()
    for number, batch in enumerate(batches):
        store.put(batch, str(number))
    traces = store.get_traces([trace_id(number) for number in (1, 2, 3)])
    return {shape for trace in traces.values() for shape in _shapes(trace, traces)}


def _shapes(trace: Trace, traces: dict[bytes, Trace]) -> Iterator[str]:
    parents = ParentIndex(trace)
    answered = parents.answers_by_call
    elsewhere = units_elsewhere(trace)
    if parents.once.counted_as:
        yield "a call within a call"
    if len(list(links_once(trace))) < len(trace.links):
        yield "a link of two spans"
    for document in trace.documents.values():
        yield from _of_document(document, trace, parents, elsewhere)
    for id, answers in answered.items():
        if len({each.node for each in answers}) > 1:
            yield "a call answered by two services"
        if id in trace.calls and not trace.calls[id].call.node.name and len(answers) == 1:
            yield "a call that names nothing, answered"
    for unit in all_units(trace, traces.get):
        if isinstance(unit, NodeUnit):
            if unit.background:
                yield "background work"
        elif unit.link and is_broker(unit.target):
            yield "a message through two brokers"
        elif unit.root and not unit.source.is_client:
            yield "a caller that a root names"


def _of_document(
    document: Document, trace: Trace, parents: ParentIndex, elsewhere: Any
) -> Iterator[str]:
    parent = document.parent_id
    sent = trace.calls.get(parent)
    if document.id == shared_server_id(trace.trace_id, parent):
        yield "a server that shares its client's id"
    if document.independent:
        if shared_server_id(trace.trace_id, parent) in trace.documents:
            yield "work that names a shared id"
        if parents.enters(document):
            yield "a span that enters its service"
            if stands_for_request(document) and document.state > State.OK:
                yield "a failed call in place of its request"
        if document.owner and parent and not sent and not parents.containing_document(parent):
            yield "an orphan that names its service"
        if document.kind is Kind.CLIENT and _is_within(document, trace):
            yield "a call that names nothing within a call"
    elif parents.outer(document) is not None:
        yield "a sidecar's request"
    elif document.kind is Kind.CONSUMER:
        if sent and is_broker(sent.call.node):
            yield "a consumer below what sent its message"
        if parent in elsewhere and document.fetched is Fetched.NO:
            yield "what fetched messages for consumers below it"
    if "/" in document.node.name and document.service != document.node.name:
        yield "a service with a namespace"


def _is_within(document: Document, trace: Trace) -> bool:
    """Whether a call that names nothing is within one of its service that does."""
    own = trace.calls.get(document.id)
    if own is None or own.call.node.name or document.independent < Independent.OF_SENDER:
        return False
    outer = trace.calls.get(document.parent_id)
    return outer is not None and bool(outer.call.node.name) and outer.node == document.node
