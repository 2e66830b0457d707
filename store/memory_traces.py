"""The traces of the reference store: how documents become traces, on dictionaries."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from store.facts import caused_documents
from store.model import (
    Document,
    Independent,
    Kind,
    OwnedCall,
    OwnedLink,
    TimeRange,
    Trace,
    arrival_of,
    precedence,
)
from store.query import SeenOperation
from store.units import calls_of, links_of


class MemoryTraces:
    """Traces by id, and the writing half of the store protocol."""

    def __init__(self) -> None:
        self._traces: dict[bytes, Trace] = {}
        self._linked: dict[bytes, set[tuple[int, bytes, int]]] = {}
        """By trace the ids in it to which links lead as to what they caused, each with the document that links."""
        self._first_starts: dict[bytes, int] = {}
        """The earliest start of any copy of a document, by trace."""
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store documents; a known token changes nothing."""
        with self._lock:
            if token in self._tokens:
                return
            self._tokens.add(token)
            for document in documents:
                self._put(document)

    def _put(self, document: Document) -> None:
        trace = self._traces.get(document.trace_id)
        if trace is None:
            trace = Trace(document.trace_id, {}, {}, updated=0, revision=0, links={})
            self._traces[document.trace_id] = trace
        trace.updated = max(trace.updated, arrival_of(document.version))
        trace.revision += 1
        first = self._first_starts.get(document.trace_id, document.start)
        self._first_starts[document.trace_id] = min(first, document.start)
        assert isinstance(trace.documents, dict)
        assert isinstance(trace.calls, dict)
        assert isinstance(trace.links, dict)
        known = trace.documents.get(document.id)
        if known is None or _precedence(document) >= _precedence(known):
            trace.documents[document.id] = document
            for each in [one for one in trace.links.values() if one.document_id == document.id]:
                del trace.links[each.key]
                self._linked.get(each.link.trace_id, set()).discard(_end(trace, each))
            for each in links_of(document):
                trace.links[each.key] = each
                if not each.link.upstream:
                    self._linked.setdefault(each.link.trace_id, set()).add(_end(trace, each))
        for owned in calls_of(document):
            other = trace.calls.get(owned.call.id)
            if other is None or _call_precedence(owned) >= _call_precedence(other):
                trace.calls[owned.call.id] = owned

    def _sampled(self, trace_id: bytes) -> Trace | None:
        trace = self._traces.get(trace_id)
        return trace if trace is not None and is_sampled(trace) else None

    def _with_causes(self, trace: Trace) -> Trace:
        caused = caused_documents(trace, self._sampled, self._linked_to)
        return replace(trace, caused=caused) if caused else trace

    def _linked_to(self, trace_id: bytes) -> Collection[int]:
        return {id for id, *_ in self._linked.get(trace_id, ())}

    def services(self, since: int, *, limit: int) -> list[str]:
        """Names of services."""
        return sorted({service for service, _ in self._seen(since)})[:limit]

    def operations(self, service: str, since: int, *, limit: int) -> list[SeenOperation]:
        """What a service did, of which nothing is too much."""
        seen: dict[tuple[str, Kind], int] = {}
        for of, found in self._seen(since):
            if of == service:
                key = found.name, found.kind
                seen[key] = max(seen.get(key, 0), found.seen)
        return [SeenOperation(*key, seen[key]) for key in sorted(seen)][:limit]

    def _seen(self, since: int) -> Iterator[tuple[str, SeenOperation]]:
        for trace in self._traces.values():
            for d in trace.documents.values():
                whole = not d.independent
                if (
                    d.independent == Independent.OF_PARENT
                    or d.inferred
                    or not (d.operation or whole)
                ):
                    continue
                if (seen := arrival_of(d.version)) >= since:
                    yield d.service, SeenOperation(d.operation or d.service, d.kind, seen)

    def _started(self, window: TimeRange) -> Iterator[Document]:
        for trace in self._traces.values():
            yield from (d for d in trace.documents.values() if d.start in window)


def is_sampled(trace: Trace) -> bool:
    """Whether any document of it was sampled, rather than sent to be counted only."""
    return any(document.sampled for document in trace.documents.values())


def _end(trace: Trace, owned: OwnedLink) -> tuple[int, bytes, int]:
    return owned.link.id, trace.trace_id, owned.document_id


def _precedence(document: Document) -> int:
    return precedence(document.state, document.version)


def _call_precedence(owned: OwnedCall) -> int:
    return precedence(owned.call.state, owned.version)
