"""A trace as its bytes say, with what its rows alone know: which documents won, and what has no bytes any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from google.protobuf.message import DecodeError

from store.model import Document, OwnedCall, Trace, precedence
from store.second_decoder.stored import decode_stored
from store.units import calls_of, links_of


class Sources(NamedTuple):
    """How many documents were decoded, and what was taken from rows: documents whose bytes are not stored or
    cannot be read, and calls that only an earlier copy of their document had."""

    decoded: int = 0
    documents: int = 0
    unreadable: int = 0
    calls: int = 0

    def __add__(self, other: object) -> Sources:
        return (
            Sources(*map(sum, zip(self, other, strict=True)))
            if isinstance(other, Sources)
            else self
        )


def decode_again(row: Document) -> Document | None:
    """A stored document by its bytes, None if these cannot be read; when it arrived its row knows."""
    try:
        return decode_stored(row.raw, row.version)
    except (ValueError, DecodeError, RecursionError):
        return None


def decoded_trace(rows: Trace, decoded: Mapping[int, Document | None]) -> tuple[Trace, Sources]:
    """The trace whose rows are known, by its documents, decoded once more; None for what cannot be."""
    documents: dict[int, Document] = {}
    by_row: set[int] = set()
    for id, row in rows.documents.items():
        found = decoded.get(id)
        if found is None:
            by_row.add(id)
        documents[(found or row).id] = found or row
    unreadable = sum(id in decoded for id in by_row)
    calls = dict[int, OwnedCall]()
    for document in documents.values():
        for owned in calls_of(document):
            _put_newest(calls, owned)
    earlier = [each for each in rows.calls.values() if _is_of_row(each, rows, by_row)]
    for owned in earlier:
        _put_newest(calls, owned)
    links = {owned.key: owned for each in documents.values() for owned in links_of(each)}
    links |= {key: owned for key, owned in rows.links.items() if owned.document_id in by_row}
    trace = Trace(rows.trace_id, documents, calls, rows.updated, rows.revision, links)
    earlier_calls = sum(each.document_id not in by_row for each in earlier)
    return trace, Sources(
        len(documents) - len(by_row), len(by_row) - unreadable, unreadable, earlier_calls
    )


def _is_of_row(owned: OwnedCall, rows: Trace, by_row: set[int]) -> bool:
    """Whether a call is known by its row alone: its document has no bytes, or is a later copy without it."""
    document = rows.documents.get(owned.document_id)
    if document is None or owned.document_id in by_row:
        return True
    return owned.version != document.version


def _put_newest(calls: dict[int, OwnedCall], owned: OwnedCall) -> None:
    known = calls.get(owned.call.id)
    if known is None or _rank(known) <= _rank(owned):
        calls[owned.call.id] = owned


def _rank(owned: OwnedCall) -> int:
    return precedence(owned.call.state, owned.version)
