"""Splits columns of documents by the cell that owns them, without decoding anything again."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeVar, cast

import msgspec

from store.column_types import Coded, PackedTexts, SpanBodies
from store.columnar import BodyParts, CallColumns, DocumentColumns
from store.owner import Owners

T = TypeVar("T")
_ARRAYS = {"annotations": "annotation_counts", "members": "member_counts"}
"""Concatenated columns, by which has the number of each row's."""


def split(
    documents: DocumentColumns, cells: int, all_owners: Owners
) -> list[DocumentColumns | None]:
    """The documents of each cell, in order; None for a cell without any."""
    rows: list[list[int]] = [[] for _ in range(cells)]
    rule = all_owners.since(documents.versions)
    if len(rule.epochs) == 1:
        owners: dict[bytes, int] = {}
        for place, trace in enumerate(documents.trace_ids):
            owner = owners.get(trace)
            if owner is None:
                owner = owners[trace] = rule.last.owner_of(trace)
            rows[owner].append(place)
    else:
        pairs = zip(documents.trace_ids, documents.versions, strict=True)
        for place, (trace, version) in enumerate(pairs):
            rows[rule.of_document(trace, version)].append(place)
    return [_whole_or_part(documents, places) for places in rows]


def _whole_or_part(documents: DocumentColumns, places: list[int]) -> DocumentColumns | None:
    if not places:
        return None
    return documents if len(places) == len(documents) else _part(documents, places)


def _part(documents: DocumentColumns, places: list[int]) -> DocumentColumns:
    new_place = {place: number for number, place in enumerate(places)}
    known: dict[int, Any] = {}

    def of_rows(column: Sequence[T]) -> Sequence[T]:
        """One column stands for two where these are the same."""
        if id(column) not in known:
            known[id(column)] = pick(column, places)
        return cast("Sequence[T]", known[id(column)])

    parts: dict[str, Any] = {}
    for name in documents.__struct_fields__:
        column = getattr(documents, name)
        if name == "calls":
            parts[name] = _calls(column, new_place)
        elif name == "links":
            parts[name] = [(new_place[at], link) for at, link in column if at in new_place]
        elif name == "parts":
            parts[name] = _bodies(column, places) if column is not None else None
        elif name in _ARRAYS:
            parts[name] = _pick_arrays(column, getattr(documents, _ARRAYS[name]), places)
        else:
            parts[name] = of_rows(column)
    return DocumentColumns(**parts)


def _calls(calls: CallColumns, new_place: dict[int, int]) -> CallColumns:
    rows = [row for row, owner in enumerate(calls.owners) if owner in new_place]
    columns = {name: pick(getattr(calls, name), rows) for name in calls.__struct_fields__}
    return msgspec.structs.replace(
        CallColumns(**columns), owners=[new_place[calls.owners[row]] for row in rows]
    )


def _bodies(bodies: BodyParts, places: list[int]) -> BodyParts:
    columns = {
        name: pick(getattr(bodies, name), places)
        for name in bodies.__struct_fields__
        if name != "attributes"
    }
    attributes = _pick_arrays(bodies.attributes, bodies.attribute_counts, places)
    return BodyParts(**columns, attributes=cast("PackedTexts", attributes))


def pick(column: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """Some rows of a column, in its own form."""
    if isinstance(column, Coded):
        codes = column.codes
        chosen = [codes[place] for place in places]
        return Coded(
            column.values, bytes(chosen) if isinstance(codes, bytes) else array("I", chosen)
        )
    if isinstance(column, PackedTexts):
        return cast("Sequence[T]", PackedTexts([column.parts[place] for place in places]))
    if isinstance(column, SpanBodies):
        parts = (column.marked, column.scopes, column.spans)
        return cast("Sequence[T]", SpanBodies(*(pick(each, places) for each in parts)))  # type: ignore[arg-type]
    return [column[place] for place in places]


def _pick_arrays(column: Sequence[T], counts: Sequence[int], places: Sequence[int]) -> Sequence[T]:
    """The elements of some rows of a column that has those of all rows, one after the other."""
    ends = list(accumulate(counts))
    return pick(
        column, [at for place in places for at in range(ends[place] - counts[place], ends[place])]
    )
