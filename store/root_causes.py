"""Root causes of a trace: the paths that lead from its entry to what failed or took the time.

A pure function of a trace with raw documents (docs/xray-format.md §6.1). AWS documents the shape and a
few samples, not the algorithm; the choices below are ours and are named where they are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from store.cases import stands_for_request
from store.model import Document, NodeKey, Trace
from store.otel.stored_document import Json
from store.parents import ParentIndex, called_node
from store.rules.brokers import answers
from store.rules.identity import segment_node
from store.rules.namespaces import names_of
from store.summary import entry_of
from store.trace_documents import (
    entering_spans,
    inferred_segment,
    reported_documents,
    unanswered_calls,
)

MAX_PATHS = 20
"""Paths of one kind: a fan-out of a thousand failing calls is not a thousand root causes."""
MAX_DEPTH = 64
"""Entities along a path; documents nest deeper only when they are made to."""
DOMINANT = 0.5
"""Share of its parent's time from which on a child explains the parent (our choice)."""


class CauseException(Struct, frozen=True):
    """An exception recorded on an entity."""

    name: str
    message: str


class CauseEntity(Struct, frozen=True):
    """A segment or subsegment on the path. ``remote``: it calls another service.

    ``coverage``: its share of the trace's response time, 0 to 1; None for faults and errors.
    """

    name: str
    remote: bool
    exceptions: tuple[CauseException, ...] = ()
    coverage: float | None = None


class CauseService(Struct, frozen=True):
    """A service on the path; the first of ``entities`` bears the service's own name. ``name``: its node's, without
    a namespace."""

    node: NodeKey
    name: str
    inferred: bool
    entities: tuple[CauseEntity, ...]


class RootCause(Struct, frozen=True):
    """One path, from the service that is nearest to the client to the cause."""

    services: tuple[CauseService, ...]
    client_impacting: bool


class RootCauses(Struct, frozen=True):
    """The causes of one trace by kind."""

    fault: tuple[RootCause, ...] = ()
    error: tuple[RootCause, ...] = ()
    response_time: tuple[RootCause, ...] = ()


def root_causes(trace: Trace, parents: ParentIndex | None = None) -> RootCauses:
    """The root causes of a trace that was read with its raw documents."""
    parents = parents or ParentIndex(trace)
    tree = _Tree(trace, parents)
    entry = entry_of(trace, parents)
    if entry is None:
        return RootCauses()
    root = tree.segments.get(f"{entry.id:016x}")
    if root is None:
        return RootCauses()
    return RootCauses(
        fault=_flagged(tree, root, "fault"),
        error=_flagged(tree, root, "error"),
        response_time=_slowest(tree, root),
    )


class _Tree:
    """Processed documents by id, and the segments that answer each call. Most calls lie on no path: their
    inferred segments are made when a path gets there."""

    def __init__(self, trace: Trace, parents: ParentIndex) -> None:
        self._trace = trace
        self._parents = parents
        self._entering = entering_spans(trace, parents)
        shown = reported_documents(trace, parents)
        documents = [d for d in shown if d.get("type") != "subsegment"]
        self.segments: dict[str, Json] = {str(d["id"]): d for d in documents}
        self._calls = {f"{id:016x}": owned for id, owned in trace.calls.items()}
        unanswered = unanswered_calls(shown, trace, parents)
        self._unanswered = {str(call["id"]).lower(): call for call in unanswered}
        self._answers: dict[str, list[Json]] = {}
        for document in documents:
            parent = document.get("parent_id")
            if isinstance(parent, str) and not self._got_message(document):
                self._answers.setdefault(parent.lower(), []).append(document)

    def _got_message(self, segment: Json) -> bool:
        """Whether a broker stands between a segment and the call above it: neither waits for the other."""
        document = self._document(segment)
        owned = self._trace.calls.get(document.parent_id) if document else None
        if document is None or owned is None:
            return False
        return not answers(document.kind, document.fetched)

    def answers(self, entity: Json) -> list[Json]:
        """The segments whose parent an entity is."""
        id = str(entity.get("id")).lower()
        call = self._unanswered.pop(id, None)
        if call is not None:
            self._answers.setdefault(id, []).append(inferred_segment(call, self._trace))
        return self._answers.get(id, [])

    def down(self, path: _Path, answer: Json) -> _Path:
        """A path that goes on at an answer: another service, unless that is part of the same request."""
        return [*path, [answer]] if self.is_request(answer) else _inside(path, answer)

    def failed(self, answer: Json, flag: str) -> bool:
        """Whether a failed call leads on through an answer: that failed, too, or nothing says how it ended, but a call
        that it made failed."""
        document = self._entering.get(str(answer["id"]))
        if document is None or not stands_for_request(document):
            return answer.get(flag) is True
        return any(child.get(flag) is True for child in _children(answer))

    def is_request(self, segment: Json) -> bool:
        """Whether a segment is a unit of its node."""
        document = self._document(segment)
        return document is None or self._parents.is_request(document)

    def _document(self, segment: Json) -> Document | None:
        """What was reported: of the segment around a span that enters its service, that span."""
        id = str(segment["id"])
        return self._entering.get(id) or self._trace.documents.get(int(id, 16))

    def node(self, segment: Json) -> tuple[NodeKey, str]:
        """The node that a segment, reported or inferred, is drawn as, and its name without a namespace."""
        document = self._document(segment)
        if document is None:
            node = self._inferred_node(segment)
            return node, node.name
        names = names_of(document.node, document.service)
        return document.node, min(names, key=len)

    def _inferred_node(self, segment: Json) -> NodeKey:
        call = self._calls.get(str(segment.get("parent_id")).lower())
        if call is not None:
            return called_node(call, self._trace, self._parents)
        # A call with an id that is none is stored under another one.
        name, origin, aws = str(segment.get("name")), segment.get("origin"), segment.get("aws")
        if not isinstance(origin, str) or not origin.startswith("AWS::"):
            return NodeKey("", name, str(origin or "remote"))
        block = aws if isinstance(aws, Mapping) else {}
        return segment_node(name, origin=origin, aws=block, inferred=True).node


_Path = list[list[Json]]
"""Services, each as its entities, the segment itself first."""


def _inside(path: _Path, entity: Json) -> _Path:
    return [*path[:-1], [*path[-1], entity]]


def _flagged(tree: _Tree, root: Json, flag: str) -> tuple[RootCause, ...]:
    """One cause for each deepest entity with the flag.

    Where the entry is not affected, paths begin at the topmost segments that are, and the cause does
    not impact the client.
    """
    if root.get(flag) is True:
        starts = [root]
    else:
        starts = [
            segment
            for segment in tree.segments.values()
            if segment.get(flag) is True
            and not segment.get("inferred")
            and tree.is_request(segment)
        ]
        below = {
            id(s) for start in starts for path in _paths(tree, start, flag) for (s, *_) in path[1:]
        }
        starts = [segment for segment in starts if id(segment) not in below]
    causes: list[RootCause] = []
    for start in starts:
        for path in _paths(tree, start, flag):
            causes.append(_cause(tree, path, impacting=start is root))
            if len(causes) == MAX_PATHS:
                return tuple(causes)
    return tuple(causes)


def _paths(tree: _Tree, segment: Json, flag: str) -> Iterator[_Path]:
    """Paths down from a flagged segment to each deepest flagged entity."""
    stack: list[_Path] = [[[segment]]]
    yielded = 0
    while stack and yielded < MAX_PATHS:
        path = stack.pop()
        entity = path[-1][-1]
        further: list[_Path] = [
            tree.down(path, answer) for answer in tree.answers(entity) if tree.failed(answer, flag)
        ]
        further += [_inside(path, child) for child in _children(entity) if child.get(flag) is True]
        if further and sum(map(len, path)) < MAX_DEPTH:
            stack += reversed(further)
        else:
            yielded += 1
            yield path


def _slowest(tree: _Tree, root: Json) -> tuple[RootCause, ...]:
    """The chain of the longest child, as long as it takes most of its parent's time."""
    whole = took = _seconds(root)
    if whole <= 0:
        return ()
    path: _Path = [[root]]
    entity = root
    for _ in range(MAX_DEPTH):
        answers, children = tree.answers(entity), _children(entity)
        longest = max([*answers, *children], key=_seconds, default=None)
        if longest is None or (lasted := _seconds(longest)) < DOMINANT * took:
            break
        is_answer = any(longest is answer for answer in answers)
        path = tree.down(path, longest) if is_answer else _inside(path, longest)
        entity, took = longest, lasted
    return (_cause(tree, path, impacting=True, whole=whole),)


def _cause(tree: _Tree, path: _Path, *, impacting: bool, whole: float | None = None) -> RootCause:
    services = tuple(
        CauseService(
            *tree.node(entities[0]),
            entities[0].get("inferred") is True,
            tuple(_entity(entity, whole) for entity in entities),
        )
        for entities in path
    )
    return RootCause(services, impacting)


def _entity(content: Json, whole: float | None) -> CauseEntity:
    remote = content.get("namespace") in ("aws", "remote")
    name = _text(content, "name") or "unknown"
    if whole is None:
        return CauseEntity(name, remote, tuple(_exceptions(content)))
    return CauseEntity(name, remote, coverage=round(min(1.0, _seconds(content) / whole), 3))


def _exceptions(content: Json) -> Iterator[CauseException]:
    cause = content.get("cause")
    listed: Any = cause.get("exceptions") if isinstance(cause, Mapping) else None
    for exception in listed if isinstance(listed, list) else ():
        if isinstance(exception, Mapping):
            yield CauseException(_text(exception, "type"), _text(exception, "message"))


def _text(content: Mapping[str, Any], member: str) -> str:
    """A member that is text; '' without one, as decoders read it."""
    value = content.get(member)
    return value if isinstance(value, str) else ""


def _children(content: Json) -> list[Json]:
    children = content.get("subsegments")
    return [c for c in children if isinstance(c, dict)] if isinstance(children, list) else []


def _seconds(content: Json) -> float:
    start, end = content.get("start_time"), content.get("end_time")
    if isinstance(start, int | float) and isinstance(end, int | float):
        return max(0.0, float(end) - float(start))
    return 0.0
