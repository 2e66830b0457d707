"""Which rows of a trace decide on the units of some of its rows. Pure.

They are looked up by id: copies of a row, its document, its parents up to what owns it, and its answers; what is found
needs more. The lookups are all that the units depend on, whether the rows are stored or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from store.model import Document, Fetched, Independent, Kind, OwnedCall, Trace
from store.otel.derived_ids import shared_server_id
from store.parents import MAX_PARENT_STEPS
from store.rules.operations import is_of_proxy

CONTAINS, SEGMENT_BELOW, SPAN_BELOW = range(3)
"""Relations of a row to an id: it has or embeds it, or it is a segment, or a span that is no segment, that names it as its
parent. The numbers are stored."""

Lookup = tuple[int, int]
"""A relation and an id."""


class KnownRows:
    """The rows of a trace that have been read, by how they are looked up."""

    def __init__(self, trace: Trace) -> None:
        self._calls = trace.calls
        self._documents: dict[Lookup, list[Document]] = {}
        for document in trace.documents.values():
            for id in (document.id, *document.members):
                self._documents.setdefault((CONTAINS, id), []).append(document)
            below = _below(document)
            if below is not None:
                self._documents.setdefault((below, document.parent_id), []).append(document)

    def documents(self, lookup: Lookup) -> Iterable[Document]:
        """Those that a lookup finds."""
        return self._documents.get(lookup, ())

    def call(self, lookup: Lookup) -> OwnedCall | None:
        """The call that a lookup finds."""
        relation, id = lookup
        return self._calls.get(id) if relation == CONTAINS else None


class Lookups:
    """What is looked up for the units of some rows of a trace."""

    def __init__(self) -> None:
        self.needed: set[Lookup] = set()
        self._documents: dict[int, Document] = {}
        self._calls: dict[int, OwnedCall] = {}

    def need_document(self, document: Document) -> None:
        """Add what decides on the units of a document."""
        self.needed |= _of_document(document)
        parent = document.parent_id
        self.needed.add((CONTAINS, parent))
        if document.independent == Independent.OF_SENDER:
            # Beside a segment of its service it does not enter that.
            self.needed.add((SEGMENT_BELOW, parent))
        if document.kind == Kind.SERVER and not document.independent:
            self.needed.add((CONTAINS, shared_server_id(document.trace_id, parent)))

    def need_call(self, call: OwnedCall) -> None:
        """Add what decides on the units of a call."""
        self.needed |= _of_call(call)

    def need_link_end(self, id: int, *, is_call: bool) -> None:
        """Add what an id stands for as the end of a link. ``is_call``: it may be that of a call, which spans answer."""
        self.needed |= {(CONTAINS, id), (SEGMENT_BELOW, id)}
        if is_call:
            self.needed.add((SPAN_BELOW, id))

    def follow(self, known: KnownRows) -> None:
        """Add what the known rows need that are found so far."""
        self.needed -= {(relation, 0) for relation in range(3)}
        pending = list(self.needed)
        while pending:
            found: set[Lookup] = set()
            for lookup in pending:
                for document in known.documents(lookup):
                    if self._documents.get(document.id) is not document:
                        self._documents[document.id] = document
                        found |= _of_document(document)
                call = known.call(lookup)
                if call is not None and call.call.id not in self._calls:
                    self._calls[call.call.id] = call
                    found |= _of_call(call)
            if not found:
                found.update((SPAN_BELOW, id) for id in self._within_calls())
            pending = [each for each in found - self.needed if each[1]]
            self.needed.update(pending)

    def _within_calls(self) -> Iterator[int]:
        """The local work within calls: of a call inside they may be one with it, whatever answers that (`store.layers`)."""
        for document in self._documents.values():
            above: Document | None = document
            for _ in range(MAX_PARENT_STEPS):
                if above is None or above.independent < Independent.OF_SENDER:
                    break
                if above.parent_id in self._calls:
                    yield document.id
                    break
                above = self._documents.get(above.parent_id)


def _below(document: Document) -> int | None:
    if not document.independent:
        return SEGMENT_BELOW
    return SPAN_BELOW if document.independent >= Independent.OF_SENDER else None


def _of_document(document: Document) -> set[Lookup]:
    needed = {(CONTAINS, document.id)}
    if document.independent:
        needed.add((CONTAINS, document.parent_id))
    if document.fetched is Fetched.MESSAGES or is_of_proxy(document.operation):
        needed.add((SEGMENT_BELOW, document.id))
    return needed


def _of_call(owned: OwnedCall) -> set[Lookup]:
    id = owned.call.id
    return {
        (CONTAINS, id),
        (CONTAINS, owned.document_id),
        (SEGMENT_BELOW, id),
        (SPAN_BELOW, id),
    }
