"""The summary of a trace, as a list shows it: a pure function (docs/xray-format.md §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from store.draw import draw
from store.facts import facts_of
from store.model import NO_HTTP, Document, Http, NodeKey, State, Trace, confirmed
from store.parents import ParentIndex, is_root
from store.rules.annotations import split_annotation_item
from store.rules.namespaces import bare_names, names_of, unique_names

NO_NAMES: frozenset[str] = frozenset()
MAX_ANNOTATION_KEYS = 50
"""Indexed annotation keys a summary shows per trace: the first in (segment start) order (§2.8)."""


class Summary(Struct, frozen=True):
    """A trace in one line. Times in microseconds.

    ``nodes`` maps every node of the trace, clients included, to its names; ``annotations`` and
    ``users`` map each value to the nodes that reported it. Annotation values are JSON text, so that
    ``1`` and ``true`` differ from their spelling as strings.
    """

    trace_id: bytes
    start: int
    duration: int
    response_time: int | None
    state: State
    has_throttle: bool
    partial: bool
    entry: Document | None
    http: Http
    segments: int
    nodes: dict[NodeKey, frozenset[str]]
    annotations: dict[str, dict[str, set[NodeKey]]]
    users: dict[str, set[NodeKey]]
    resource_arns: list[str]
    instance_ids: list[str]
    availability_zones: list[str]
    revision: int
    updated: int
    failed_inside: dict[State, int]
    """Segments and calls that failed, the entry aside."""

    def name_of(self, node: NodeKey) -> str:
        """What a node is called where this trace is all there is (`store.rules.namespaces`)."""
        if "/" not in node.name:
            return node.name
        return unique_names(bare_names(self.nodes), self.nodes).get(node, node.name)


def entry_of(trace: Trace, parents: ParentIndex | None = None) -> Document | None:
    """The segment by which the trace entered: the earliest root, the smallest id among equals.

    None without a root, as when only streamed subsegments have arrived.
    """
    parents = parents or ParentIndex(trace)
    roots = (d for d in trace.documents.values() if is_root(d, trace, parents))
    return min(roots, key=lambda d: (d.start, d.id), default=None)


def touched_nodes(
    trace: Trace, parents: ParentIndex | None = None
) -> dict[NodeKey, frozenset[str]]:
    """The nodes a trace has units of, with their names."""
    nodes: dict[NodeKey, frozenset[str]] = {}
    for fact in facts_of(trace, trace.caused, parents):
        for source, target, words, _, root, _ in draw(fact.parent, fact.case, fact.answer):
            if source is None:
                nodes[target] = nodes.get(target, NO_NAMES).union(words)
            elif root:
                caller = confirmed(source)
                names = frozenset((caller.name,))
                if caller.is_client and isinstance(fact.origin, Document):
                    names = names_of(fact.origin.node, fact.origin.service)
                nodes[caller] = nodes.get(caller, NO_NAMES) | names
    return nodes


def trace_duration(trace: Trace, parents: ParentIndex | None = None) -> int:
    """Latest end minus earliest start over segments, inferred ones and independent subsegments
    included, microseconds (docs/xray-format.md §4.1)."""
    documents = trace.documents.values()
    parents = parents or ParentIndex(trace)
    answered = parents.answers_by_call
    inferred = [o.call for o in parents.once.calls.values() if o.call.id not in answered]
    spans = [(d.start, d.end) for d in documents] + [(call.start, call.end) for call in inferred]
    return max(0, max(end for _, end in spans) - min(start for start, _ in spans))


def is_partial(trace: Trace, parents: ParentIndex | None = None) -> bool:
    """Whether more is expected: a document is in progress, a traced call is unanswered, or a
    streamed subsegment has no segment (docs/xray-format.md §6)."""
    parents = parents or ParentIndex(trace)
    answered = parents.answers_by_call
    return any(
        d.in_progress or (d.independent and parents.owning_segment(d) is None)
        for d in trace.documents.values()
    ) or any(o.call.traced and o.call.id not in answered for o in parents.once.calls.values())


def summarize(trace: Trace, parents: ParentIndex | None = None) -> Summary:
    """The summary of a trace with at least one document."""
    parents = parents or ParentIndex(trace)
    in_order = sorted(trace.documents.values(), key=lambda d: (d.start, d.id))
    entry = entry_of(trace, parents)
    states = [d.state for d in in_order] + [o.call.state for o in trace.calls.values()]
    annotations: dict[str, dict[str, set[NodeKey]]] = {}
    users: dict[str, set[NodeKey]] = {}
    for document in in_order:
        owner = parents.owner(document)
        nodes = {owner} if owner else set()
        for item in document.annotations:
            key, value = split_annotation_item(item)
            if key in annotations or len(annotations) < MAX_ANNOTATION_KEYS:
                annotations.setdefault(key, {}).setdefault(value, set()).update(nodes)
        if document.user:
            users.setdefault(document.user, set()).update(nodes)
    return Summary(
        trace_id=trace.trace_id,
        start=in_order[0].start,
        duration=trace_duration(trace, parents),
        response_time=entry.end - entry.start if entry and not entry.in_progress else None,
        state=entry.state if entry else State.IN_PROGRESS,
        has_throttle=State.THROTTLE in states,
        partial=is_partial(trace, parents),
        entry=entry,
        http=entry.http if entry else NO_HTTP,
        segments=sum(not d.independent for d in in_order),
        nodes=touched_nodes(trace, parents),
        annotations=annotations,
        users=users,
        resource_arns=_distinct(d.resource_arn for d in in_order),
        instance_ids=_distinct(d.instance_id for d in in_order),
        availability_zones=_distinct(d.availability_zone for d in in_order),
        revision=trace.revision,
        updated=trace.updated,
        failed_inside=_failed_inside(trace, entry, parents),
    )


def _failed_inside(trace: Trace, entry: Document | None, parents: ParentIndex) -> dict[State, int]:
    documents = [
        each
        for each in trace.documents.values()
        if each is not entry and each.id not in trace.calls and parents.outer(each) is None
    ]
    states = [d.state for d in documents]
    states += [owned.call.state for owned in parents.once.calls.values()]
    return dict(Counter(state for state in states if state > State.OK))


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
