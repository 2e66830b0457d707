"""What two decoders say of one document, compared field by field as far as it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from store.model import Call, Document, Kind, State
from store.rules.classify import UNKNOWN_OUTCOME
from store.second_decoder.stored import decode_stored

DRAWN = (
    "trace_id", "id", "parent_id", "independent", "inferred", "start", "end", "last_end", "state", "members",
    "weight", "before", "fetched", "sampled",
)  # fmt: skip
ALIKE = (Kind.INTERNAL, Kind.CLIENT, Kind.PRODUCER)
"""No rule tells these kinds of a document apart; what it calls is in its calls."""


def differences(document: Document) -> list[str]:
    """The fields in which the second decoder, given the document's bytes, differs from the first."""
    other = replace(decode_stored(document.raw, document.version), raw=document.raw)
    pairs = zip(_drawn(document), _drawn(other), strict=True)
    return [
        f"{name}: {_without(one, two)} / {_without(two, one)}"
        for (name, one), (_, two) in pairs
        if one != two
    ]


def _without(value: object, other: object) -> object:
    """Of a list what another does not have."""
    if isinstance(value, list) and isinstance(other, list) and set(value) != set(other):
        return [each for each in value if each not in other]
    return value


def _drawn(document: Document) -> Iterator[tuple[str, object]]:
    for field in DRAWN:
        yield field, getattr(document, field)
    yield "kind", Kind.CLIENT if document.kind in ALIKE else document.kind
    is_segment = not document.independent
    yield "node", document.node if document.owner else None
    yield "service", document.service if is_segment else ""
    yield "status", document.http.status if document.state > State.OK else 0
    counts = document.state > State.OK or document.exception == UNKNOWN_OUTCOME
    yield "exception", document.exception if counts else ""
    entered = is_segment and document.kind in (Kind.NONE, Kind.SERVER, Kind.CONSUMER)
    yield "user agent", document.http.user_agent if entered else ""
    yield "calls", sorted(map(repr, _calls(document)))
    yield "links", sorted(map(repr, document.links))


def _calls(document: Document) -> Iterator[Call]:
    """The calls, without ids that the document does not name, without failures of what did not fail, and without
    operations, which split nodes but draw none."""
    for call in document.calls:
        named = f"{call.id:016x}".encode() in document.raw.lower() or (
            call.id.to_bytes(8, "big") in document.raw
        )
        call = replace(call, id=call.id if named else 0, operation="")
        yield call if call.state > State.OK else replace(call, exception="", status=0)


def agree(documents: Iterable[object]) -> int:
    """Both decoders say the same of all documents; how many there are."""
    found = [each for each in documents if isinstance(each, Document)]
    for each in found:
        lines = differences(each)
        if lines:
            raise AssertionError("\n".join([*lines, repr(each.raw[:1000])]))
    return len(found)
