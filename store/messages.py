"""Messages that one span fetched and others process count once. Pure.

* What fetched messages is a unit of its service only if it names them, or is a CONSUMER, and no CONSUMER of its
  service is its child: that is the unit, which what fetched did not call (`store.draw`).
* A link that another span of the trace has, too, is not that of what fetched. Of several that fetched it is the
  first one's by id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from store.model import Document, Fetched, Kind, OwnedLink, Trace


def units_elsewhere(trace: Trace) -> Collection[int]:
    """The segments that fetched messages and are no units."""
    fetching = {d.id: d for d in trace.documents.values() if d.fetched and not d.independent}
    if not fetching:
        return ()
    processed = {
        document.parent_id
        for document in trace.documents.values()
        if (above := fetching.get(document.parent_id)) and is_processed_by(above, document)
    }
    return {id for id, each in fetching.items() if each.fetched is Fetched.UNSEEN} | processed


def is_processed_by(above: Document, segment: Document) -> bool:
    """Whether a segment processes what the one above it fetched."""
    is_below = not segment.independent and segment.node == above.node
    return is_below and processes(segment.kind, segment.fetched)


def processes(kind: Kind, fetched: Fetched) -> bool:
    """Whether a segment of this kind processes what one of its service above it fetched."""
    return kind is Kind.CONSUMER and fetched is not Fetched.UNSEEN


def links_once(trace: Trace) -> Iterator[OwnedLink]:
    """The links of a trace, each message once."""
    first: dict[tuple[bytes, int, bool], tuple[bool, int]] = {}
    for owned in trace.links.values():
        key, rank = _end(owned), _rank(owned, trace)
        first[key] = min(rank, first.get(key, rank))
    for owned in trace.links.values():
        rank = _rank(owned, trace)
        if not rank[0] or rank == first[_end(owned)]:
            yield owned


def _end(owned: OwnedLink) -> tuple[bytes, int, bool]:
    return owned.link.trace_id, owned.link.id, owned.link.upstream


def _rank(owned: OwnedLink, trace: Trace) -> tuple[bool, int]:
    document = trace.documents.get(owned.document_id)
    return document is not None and document.fetched != Fetched.NO, owned.document_id
